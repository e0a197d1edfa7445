"""What an audit proposes to do with a row of the data: RowChange."""

from dataclasses import dataclass
from typing import Literal, get_args

Action = Literal["drop", "relabel", "keep"]
"""`keep` changes nothing: a person must look at the row, or has looked."""

SplitName = Literal["training", "validation", "test"]

ACTIONS: tuple[str, ...] = get_args(Action)

SPLITS: dict[str, str] = {"training": "train", "validation": "validation", "test": "test"}
"""Attributes of `Data` by the name of the split."""


@dataclass(frozen=True, kw_only=True)
class RowChange:
    """A row that an audit found fault with, and what it proposes.

    Args:
        split: The split of the row.
        row: Its id, as in `Split.rows`, as text.
        action: What is proposed.
        measure: The measure whose finding it comes from, such as `data.leakage`.
        reason: Why, in a few words and without what the row holds.
        label: The row's class, where the change is about it.
        new_label: The class it would get; of a row that is kept, the class that a person may give it.
        chance_wrong: The chance that its label is wrong, 0 to 1, where that was estimated.
    """

    split: SplitName
    row: str
    action: Action
    measure: str
    reason: str
    label: str | None = None
    new_label: str | None = None
    chance_wrong: float | None = None
