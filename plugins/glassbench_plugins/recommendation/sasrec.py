"""A sequential recommender: attention over the history, the item of the last place asked for the next."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError, SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.recommendation.layout import RowLayout, TokenVectors
from glassbench_plugins.text.transformer import Block


class SasRec(nn.Module):
    """Self-attention over the items of the past, oldest first (Kang and McAuley 2018, "SASRec").

    The state of the latest item is compared with the vector of every item, the same vectors that the past is read with. User
    fields stand at the start of the sequence. Rows are learnt from moment by moment, so attention need not be causal.

    Args:
        schema: Tells the tokens and the catalogue.
        blocks: Transformer blocks.
        width: Length of a token's vector; a multiple of `heads`.
        heads: Attention heads.
        dropout: Share of what each part adds, and of the vectors, set to 0 while training.
    """

    attribution_layer = "vectors"
    items: Tensor

    def __init__(
        self, schema: Schema, *, blocks: Count = 2, width: Count = 48, heads: Count = 2, dropout: ShareBelowOne = 0.2
    ) -> None:
        super().__init__()
        if width % heads:
            raise SettingsError("width must be a multiple of heads", got=f"width {width}, heads {heads}", where="model.width")
        self.layout = RowLayout(schema, "sasrec")
        if not self.layout.ranks:
            fix = "set dataset.predict to ranking, or choose matrix-factorisation or two-tower"
            raise FitError("'sasrec' ranks what comes next", got="ratings to predict", fix=fix)
        self.vectors = TokenVectors(self.layout.tokens, width)
        self.places = nn.Parameter(torch.empty(self.layout.history.stop, width).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, 2 * width, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(len(self.layout.catalogue.items)))
        self.register_buffer("items", torch.tensor([numbers[0] for numbers in self.layout.catalogue.tokens]), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """From tokens, long `(n, l)`, to a score of every item `(n, items)`."""
        states = self.dropout(self.vectors(rows) + self.places)
        for block in self.blocks:
            states = block(states, rows != 0)
        scores: Tensor = self.norm(states[:, -1]) @ self.vectors.weight[self.items].T + self.bias
        return scores
