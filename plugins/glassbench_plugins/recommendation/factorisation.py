"""Matrix factorisation with biases, and what a user's history adds to it."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.recommendation.layout import RowLayout, TokenVectors, taste_of


class MatrixFactorisation(nn.Module):
    """A user's vector times an item's, and a bias of both (Koren, Bell and Volinsky 2009).

    With `history`, the items of a user's past add to the user's vector: the sum of their vectors over the root of their number,
    mapped linearly, which is the implicit feedback of SVD++ (Koren 2008) without a second set of vectors. Features are not read.

    Args:
        schema: Tells the tokens and the catalogue.
        factors: Length of the vectors.
        history: Whether the past counts.
        dropout: Share of the products of factors set to 0 while training.
    """

    attribution_layer = "vectors"
    items: Tensor

    def __init__(self, schema: Schema, *, factors: Count = 32, history: bool = True, dropout: ShareBelowOne = 0.2) -> None:
        super().__init__()
        self.layout = RowLayout(schema, "matrix-factorisation")
        self.vectors = TokenVectors(self.layout.tokens, factors + 1)
        self.past = nn.Linear(factors, factors, bias=False) if history and self.layout.context else None
        self.middle = nn.Parameter(torch.zeros(()))
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("items", torch.tensor([numbers[0] for numbers in self.layout.catalogue.tokens]), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """From tokens, long `(n, l)`, to ratings `(n,)`, or to a score of every item `(n, items)`."""
        vectors = self.vectors(rows)
        user, bias = vectors[:, 0, :-1], vectors[:, 0, -1]
        if self.past is not None:
            place = self.layout.history
            user = user + self.past(taste_of(vectors[:, place, :-1], rows[:, place] != 0))
        user = self.dropout(user)
        if self.layout.ranks:
            items = self.vectors.weight[self.items]
            scores: Tensor = user @ items[:, :-1].T + items[:, -1] + self.middle + bias[:, None]
            return scores
        item = vectors[:, self.layout.item.start]
        ratings: Tensor = (user * item[:, :-1]).sum(dim=1) + item[:, -1] + bias + self.middle
        return ratings
