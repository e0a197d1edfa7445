"""A decoder-only transformer: every token is predicted from those before it."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.text.sizes import context_of, vocabulary_of


class Gpt(nn.Module):
    """A GPT (Radford et al. 2019): blocks that normalise first, learnt positions, and logits from the embedding itself.

    Args:
        schema: Tells the vocabulary and the context.
        layers: Blocks.
        heads: Attention heads.
        width: Length of a token's vector; a multiple of `heads`.
        dropout: Share of the embedding, of attention and of what each part adds set to 0 while training.
    """

    attribution_layer = "embedding"

    def __init__(
        self, schema: Schema, *, layers: Count = 4, heads: Count = 4, width: Count = 128, dropout: ShareBelowOne = 0.0
    ) -> None:
        super().__init__()
        if min(layers, heads, width) < 1 or width % heads or not 0 <= dropout < 1:
            got = f"layers {layers}, heads {heads}, width {width}, dropout {dropout:g}"
            raise SettingsError("width must be a multiple of heads, and dropout a share below 1", got=got, where="model")
        self.embedding = nn.Embedding(vocabulary_of(schema), width)
        self.places = nn.Parameter(torch.empty(context_of(schema), width).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.apply(_small_weights)
        for block in self.blocks:
            # What each block adds starts smaller the more blocks there are, so that their sum does not grow.
            assert isinstance(block, Block)
            for last in (block.out, block.shrink):
                nn.init.normal_(last.weight, std=0.02 / (2 * layers) ** 0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """From token numbers, long `(n, l)`, to logits of each following token `(n, l, vocabulary)`."""
        states = self.dropout(self.embedding(tokens) + self.places[: tokens.shape[1]])
        for block in self.blocks:
            states = block(states)
        return functional.linear(self.norm(states), self.embedding.weight)


class Block(nn.Module):
    """Attention to what came before, then a feed-forward part, each normalised first and added to what came in.

    Args:
        width: Length of a token's vector.
        heads: Attention heads.
        dropout: Share of attention and of what each part adds set to 0 while training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.together = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.activation = nn.GELU()
        self.shrink = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        """From states `(n, l, width)` to states of the same shape."""
        states = states + self.dropout(self._attend(self.attention_norm(states)))
        changed: Tensor = states + self.dropout(self.shrink(self.activation(self.widen(self.feed_norm(states)))))
        return changed

    def _attend(self, states: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.together(states).chunk(3, dim=2)
        )
        share = self.dropout.p if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, dropout_p=share, is_causal=True)
        answer: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return answer


def _small_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
