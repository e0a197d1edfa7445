"""Sensitive features with very many groups: the largest are kept, the rest is pooled."""

from dataclasses import replace

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data, Episodes, Split

SHOWN = 50
"""The most groups of one feature, the pooled one included: what a person can read and a comparison can tell apart."""

MOST_GROUPS = 10_000
"""Groups of one feature beyond which its values are no groups of people."""

POOLED = "other groups"


def with_pooled_groups(data: Data) -> Data:
    """Return data in which each sensitive feature has at most 50 groups: the 49 largest of the rows to be judged, and the others.

    The notes say how many groups and rows were pooled. The same data where no feature has more.
    """
    if not isinstance(data.test, Split) or data.test.groups is None:
        return data
    notes, kept = [], dict[str, frozenset[str]]()
    for name in map(str, data.test.groups):
        sizes = _sizes(data.test, name)
        if len(sizes) > SHOWN:
            kept[name] = frozenset(sizes.index[: SHOWN - 1])
            rest = sizes.iloc[SHOWN - 1 :]
            notes.append(
                f"'{name}' has {len(sizes):,} groups: the {SHOWN - 1} largest are shown, the other {len(rest):,} with "
                f"{int(rest.sum()):,} rows are pooled as “{POOLED}”{_hint(sizes)}"
            )
    if not kept:
        return data
    train, validation, test = (_pooled(part, kept) for part in (data.train, data.validation, data.test))
    assert train is not None
    assert test is not None
    return replace(data, train=train, validation=validation, test=test, notes=(*data.notes, *notes))


def _hint(sizes: pd.Series) -> str:
    numbers = pd.to_numeric(pd.Series(sizes.index), errors="coerce").notna().mean() > 0.5
    return "; they look like numbers, which are better cut into bands" if numbers else ""


def _sizes(split: Split, name: str) -> pd.Series:
    """Return the rows of each group, largest first; of groups of one size in the order of their names."""
    assert split.groups is not None
    held = pd.Series(np.ones(len(split.groups), dtype=np.int64) if split.frequency is None else split.frequency)
    return held.groupby(split.groups[name].astype(str).to_numpy()).sum().sort_values(ascending=False, kind="stable")


def _pooled(split: Split | Episodes | None, kept: dict[str, frozenset[str]]) -> Split | Episodes | None:
    if not isinstance(split, Split) or split.groups is None:
        return split
    columns = {}
    for name in map(str, split.groups):
        texts = split.groups[name].astype(str)
        columns[name] = texts.where(texts.isin(kept[name]), POOLED) if name in kept else split.groups[name]
    return replace(split, groups=pd.DataFrame(columns))
