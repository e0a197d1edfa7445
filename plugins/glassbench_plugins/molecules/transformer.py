"""A transformer over the tokens of a SMILES, with a head for one value."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.molecules.sizes import molecule_sizes
from glassbench_plugins.text.transformer import Block


class SmilesTransformer(nn.Module):
    """A transformer encoder over the tokens of a SMILES; bonds are not read, the text tells them.

    The value is the sum of what each token comes to and their mean, so that it can grow with the molecule.

    Args:
        schema: Tells the vocabulary, the padding and the context.
        blocks: Transformer blocks.
        width: Length of a token's vector; a multiple of `heads`.
        heads: Attention heads.
        dropout: Share of what each part adds, and of the embedding, set to 0 while training.
    """

    attribution_layer = "embedding"

    def __init__(
        self, schema: Schema, *, blocks: Count = 2, width: Count = 64, heads: Count = 4, dropout: ShareBelowOne = 0.1
    ) -> None:
        super().__init__()
        if width % heads:
            raise SettingsError("width must be a multiple of heads", got=f"width {width}, heads {heads}", where="model.width")
        sizes = molecule_sizes(schema, "smiles-transformer")
        self.padding = sizes.padding
        self.embedding = nn.Embedding(sizes.tokens, width, padding_idx=sizes.padding)
        self.places = nn.Parameter(torch.empty(sizes.context, width).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, 2 * width, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 2)
        self.middle = nn.Parameter(torch.zeros(()))

    def forward(self, tokens: Tensor, bonds: Tensor) -> Tensor:
        """From tokens, long `(n, l)`, to values `(n,)`."""
        states, read = self.embedding(tokens), tokens != self.padding
        last = int(read.any(dim=0).nonzero().max()) + 1 if bool(read.any()) else 1
        states, read = self.dropout(states[:, :last] + self.places[:last]), read[:, :last]
        for block in self.blocks:
            states = block(states, read)
        each = self.head(self.norm(states)) * read[..., None]
        counts = read.sum(dim=1).clamp(min=1)
        values: Tensor = each[..., 0].sum(dim=1) / 10 + each[..., 1].sum(dim=1) / counts + self.middle
        return values
