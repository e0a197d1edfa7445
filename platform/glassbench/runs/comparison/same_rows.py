"""Whether two runs were judged by the same rows, told from ids, truths, groups and weights, never from how many there are."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

_CONTENT = ("y_true", "cluster", "weight", "frequency")


@dataclass(frozen=True, eq=False, kw_only=True)
class SameRows:
    """How the rows of two runs relate.

    Args:
        kind: `same` rows, only some of them `shared`, or `independent`.
        words: The relation in one sentence.
        first, second: Positions of the rows that both have, in one order `(n,)`.
    """

    kind: Literal["same", "shared", "independent"]
    words: str
    first: np.ndarray
    second: np.ndarray


def same_rows(first: pd.DataFrame, second: pd.DataFrame, *, one_data_set: bool) -> SameRows:
    """Return how the rows of two frames of predictions relate.

    Args:
        first, second: Predictions, as in `predictions.parquet`.
        one_data_set: Whether the fingerprints of the data are the same.
    """
    ids = [frame["row"].astype(str) for frame in (first, second)]
    if any(each.duplicated().any() for each in ids):
        return _repeated(first, second, ids, one_data_set)
    places = pd.Index(ids[1]).get_indexer(pd.Index(ids[0]))
    ours, theirs = np.flatnonzero(places >= 0), places[places >= 0]
    if not len(ours):
        return _independent("the runs were judged by different rows")
    if (said := _unlike(first.iloc[ours], second.iloc[theirs], one_data_set)) is not None:
        return _independent(said)
    if len(ours) == len(first) == len(second):
        return SameRows(kind="same", words=f"both runs were judged by the same {len(ours):,} rows", first=ours, second=theirs)
    words = f"the runs share {len(ours):,} rows, of {len(first):,} and {len(second):,}"
    return SameRows(kind="shared", words=words, first=ours, second=theirs)


def _repeated(first: pd.DataFrame, second: pd.DataFrame, ids: list[pd.Series], one_data_set: bool) -> SameRows:
    """Compare rows whose ids repeat, such as several decisions about one text: place by place."""
    if not ids[0].reset_index(drop=True).equals(ids[1].reset_index(drop=True)):
        return _independent("row ids repeat and are not the same in both runs, so that rows cannot be matched")
    if (said := _unlike(first, second, one_data_set)) is not None:
        return _independent(said)
    places = np.arange(len(first))
    return SameRows(kind="same", words=f"both runs were judged by the same {len(first):,} rows", first=places, second=places)


def _unlike(first: pd.DataFrame, second: pd.DataFrame, one_data_set: bool) -> str | None:
    """Return what tells that rows of the same ids are not the same, or that nothing shows they are; else None."""
    groups = [str(column) for column in first if str(column).startswith("group.")]
    compared = [column for column in (*_CONTENT, *groups) if column in first and column in second]
    for column in compared:
        ours, theirs = (_texts(frame[column]) for frame in (first, second))
        if differing := int((ours != theirs).sum()):
            words = f"rows of the same id differ in '{column.removeprefix('group.')}' ({differing:,} of {len(ours):,})"
            return f"{words}, so that they are taken for different rows"
    for column in ("weight", "frequency", "cluster"):
        if (column in first) != (column in second):
            return f"only one of the runs knows the column '{column}' of its rows"
    if not compared and not one_data_set:
        return "row ids alone do not show that the rows are the same: the runs know neither truths nor groups, and other data"
    return None


def _texts(column: pd.Series) -> np.ndarray:
    known = column.notna().to_numpy()
    return np.where(known, column.astype(str).to_numpy(dtype=object), "")


def _independent(words: str) -> SameRows:
    nothing = np.array([], dtype=np.int64)
    return SameRows(kind="independent", words=words, first=nothing, second=nothing)
