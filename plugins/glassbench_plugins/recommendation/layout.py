"""What a schema says about the parts of a row of tokens, and what all models of users and items share."""

import torch
from torch import Tensor, nn

from glassbench.contracts.facts import CatalogueFacts, TextFacts
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError


class RowLayout:
    """Where a row tells of what.

    Args:
        schema: What rows are.
        model: Who asks, for the message.

    Attributes:
        user: Places of the user and its features.
        item: Places of the item and its features; empty where rows are users.
        history: Places of the items of the past.
        ranks: Whether all items are to be ranked; else one is to be rated.

    Raises:
        FitError: The rows are no interactions.
    """

    def __init__(self, schema: Schema, model: str) -> None:
        facts = schema.facts_of(TextFacts)
        if facts is None or facts.catalogue is None or schema.target.kind not in ("value", "ranking"):
            got = f"{schema.modality} rows with a target of kind '{schema.target.kind}'"
            fix = "choose the data set 'interactions' or 'tastes', or another model"
            raise FitError(f"'{model}' learns from interactions of users with items", got=got, fix=fix)
        known: CatalogueFacts = facts.catalogue
        first = len(known.user_fields)
        start = first + len(known.item_fields)
        self.catalogue = known
        self.tokens = len(facts.vocabulary)
        self.ranks = schema.target.kind == "ranking"
        self.user = slice(0, first)
        self.item = slice(first, start)
        self.history = slice(start, int(schema.shape[0] or start))

    @property
    def context(self) -> int:
        """How many items of the past a row has."""
        return self.history.stop - self.history.start


class TokenVectors(nn.Embedding):
    """A vector for each token: zero for padding, and at first for the unknown, which then stands for nothing known.

    Args:
        tokens: How many tokens there are.
        width: Length of a vector.
    """

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__(tokens, width, padding_idx=0)

    def reset_parameters(self) -> None:
        """Draw all vectors but the first two anew, small."""
        nn.init.normal_(self.weight, std=0.1)
        with torch.no_grad():
            self.weight[:2] = 0.0


def taste_of(vectors: Tensor, read: Tensor) -> Tensor:
    """Return the sum of the vectors `(n, l, width)` of a history over the root of its length, as SVD++ has it (Koren 2008).

    Args:
        vectors: Of each place.
        read: Which places hold an item, bool `(n, l)`.
    """
    counts = read.sum(dim=1, keepdim=True).clamp(min=1)
    return (vectors * read[:, :, None]).sum(dim=1) / counts.sqrt()


def without_users(rows: Tensor, share: float) -> Tensor:
    """Return rows `(n, l)` of which a share, drawn at random, tell nothing of who the user is."""
    if share == 0:
        return rows
    forgotten = torch.rand(len(rows), device=rows.device) < share
    return torch.cat([rows[:, :1].masked_fill(forgotten[:, None], 0), rows[:, 1:]], dim=1)
