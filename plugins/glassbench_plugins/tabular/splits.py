"""Which rows to learn from, which to stop by, which to be judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Division:
    """How rows are to be divided.

    Args:
        seed: Seed of what is drawn.
        validation: Share of the rows for validation, of the training rows where `given` holds testing rows; 0 for none.
        test: Share of the rows for testing, where `given` holds none.
        given: Row positions of parts that are decided already: train and test, and validation perhaps.
    """

    seed: int
    validation: float = 0.2
    test: float = 0.2
    given: Positions | None = None


def divide(target: pd.Series, division: Division, together: pd.Series | None = None) -> dict[Part, np.ndarray]:
    """Divide the rows; of those without a target, which can be decided and not learnt from, the test part has its share.

    Args:
        target: Text for classes, numbers for a value; absent where unknown `(n,)`.
        division: How.
        together: Rows with the same value here end up in the same part, or None.

    Returns:
        Row positions per part, ascending; rows without a target are in the test part or in none.

    Raises:
        DataError: Shares leave nothing to learn from, or there are too few rows.
    """
    _check_shares(division)
    known = target.notna().to_numpy()
    if division.given is None:
        train = 1 - division.validation - division.test
        shares: dict[Part, float] = {"train": train, "validation": division.validation, "test": division.test}
        parts = _draw(target, np.flatnonzero(known), shares, division.seed, together)
        return {**parts, "test": np.sort(np.concatenate([parts["test"], _undecided(~known, parts, division, together)]))}
    given = {part: rows if part == "test" else rows[known[rows]] for part, rows in division.given.items()}
    if "validation" in given or division.validation == 0:
        return given
    shares = {"train": 1 - division.validation, "validation": division.validation}
    return {**given, **_draw(target, given["train"], shares, division.seed, together)}


def _undecided(unknown: np.ndarray, parts: Positions, division: Division, together: pd.Series | None) -> np.ndarray:
    """Return the rows without a target that go into the test part: its share of them, and of each cluster all or none."""
    rows = np.flatnonzero(unknown)
    generator = np.random.default_rng([division.seed, 0x0BEE5])
    if together is None:
        return generator.permutation(rows)[: round(division.test * len(rows))]
    codes, names = pd.factorize(together, use_na_sentinel=False)
    lots = generator.random(len(names)) < division.test
    for part, held in parts.items():
        lots[codes[held]] = part == "test"
    return np.asarray(rows[lots[codes[rows]]])


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
    codes, names = pd.factorize(strata, sort=True)
    drawn: dict[Part, list[np.ndarray]] = {part: [] for part in wanted}
    done = 0
    for code in range(len(names)):
        rows = generator.permutation(np.flatnonzero(codes == code))
        done += len(rows)
        # What rounding owes a part after one stratum it gets with the next, so that the totals come out right too.
        owed = {part: round(share * done) - sum(map(len, drawn[part])) for part, share in wanted.items()}
        for part, piece in _divide(rows, owed).items():
            drawn[part].append(piece)
    return {part: np.sort(np.concatenate(pieces)) for part, pieces in drawn.items()}


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


def _draw(
    target: pd.Series, rows: np.ndarray, shares: Mapping[Part, float], seed: int, together: pd.Series | None
) -> dict[Part, np.ndarray]:
    """Divide some of the rows, stratified by the target."""
    known = target.iloc[rows]
    strata = value_strata(known.to_numpy()) if pd.api.types.is_float_dtype(known) else known.to_numpy()
    if together is None:
        return {part: rows[drawn] for part, drawn in stratified(strata, shares, seed).items()}
    # What belongs together is drawn as one, in the stratum of its first row.
    codes, _ = pd.factorize(together.iloc[rows], use_na_sentinel=False)
    _, first = np.unique(codes, return_index=True)
    drawn = stratified(strata[first], shares, seed)
    return {part: rows[np.isin(codes, chosen)] for part, chosen in drawn.items()}


def _divide(rows: np.ndarray, owed: Mapping[Part, int]) -> dict[Part, np.ndarray]:
    """Cut shuffled rows of one stratum into parts, each of at least one row; training rows are what remains."""
    counts = {part: max(1, count) for part, count in owed.items() if part != "train"}
    while sum(counts.values()) >= len(rows):
        counts[max(counts, key=lambda part: counts[part])] -= 1
    *pieces, rest = np.split(rows, np.cumsum(list(counts.values())))
    return {**dict(zip(counts, pieces, strict=True)), "train": rest}


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


def _check_shares(division: Division) -> None:
    train = 1 - division.validation - (division.test if division.given is None else 0)
    if division.validation < 0 or division.test <= 0 or train <= 0:
        raise DataError(
            "the shares leave nothing to learn from or nothing to be judged by",
            got=f"validation_share {division.validation:g}, test_share {division.test:g}",
            fix="choose shares above 0 that sum to less than 1; validation_share may be 0",
        )
