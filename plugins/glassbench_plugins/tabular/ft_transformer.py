"""A transformer over the columns of a table."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, PositiveNumber, ShareBelowOne
from glassbench_plugins.tabular.sizes import inputs_of, outputs_of


class FtTransformer(nn.Module):
    """The FT-Transformer of Gorishniy et al. (2021), "Revisiting Deep Learning Models for Tabular Data".

    Each column becomes a token: a weighted sum of learnt vectors over the column's encoded columns plus a bias, which for a
    category is one vector per category. The tokens and a learnt summary token pass through transformer blocks that normalise
    first; the answer is read from the summary token.

    Args:
        schema: Tells which encoded columns belong to which column; without columns each encoded column is a token.
        blocks: Transformer blocks.
        width: Length of a token; a multiple of `heads`.
        heads: Attention heads.
        expansion: Width of each block's feed-forward part, in token lengths.
        attention_dropout: Share of attention weights set to 0 while training.
        dropout: Share of the feed-forward part's inner outputs set to 0 while training.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        blocks: Count = 2,
        width: Count = 32,
        heads: Count = 4,
        expansion: PositiveNumber = 2.0,
        attention_dropout: ShareBelowOne = 0.1,
        dropout: ShareBelowOne = 0.1,
    ) -> None:
        super().__init__()
        if width % heads:
            raise SettingsError("width must be a multiple of heads", got=f"width {width}, heads {heads}", where="model.width")
        columns = [feature.columns for feature in schema.features] or [
            (encoded_column,) for encoded_column in range(inputs_of(schema))
        ]
        self.tokens = Tokens(columns, width)
        inner = round(width * expansion)
        self.blocks = nn.ModuleList(Block(width, heads, inner, attention_dropout, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.activation = nn.ReLU()
        self.head = nn.Linear(width, outputs_of(schema))

    def forward(self, inputs: Tensor) -> Tensor:
        """From encoded rows `(n, d)` to logits `(n, classes)` or values `(n, 1)`."""
        tokens = self.tokens(inputs)
        for block in self.blocks:
            tokens = block(tokens)
        output: Tensor = self.head(self.activation(self.norm(tokens[:, 0])))
        return output


class Tokens(nn.Module):
    """One token per column, after the summary token.

    Args:
        columns: Slots of each column.
        width: Length of a token.
    """

    def __init__(self, columns: list[tuple[int, ...]], width: int) -> None:
        super().__init__()
        self.columns = columns
        self.of_column = nn.ModuleList(nn.Linear(len(encoded_columns), width) for encoded_columns in columns)
        self.summary = nn.Parameter(torch.empty(width).uniform_(-(width**-0.5), width**-0.5))

    def forward(self, inputs: Tensor) -> Tensor:
        """From `(n, d)` to `(n, 1 + columns, width)`."""
        tokens = [self.summary.expand(inputs.shape[0], -1)]
        tokens += [
            embed(inputs[:, list(encoded_columns)]) for encoded_columns, embed in zip(self.columns, self.of_column, strict=True)
        ]
        return torch.stack(tokens, dim=1)


class Block(nn.Module):
    """Attention, then a feed-forward part, each normalised first and added to what came in.

    Args:
        width: Length of a token.
        heads: Attention heads.
        inner: Width of the feed-forward part.
        attention_dropout: Share of attention weights set to 0 while training.
        dropout: Share of the feed-forward part's inner outputs set to 0 while training.
    """

    def __init__(self, width: int, heads: int, inner: int, attention_dropout: float, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, dropout=attention_dropout, batch_first=True)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """From tokens `(n, t, width)` to tokens of the same shape."""
        seen = self.attention_norm(tokens)
        tokens = tokens + self.attention(seen, seen, seen, need_weights=False)[0]
        changed: Tensor = tokens + self.feed(self.feed_norm(tokens))
        return changed
