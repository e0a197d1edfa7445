"""From users, items and histories to lines of tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.predictions.ranked_lists import decoded_items, item_codes
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.groups import GroupCode, groups_of
from glassbench_plugins.recommendation.interactions import CHOSEN, HISTORY

PADDING, UNKNOWN = 0, 1


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a row: a user, an item, or a feature of either.

    Args:
        code: How its column is read.
        first: Number of the token of its first value.
        values: Its values in the order of their tokens.
    """

    code: GroupCode
    first: int
    values: tuple[str, ...]

    def numbers(self, raw: pd.DataFrame, cells: Cells) -> Tensor:
        """Return the token of each row `(n,)`; a value that the training rows do not have is unknown."""
        read = self.code.groups(raw[self.code.column], cells)
        places = pd.Index(self.values).get_indexer(pd.Index(read))
        return torch.from_numpy(np.where(places < 0, UNKNOWN, places + self.first).astype(np.int64))

    @property
    def tokens(self) -> tuple[str, ...]:
        """What its tokens are called."""
        return tuple(f"{self.code.name}: {value}" for value in self.values)


@dataclass(frozen=True, kw_only=True)
class InteractionEncoder:
    """Encodes rows as tokens: the user's fields, the item's where a row is a rating, and the latest items of the history.

    Args:
        items: The items of the catalogue; their tokens come first, after padding and the unknown.
        user_fields: The user and its features.
        item_fields: The item and its features, where a row is about one; empty for rankings.
        context: Items of a history, at most.
        rating: The column of ratings; None for rankings.
        sensitive: How sensitive features are read.
        cells: How raw cells read.
    """

    items: tuple[str, ...]
    user_fields: tuple[Field, ...]
    item_fields: tuple[Field, ...] = ()
    context: int = 50
    rating: str | None = None
    sensitive: tuple[GroupCode, ...] = ()
    cells: Cells = field(default_factory=Cells)

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw rows; the truth comes along where its column is there, groups where theirs are.

        Raises:
            DataError: A column is missing, or a history is no list of items.
        """
        needed = [*(each.code.column for each in (*self.user_fields, *self.item_fields)), HISTORY]
        lacking = [name for name in needed if name not in raw.columns]
        if lacking:
            available = [str(name) for name in raw.columns]
            fix = (
                f'write the items of the user\'s past as JSON, oldest first: ["{self.items[0]}"]' if HISTORY in lacking else None
            )
            raise DataError(f"the rows lack the column '{lacking[0]}'", available=available, fix=fix)
        raw = raw.reset_index(drop=True)
        columns = [each.numbers(raw, self.cells)[:, None] for each in (*self.user_fields, *self.item_fields)]
        return Split(
            inputs=(torch.cat([*columns, self._histories(raw[HISTORY])], dim=1),),
            rows=np.arange(len(raw)),
            target=self._truth(raw),
            groups=groups_of(self.sensitive, raw, self.cells),
            raw=raw,
        )

    def _histories(self, column: pd.Series) -> Tensor:
        """Return the tokens of the latest items of each history, the latest last, filled up with padding at the front."""
        table = torch.full((len(column), self.context), PADDING)
        places = {name: place + 2 for place, name in enumerate(self.items)}
        for row, text in enumerate(column):
            numbers = [places.get(name, UNKNOWN) for name in decoded_items(str(text))[-self.context :]]
            if numbers:
                table[row, -len(numbers) :] = torch.tensor(numbers)
        return table

    def _truth(self, raw: pd.DataFrame) -> Tensor | None:
        if self.rating is not None:
            if self.rating not in raw.columns:
                return None
            values = self.cells.numbers(raw[self.rating])
            return None if values.isna().any() else torch.from_numpy(values.to_numpy(dtype=np.float32))
        if CHOSEN not in raw.columns or raw[CHOSEN].isna().any():
            return None
        codes = item_codes(raw[CHOSEN].astype(str).tolist(), self.items)
        return torch.from_numpy(codes)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {**asdict(self), "cells": self.cells.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        return cls(
            items=tuple(content["items"]),
            user_fields=_fields(content["user_fields"]),
            item_fields=_fields(content["item_fields"]),
            context=content["context"],
            rating=content["rating"],
            sensitive=tuple(_code(code) for code in content["sensitive"]),
            cells=Cells.from_json(content["cells"]),
        )


def fields_of(codes: Sequence[GroupCode], values: Sequence[Sequence[str]], first: int) -> tuple[Field, ...]:
    """Return fields whose tokens are numbered one after the other.

    Args:
        codes: How each is read.
        values: The values of each.
        first: Number of the first token.
    """
    found: list[Field] = []
    for code, each in zip(codes, values, strict=True):
        found.append(Field(code=code, first=first, values=tuple(each)))
        first += len(each)
    return tuple(found)


def _fields(content: Sequence[Mapping[str, Any]]) -> tuple[Field, ...]:
    return tuple(Field(code=_code(f["code"]), first=f["first"], values=tuple(f["values"])) for f in content)


def _code(content: Mapping[str, Any]) -> GroupCode:
    return GroupCode(**{**content, "bins": content["bins"] and tuple(content["bins"])})
