"""Which rows to learn from, which to stop by, which to be judged by."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from glassbench.errors import DataError

Part = Literal["train", "validation", "test"]
Positions = Mapping[Part, np.ndarray]

_FEWEST = 20
_PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "holdout": "test",
}


def stratified(strata: np.ndarray, shares: Mapping[Part, float], seed: int) -> dict[Part, np.ndarray]:
    """Divide rows at random so that every part has about its share of every stratum, and at least one row of it.

    Args:
        strata: Stratum of each row `(n,)`: its class, or a band of its value.
        shares: Share of each part, which sum to 1; parts of share 0 get no rows.
        seed: Seed of the division.

    Returns:
        Row positions per part, ascending.

    Raises:
        DataError: There are fewer than 20 rows, or fewer rows of a stratum than parts.
    """
    wanted = {part: share for part, share in shares.items() if share > 0}
    _refuse_small(strata, len(wanted))
    generator = np.random.default_rng([seed, 0x5B117])
    codes, _ = pd.factorize(strata, sort=True)
    drawn = [_divide(generator.permutation(np.flatnonzero(codes == code)), wanted) for code in range(codes.max() + 1)]
    return {part: np.sort(np.concatenate([rows[part] for rows in drawn])) for part in wanted}


def value_strata(values: np.ndarray) -> np.ndarray:
    """Return the band of each value `(n,)`: tenths by rank, fewer where rows are few."""
    ranks = pd.Series(values).rank(method="first").to_numpy() - 1
    bands = min(10, max(1, len(values) // 10))
    return np.asarray(ranks * bands // len(values), dtype=np.int64)


def named_parts(column: pd.Series) -> dict[Part, np.ndarray]:
    """Divide rows by a column that names the part of each.

    Raises:
        DataError: It holds another name, or no row is for training or none for testing.
    """
    names = column.astype("string").str.strip().str.lower()
    unknown = sorted({str(name) for name in names.unique()} - set(_PARTS))
    if unknown:
        raise DataError(
            f"column '{column.name}' does not say which part a row belongs to",
            got=", ".join(unknown[:5]),
            available=list(_PARTS),
            where="dataset.split_column",
        )
    parts = names.map(_PARTS).to_numpy()
    found: dict[Part, np.ndarray] = {part: np.flatnonzero(parts == part) for part in dict.fromkeys(_PARTS.values())}
    for part in ("train", "test"):
        if not len(found[part]):
            raise DataError(f"column '{column.name}' names no row for '{part}'", where="dataset.split_column")
    return {part: rows for part, rows in found.items() if len(rows)}


def _divide(rows: np.ndarray, shares: Mapping[Part, float]) -> dict[Part, np.ndarray]:
    """Cut shuffled rows of one stratum into parts, each of at least one row."""
    counts = {part: max(1, round(share * len(rows))) for part, share in shares.items() if part != "train"}
    while sum(counts.values()) >= len(rows):
        counts[max(counts, key=lambda part: counts[part])] -= 1
    cuts = np.cumsum(list(counts.values()))
    pieces = np.split(rows, cuts)
    return {**dict(zip(counts, pieces[:-1], strict=True)), "train": pieces[-1]}


def _refuse_small(strata: np.ndarray, parts: int) -> None:
    if len(strata) < _FEWEST:
        raise DataError(
            "the data set is too small to split",
            got=f"{len(strata)} rows",
            fix=f"at least {_FEWEST} rows are needed to learn from some and be judged by others",
        )
    counts = pd.Series(strata).value_counts()
    if counts.min() < parts:
        raise DataError(
            f"the class '{counts.idxmin()}' is too small to split",
            got=f"{int(counts.min())} rows of it for {parts} parts",
            fix="merge it with another class, or leave its rows out",
        )
