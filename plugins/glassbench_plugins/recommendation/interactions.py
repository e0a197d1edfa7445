"""A log of interactions: who met which item, when, and what is known of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Treatment
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.codes import in_order
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.groups import Band, GroupCode, group_code, sensitive_column, sensitive_name

HISTORY, CHOSEN = "history", "chosen"
"""Columns of raw rows: the items of a user's past, oldest first, and those that were chosen next, both as JSON lists."""


@dataclass(frozen=True, kw_only=True)
class InteractionColumns:
    """What the columns of a table of interactions mean.

    Args:
        user, item: Who, and what.
        rating: How much it was liked; None where interactions alone count.
        time: When, as a number or a date that sorts; None where rows stand in the order of time.
        user_features, item_features: What is known of users and of items, by column or cut into bands.
        sensitive: User features to audit by.
        item_groups: Item features by which exposure is audited.
        missing: Texts that mean a value is missing.
    """

    user: str = "user"
    item: str = "item"
    rating: str | None = None
    time: str | None = None
    user_features: tuple[str | Band, ...] = ()
    item_features: tuple[str | Band, ...] = ()
    sensitive: tuple[str | Band, ...] = ()
    item_groups: tuple[str | Band, ...] = ()
    missing: tuple[str, ...] = MARKS

    @property
    def cells(self) -> Cells:
        """How raw cells read."""
        return Cells(missing=self.missing)

    def check(self, frame: pd.DataFrame) -> None:
        """Raise `DataError` where a table is empty, lacks a column that is named, or names one twice."""
        if frame.empty:
            raise DataError("the table is empty", got=f"{len(frame)} rows", where="dataset.path")
        for setting in ("user", "item", "rating", "time"):
            name = getattr(self, setting)
            require_columns(frame.columns, [name] if name else [], f"dataset.{setting}")
        for setting in ("user_features", "item_features", "sensitive", "item_groups"):
            features = getattr(self, setting)
            require_columns(frame.columns, [sensitive_column(feature) for feature in features], f"dataset.{setting}")
            names = [sensitive_name(feature) for feature in features]
            if len(set(names)) < len(names):
                raise DataError("two features have the same name", got=", ".join(names), where=f"dataset.{setting}")
        taken = {HISTORY, CHOSEN} & {str(name) for name in frame.columns}
        if taken:
            fix = "rename the column in the table"
            raise DataError(f"the column name '{min(taken)}' is taken: rows get such a column", where="dataset.path", fix=fix)


@dataclass(frozen=True, eq=False, kw_only=True)
class Interactions:
    """Interactions in the order of time, each user with each item once.

    Args:
        columns: What the columns mean.
        frame: The rows, with users and items as text.
        items: All items in order, those of the catalogue.
        users_known, items_known: How user and item features are read.
        sensitive, grouped: How sensitive user features and item groups are read.
        rows: How many rows the table has; `frame` keeps their numbers as its index.
        treatments: What was left out.
    """

    columns: InteractionColumns
    frame: pd.DataFrame
    rows: int
    items: tuple[str, ...]
    users_known: tuple[GroupCode, ...]
    items_known: tuple[GroupCode, ...]
    sensitive: tuple[GroupCode, ...]
    grouped: tuple[GroupCode, ...]
    treatments: tuple[Treatment, ...] = ()

    @classmethod
    def read(cls, frame: pd.DataFrame, columns: InteractionColumns) -> "Interactions":
        """Check and order a table of interactions; rows without a user, an item or a rating that is asked for are left out.

        Raises:
            DataError: It cannot be used so; the message says why.
        """
        columns.check(frame)
        kept, said = _kept(frame.reset_index(drop=True), columns)
        if kept[columns.user].nunique() < 2 or kept[columns.item].nunique() < 2:
            got = f"{kept[columns.user].nunique()} users, {kept[columns.item].nunique()} items"
            raise DataError("at least two users and two items are needed", got=got, where="dataset.path")
        read = {
            name: tuple(group_code(feature, kept, columns.cells) for feature in getattr(columns, name))
            for name in ("user_features", "item_features", "sensitive", "item_groups")
        }
        return cls(
            columns=columns,
            frame=kept,
            rows=len(frame),
            items=in_order(set(kept[columns.item])),
            users_known=read["user_features"],
            items_known=read["item_features"],
            sensitive=read["sensitive"],
            grouped=read["item_groups"],
            treatments=said,
        )

    @property
    def item_codes(self) -> np.ndarray:
        """The place of each row's item in the catalogue, int64 `(n,)`."""
        return pd.Index(self.items).get_indexer(pd.Index(self.frame[self.columns.item])).astype(np.int64)

    def of_items(self, codes: Sequence[GroupCode]) -> dict[str, tuple[str, ...]]:
        """Return what is known of each item of the catalogue, by feature: as the item's first row says."""
        first = self.frame.drop_duplicates(self.columns.item).set_index(self.columns.item).loc[list(self.items)]
        return {code.name: tuple(map(str, code.groups(first[code.column], self.columns.cells))) for code in codes}


def _kept(frame: pd.DataFrame, columns: InteractionColumns) -> tuple[pd.DataFrame, tuple[Treatment, ...]]:
    """Return the rows that can be used in the order of time, and what was left out."""
    cells, named = columns.cells, {name: columns.cells.texts(frame[name]) for name in (columns.user, columns.item)}
    rows = frame.assign(**named)
    if columns.rating is not None:
        rows = rows.assign(**{columns.rating: cells.numbers(frame[columns.rating])})
    needed = [columns.user, columns.item, *([columns.rating] if columns.rating else [])]
    whole = rows.dropna(subset=needed)
    if columns.time is not None:
        whole = _in_time(whole, columns.time, cells)
    once = whole.drop_duplicates([columns.user, columns.item])
    left = (
        (len(rows) - len(whole), f"rows without {', '.join(needed)} were left out"),
        (len(whole) - len(once), "rows in which a user meets an item again were left out: the first meeting counts"),
    )
    said = tuple(Treatment(action="rows left out", sentence=f"{n:,} {words}", count=n) for n, words in left if n)
    return once, said


def _in_time(rows: pd.DataFrame, time: str, cells: Cells) -> pd.DataFrame:
    """Return rows in the order of a column of numbers or dates; equals stay as they were."""
    texts = cells.texts(rows[time])
    numbers = pd.to_numeric(texts, errors="coerce")
    moments = numbers if numbers.notna().all() else pd.to_datetime(texts, errors="coerce", format="mixed")
    if moments.isna().any():
        first = rows.index[moments.isna()][0]
        got, fix = f"{texts[first]!r} in row {first}", "write numbers, or dates as 2026-11-29"
        raise DataError(f"'{time}' is no time in {int(moments.isna().sum()):,} rows", got=got, where="dataset.time", fix=fix)
    return rows.loc[moments.sort_values(kind="stable").index]
