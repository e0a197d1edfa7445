"""Sensitive features: from a raw column to the group of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from typing_extensions import NotRequired, TypedDict  # noqa: UP035 - pydantic needs this one before Python 3.12

from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError
from glassbench.rows.group_order import in_group_order
from glassbench.rows.pooled_groups import MOST_GROUPS
from glassbench.toolkit.cells.cells import Cells

_MOSTLY = 0.5
"""Share of values that are numbers from which a column is taken for one that bands can be cut of."""


class Band(TypedDict):
    """A sensitive number, cut into bands.

    Attributes:
        column: The column of numbers.
        bins: Where one band ends and the next starts, rising; the bound belongs to the upper band.
        name: What the feature is called; the column's name followed by `_band` otherwise.
    """

    column: str
    bins: list[float]
    name: NotRequired[str]


@dataclass(frozen=True, kw_only=True)
class GroupCode:
    """How a sensitive feature is read.

    Args:
        name: The feature.
        column: The raw column it comes from.
        bins: Bounds between bands, or None where each value is a group of its own.
        whole: Whether the column holds whole numbers, so that bands read "40 to 54".
        decimals: Digits after the point of the bounds in names of bands, with commas between thousands; None writes them plainly.
    """

    name: str
    column: str
    bins: tuple[float, ...] | None = None
    whole: bool = False
    decimals: int | None = None

    def told(self) -> dict[str, Any]:
        """Return what an export needs to read the feature, as `ExportedEncoder.preprocessing` says."""
        bins = None if self.bins is None else list(self.bins)
        names = None if self.bins is None else list(band_names(self.bins, self.whole, self.decimals))
        return {"name": self.name, "column": self.column, "bins": bins, "names": names}

    def groups(self, column: pd.Series, cells: Cells) -> pd.Series:
        """Return the group of each row, text; "missing" where there is no value."""
        codes, names = self._coded(column, cells)
        return pd.Series(np.array(names, dtype=object)[codes], index=column.index, name=self.name, dtype=object)

    def categories(self, column: pd.Series, cells: Cells) -> pd.Series:
        """Return the same as `groups`, each name kept once: categories of the groups that have rows, in the order of groups."""
        codes, names = self._coded(column, cells)
        present = [names[code] for code in np.flatnonzero(np.bincount(codes, minlength=len(names)))]
        shown = pd.Index(in_group_order(present), dtype=object)
        read = pd.Categorical.from_codes(shown.get_indexer(pd.Index(names, dtype=object))[codes], categories=shown)
        return pd.Series(read, index=column.index, name=self.name)

    def _coded(self, column: pd.Series, cells: Cells) -> tuple[np.ndarray, list[str]]:
        """Return the place of each row's group in a list of names `(n,)`, 0 or above; a name may stand in it twice."""
        if self.bins is None:
            codes, known = cells.coded(column)
            codes = np.where(codes < 0, len(known), codes) if (codes < 0).any() else codes
            return codes, [*(MISSING if name is None else name for name in known), MISSING]
        values = cells.numbers(column)
        bands = np.searchsorted(self.bins, values.fillna(self.bins[0]), side="right")
        names = band_names(self.bins, self.whole, self.decimals)
        return np.where(values.isna(), len(names), bands), [*names, MISSING]

    def read(self, column: pd.Series, cells: Cells) -> pd.Series:
        """Return the column as a person knows it: numbers where it is cut into bands, text elsewhere."""
        return cells.texts(column) if self.bins is None else cells.numbers(column)


def sensitive_name(feature: str | Band) -> str:
    """Return what a sensitive feature is called."""
    return feature if isinstance(feature, str) else feature.get("name", f"{feature['column']}_band")


def sensitive_column(feature: str | Band) -> str:
    """Return the raw column a sensitive feature comes from."""
    return feature if isinstance(feature, str) else feature["column"]


def group_code(feature: str | Band, frame: pd.DataFrame, cells: Cells, decimals: Mapping[str, int] | None = None) -> GroupCode:
    """Return how a sensitive feature is read from a table that has its column.

    Args:
        feature: A column's name, or a number cut into bands.
        frame: All rows.
        cells: How cells read.
        decimals: Digits after the point with which columns are shown.

    Raises:
        DataError: Bins are not rising, or cut what is no number; or there would be more than 10,000 groups.
    """
    if isinstance(feature, str):
        code = GroupCode(name=feature, column=feature)
        _refuse_many(code.categories(frame[feature], cells))
        return code
    column, bins = feature["column"], tuple(float(bound) for bound in feature["bins"])
    if not bins or list(bins) != sorted(set(bins)):
        fix = f"write them in rising order: {sorted(set(bins))}"
        raise DataError("bins must rise", got=str(feature["bins"]), where=f"dataset.sensitive.{column}", fix=fix)
    values = cells.numbers(frame[column]).dropna()
    whole = bool((values % 1 == 0).all()) and all(bound.is_integer() for bound in bins)
    digits = (decimals or {}).get(column)
    return GroupCode(name=sensitive_name(feature), column=column, bins=bins, whole=whole, decimals=digits)


def groups_of(codes: Sequence[GroupCode], raw: pd.DataFrame, cells: Cells) -> pd.DataFrame | None:
    """Return the group of each raw row, one column per feature whose column is there; None where none is."""
    found = [code for code in codes if code.column in raw.columns]
    if not found:
        return None
    columns = {code.name: code.groups(raw[code.column], cells) for code in found}
    return pd.DataFrame(columns).reset_index(drop=True)


def band_names(bins: tuple[float, ...], whole: bool, decimals: int | None = None) -> tuple[str, ...]:
    """Name the bands between bounds.

    Example:
        >>> band_names((40, 55), whole=True)
        ('under 40', '40 to 54', '55 and over')
        >>> band_names((30000, 60000.0), whole=False, decimals=0)
        ('under 30,000', '30,000 to under 60,000', '60,000 and over')
    """

    def written(bound: float) -> str:
        if decimals is not None:
            return f"{bound:,.{decimals}f}"
        return np.format_float_positional(bound, trim="-")

    between = [f"{written(a)} to {written(b - 1)}" if whole else f"{written(a)} to under {written(b)}" for a, b in pairwise(bins)]
    names = (f"under {written(bins[0])}", *between, f"{written(bins[-1])} and over")
    if len(set(names)) < len(names):
        fix = "allow more decimals, or move the bounds apart"
        raise DataError("two bands would have one name", got=", ".join(names), where="dataset.decimals", fix=fix)
    return names


def _refuse_many(groups: pd.Series) -> None:
    if len(groups.cat.categories) > MOST_GROUPS:
        numbers = pd.to_numeric(groups.astype(object), errors="coerce").notna().mean() > _MOSTLY
        bands = f"cut it into bands: dataset.sensitive=[{{column: {groups.name}, bins: [30, 50]}}]"
        raise DataError(
            f"the sensitive column '{groups.name}' has too many groups to compare",
            got=f"{len(groups.cat.categories)} different values, at most {MOST_GROUPS:,}",
            where="dataset.sensitive",
            fix=bands if numbers else "merge values first, or leave it out",
        )
