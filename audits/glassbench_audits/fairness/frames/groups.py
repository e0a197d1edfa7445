"""Groups: the values of a sensitive feature, or of several together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Any, cast

import numpy as np
import pandas as pd

from glassbench.contracts.schema import MISSING
from glassbench.rows.group_order import in_group_order


@dataclass(frozen=True, eq=False, kw_only=True)
class Column:
    """One sensitive feature of n rows.

    Args:
        name: The feature.
        values: Its values in words, `(g,)`.
        codes: Which value each row has, unsigned integers `(n,)`.
    """

    name: str
    values: tuple[str, ...]
    codes: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Group:
    """One value of a sensitive feature, or of several together."""

    by: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def label(self) -> str:
        """The values alone: "female & Black"."""
        return " & ".join(self.values)

    @property
    def words(self) -> str:
        """Features and values: "sex female and race Black"."""
        return " and ".join(_words(name, value) for name, value in zip(self.by, self.values, strict=True))

    @property
    def mapping(self) -> Mapping[str, str]:
        """The group as a measure names it."""
        return dict(zip(self.by, self.values, strict=True))


def columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Return the sensitive features of a frame `(n, sensitive)`; an absent value becomes the group "missing"."""
    return tuple(_column(str(name), frame[name]) for name in frame.columns)


def feature_sets(names: Sequence[str], depth: int) -> Iterator[tuple[int, ...]]:
    """Yield the positions of each feature, then of each combination of up to `depth` features.

    Example:
        >>> list(feature_sets(("sex", "race"), 2))
        [(0,), (1,), (0, 1)]
    """
    for size in range(1, max(1, depth) + 1):
        yield from combinations(range(len(names)), size)


def product_groups(features: Sequence[Column]) -> tuple[Group, ...]:
    """Return every combination of the features' values, the last feature varying fastest."""
    by = tuple(f.name for f in features)
    grid = np.indices([len(f.values) for f in features]).reshape(len(features), -1).T
    return tuple(Group(by=by, values=tuple(f.values[i] for f, i in zip(features, row, strict=True))) for row in grid.tolist())


def mixed(codes: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
    """Return one code per row for a combination, the last varying fastest, in the smallest type that holds it."""
    kind = np.min_scalar_type(max(prod(sizes) - 1, 0))
    total = codes[0].astype(kind)
    for code, size in zip(codes[1:], sizes[1:], strict=True):
        total *= kind.type(size)
        total += code.astype(kind, copy=False)
    return total


def _words(name: str, value: str) -> str:
    """Name the feature unless the value does so itself ("sex 1" of the feature sex)."""
    return f"“{value}”" if value.lower().startswith(name.lower()) else f"{name} “{value}”"


def _column(name: str, series: pd.Series) -> Column:
    if isinstance(series.dtype, pd.CategoricalDtype):
        held = cast(pd.Categorical, series.array)  # `series.cat.codes` would copy them
        codes, values = held.codes, [str(v) for v in held.categories]
    else:
        raw, uniques = pd.factorize(series, use_na_sentinel=True)
        words = np.array([str(v) for v in uniques], dtype=object)
        ranks = {word: rank for rank, word in enumerate(in_group_order(words))}
        order = np.argsort([ranks[word] for word in words], kind="stable") if len(words) else np.array([], dtype=int)
        place = np.empty(len(order) + 1, dtype=np.int64)
        place[order] = np.arange(len(order))
        place[-1] = -1
        codes, values = place[raw], [str(w) for w in words[order]]
    return _merged(name, codes, values)


def _merged(name: str, codes: np.ndarray, values: list[str]) -> Column:
    """Give absent values their group and merge values that read the same."""
    if codes.min(initial=0) < 0:
        values = [*values, MISSING]
        codes = np.where(codes < 0, len(values) - 1, codes)
    distinct = in_group_order(values)
    if len(distinct) < len(values):
        codes = np.array([distinct.index(v) for v in values])[codes]
        values = distinct
    kind = np.min_scalar_type(max(len(values) - 1, 0))
    return Column(name=name, values=tuple(values), codes=unsigned(codes, kind))


def unsigned(codes: np.ndarray, kind: np.dtype[np.unsignedinteger[Any]]) -> np.ndarray:
    """Return codes of 0 and more in an unsigned type, without a copy where they are as wide already.

    Args:
        codes: Whole numbers `(n,)`.
        kind: The type.
    """
    return codes.view(kind) if codes.dtype.kind in "iu" and codes.itemsize == kind.itemsize else codes.astype(kind)
