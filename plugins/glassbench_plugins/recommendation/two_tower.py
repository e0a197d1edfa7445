"""Two towers: one network makes a vector of a user, another one of an item."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.recommendation.layout import RowLayout, TokenVectors, taste_of, without_users


class TwoTower(nn.Module):
    """The vector of a user (fields and history) times that of an item (fields), each from a tower of its own.

    After Covington, Adams and Sargin (2016), "Deep neural networks for YouTube recommendations". Each tower adds what two layers
    make of the summed vectors of its tokens to that sum, and maps it linearly; each token also has a bias.

    Args:
        schema: Tells the tokens and the catalogue.
        width: Length of the vectors.
        hidden: Width of the layer within each tower.
        dropout: Share of each tower's input set to 0 while training.
        user_dropout: Share of rows whose user is not told while training, so that features and history must tell.
    """

    attribution_layer = "vectors"
    items: Tensor

    def __init__(
        self,
        schema: Schema,
        *,
        width: Count = 32,
        hidden: Count = 64,
        dropout: ShareBelowOne = 0.2,
        user_dropout: ShareBelowOne = 0.5,
    ) -> None:
        super().__init__()
        self.layout = RowLayout(schema, "two-tower")
        self.user_dropout = user_dropout
        self.vectors = TokenVectors(self.layout.tokens, width + 1)
        self.user_tower = _Tower(width, hidden, dropout)
        self.item_tower = _Tower(width, hidden, dropout)
        self.past = nn.Linear(width, width, bias=False)
        self.middle = nn.Parameter(torch.zeros(()))
        self.register_buffer("items", torch.tensor(self.layout.catalogue.tokens), persistent=False)

    def forward(self, rows: Tensor) -> Tensor:
        """From tokens, long `(n, l)`, to ratings `(n,)`, or to a score of every item `(n, items)`."""
        layout = self.layout
        vectors = self.vectors(without_users(rows, self.user_dropout) if self.training else rows)
        known = vectors[:, layout.user]
        past = taste_of(vectors[:, layout.history, :-1], rows[:, layout.history] != 0)
        user = self.user_tower(known[..., :-1].sum(dim=1) + self.past(past))
        bias = known[..., -1].sum(dim=1) + self.middle
        if layout.ranks:
            items = self.vectors.weight[self.items]
            vector = self.item_tower(items[..., :-1].sum(dim=1))
            scores: Tensor = user @ vector.T + items[..., -1].sum(dim=1) + bias[:, None]
            return scores
        item = vectors[:, layout.item]
        vector = self.item_tower(item[..., :-1].sum(dim=1))
        ratings: Tensor = (user * vector).sum(dim=1) + item[..., -1].sum(dim=1) + bias
        return ratings


class _Tower(nn.Module):
    """What two layers make of a vector, added to it, and a linear map.

    Args:
        width: Length of the vector.
        hidden: Width between the layers.
        dropout: Share of the input set to 0 while training.
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, vector: Tensor) -> Tensor:
        """From `(n, width)` to `(n, width)`."""
        result: Tensor = self.out(vector + self.layers(vector))
        return result
