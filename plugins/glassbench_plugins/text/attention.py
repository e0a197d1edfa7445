"""Attention pooling: one vector per text, a weighted mean of its positions."""

import torch
from torch import Tensor, nn


class AttentionWeights(nn.Module):
    """How much each position counts, additive attention with one learnt question (Bahdanau et al. 2015; Yang et al. 2016).

    A module of its own, so that audits can read the weights beside attributions.

    Args:
        width: Length of a position's vector.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key = nn.Linear(width, width)
        self.activation = nn.Tanh()
        self.question = nn.Linear(width, 1, bias=False)

    def forward(self, states: Tensor, read: Tensor) -> Tensor:
        """From states `(n, l, width)` and which positions are read, bool `(n, l)`, to weights `(n, l)` that sum to 1."""
        score = self.question(self.activation(self.key(states))).squeeze(-1)
        # A large finite number instead of infinity: a text of padding alone then weighs all positions alike.
        return torch.softmax(score.masked_fill(~read, -1e9), dim=1)


def pooled(states: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean `(n, width)` of states `(n, l, width)`."""
    return torch.einsum("nl,nlw->nw", weights, states)
