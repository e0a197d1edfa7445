"""Which rows to learn from, which to stop by, which to be judged by."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from glassbench.contracts.data import Treatment
from glassbench.errors import DataError
from glassbench.toolkit.splits.folds import Fold, check_fold, dealt

Part = Literal["train", "validation", "test"]
Positions = Mapping[Part, np.ndarray]

_FEWEST = 20
_FEW_CLUSTERS = 50
_SHOWN = 5
_WHERE = "dataset.split"


@dataclass(frozen=True, eq=False, kw_only=True)
class Division:
    """How rows are to be divided.

    Args:
        seed: Seed of what is drawn.
        validation: Share of the rows for validation, of the training rows where `given` holds testing rows; 0 for none.
        test: Share of the rows for testing, where `given` holds none.
        given: Row positions of parts that are decided already: train and test, and validation perhaps.
        together: The column whose rows with the same value go into the same part, or None.
        fold: The fold of cross-validation that is for testing, in place of the share `test`; None without cross-validation.
        words: How the rows are divided, for a person, where it is not simply at random.
        columns: Columns that decide, and are no inputs.
        strata: What rows are stratified by, for a person; empty where they are drawn from all at once.
    """

    seed: int
    validation: float = 0.2
    test: float = 0.2
    given: Positions | None = None
    together: str | None = None
    fold: Fold | None = None
    words: str = ""
    columns: tuple[str, ...] = ()
    strata: str = "the target"

    def treatments(self, parts: Positions, clusters: pd.Series | None = None) -> list[Treatment]:
        """Record how rows were divided where that was asked for, and how many clusters are in several parts.

        Args:
            parts: Row positions per part.
            clusters: What each row belongs to `(n,)`, or None.
        """
        said = [self.sentence(parts)] if self.words or self.fold is not None else []
        if clusters is not None and (several := in_several([set(clusters.iloc[rows]) for rows in parts.values()])):
            said.append(f"{several:,} clusters have rows in several parts, so the parts are not independent")
        return [Treatment(action="divided", sentence=sentence) for sentence in said]

    @property
    def how(self) -> str:
        """How the rows are divided, to be said behind "divided"."""
        drawn = f"at random, stratified by {self.strata}" if self.strata else "at random"
        return f"{self.words or drawn}{'' if self.fold is None else _fold_words(self.fold)}"

    def sentence(self, parts: Positions) -> str:
        """Say how rows were divided into parts of which size."""
        counts = ", ".join(f"{len(rows):,} {part}" for part, rows in parts.items())
        return f"rows were divided {self.how}; {counts}"


def _fold_words(fold: Fold) -> str:
    outer, inner = f"fold {fold['number'] + 1} of {fold['of']}", fold.get("inner")
    if inner is None:
        return f"; {outer} is for testing"
    return f"; {outer} is left out, and fold {inner['number'] + 1} of {inner['of']} of the others is for testing"


def in_several(held: Sequence[set[Any]]) -> int:
    """Return how many names are in several sets."""
    counts = Counter(name for names in held for name in names)
    return sum(times > 1 for times in counts.values())


def divide(
    target: pd.Series, division: Division, together: pd.Series | None = None, *, undecided: bool = False
) -> dict[Part, np.ndarray]:
    """Divide the rows.

    Args:
        target: Text for classes, numbers for a value; absent where unknown `(n,)`.
        division: How.
        together: Rows with the same value here end up in the same part, or None.
        undecided: Whether the test part has its share of the rows without a target, which can be decided and not learnt from;
            else they are in no part.

    Returns:
        Row positions per part, ascending.

    Raises:
        DataError: Shares leave nothing to learn from, there are too few rows, or a part lacks rows or classes.
    """
    _check_shares(division)
    if division.fold is not None and division.given is not None:
        raise DataError("the test rows are given, so there are no folds", where="dataset.fold", fix="leave `fold` out")
    known = target.notna().to_numpy()
    if division.given is None:
        train = 1 - division.validation - division.test
        shares: dict[Part, float] = {"train": train, "validation": division.validation, "test": division.test}
        rows = np.flatnonzero(known)
        parts = (
            _draw(target, rows, shares, division.seed, together)
            if division.fold is None
            else _fold(target, rows, division, together)
        )
        if not undecided:
            return parts
        return {**parts, "test": np.sort(np.concatenate([parts["test"], _undecided(~known, parts, division, together)]))}
    given = {part: rows if undecided and part == "test" else rows[known[rows]] for part, rows in division.given.items()}
    if "validation" not in given and division.validation > 0:
        shares = {"train": 1 - division.validation, "validation": division.validation}
        given = {**given, **_draw(target, given["train"], shares, division.seed, together)}
    _check_parts(target, given)
    return given


def _undecided(unknown: np.ndarray, parts: Positions, division: Division, together: pd.Series | None) -> np.ndarray:
    """Return the rows without a target that go into the test part: its share of them, and of each cluster all or none."""
    rows = np.flatnonzero(unknown)
    generator = np.random.default_rng([division.seed, 0x0BEE5])
    if together is None:
        drawn = generator.permutation(rows)
        return (
            drawn[: round(division.test * len(rows))]
            if division.fold is None
            else drawn[division.fold["number"] :: division.fold["of"]]
        )
    codes, names = pd.factorize(together, use_na_sentinel=False)
    drawn = generator.random(len(names))
    fold = division.fold
    lots = np.asarray(drawn < division.test if fold is None else np.floor(drawn * fold["of"]) == fold["number"])
    for part, held in parts.items():
        lots[codes[held]] = part == "test"
    return np.asarray(rows[lots[codes[rows]]])


def _fold(target: pd.Series, rows: np.ndarray, division: Division, together: pd.Series | None) -> dict[Part, np.ndarray]:
    """Divide some of the rows so that the test part is a fold, and validation rows have their share of all rows."""
    fold = division.fold
    assert fold is not None
    check_fold(fold)
    held = None if together is None else pd.factorize(together.iloc[rows], use_na_sentinel=False)[0]
    test = dealt(_strata(target.iloc[rows]), fold["of"], division.seed, held) == fold["number"]
    validation, inner = division.validation / (1 - 1 / fold["of"]), fold.get("inner")
    if inner is not None:
        rows, held = rows[~test], None if held is None else held[~test]
        test = dealt(_strata(target.iloc[rows]), inner["of"], division.seed, held) == inner["number"]
        validation /= 1 - 1 / inner["of"]
    if validation >= 1:
        got = f"validation {division.validation:g}, {fold['of']} folds"
        raise DataError("the shares leave nothing to learn from", got=got, where="dataset.fold", fix="a smaller validation share")
    shares: dict[Part, float] = {"train": 1 - validation, "validation": validation}
    parts: dict[Part, np.ndarray] = {"train": rows[~test]}
    if validation:
        parts = _draw(target, rows[~test], shares, division.seed, together)
    parts["test"] = rows[test]
    _check_parts(target, parts)
    return parts


def _strata(known: pd.Series) -> np.ndarray:
    """Return the stratum of each row: its class, or the band of its value."""
    return value_strata(known.to_numpy()) if pd.api.types.is_float_dtype(known) else np.asarray(known.to_numpy())


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


def _draw(
    target: pd.Series, rows: np.ndarray, shares: Mapping[Part, float], seed: int, together: pd.Series | None
) -> dict[Part, np.ndarray]:
    """Divide some of the rows, stratified by the target."""
    known = target.iloc[rows]
    strata = _strata(known)
    if together is None:
        return {part: rows[drawn] for part, drawn in stratified(strata, shares, seed).items()}
    codes, _ = pd.factorize(together.iloc[rows], use_na_sentinel=False)
    if codes.max(initial=-1) < _FEW_CLUSTERS:
        drawn = balanced(strata, codes, shares, seed)
        found = {part: rows[np.isin(codes, chosen)] for part, chosen in drawn.items()}
        _check_parts(target, found)
        return found
    # Many clusters are drawn as one row each, in the stratum of the first of their rows.
    _, first = np.unique(codes, return_index=True)
    drawn = stratified(strata[first], shares, seed)
    return {part: rows[np.isin(codes, chosen)] for part, chosen in drawn.items()}


def balanced(strata: np.ndarray, clusters: np.ndarray, shares: Mapping[Part, float], seed: int) -> dict[Part, np.ndarray]:
    """Divide a few clusters so that rows and strata of the parts come near their shares.

    Large clusters are placed first, the rest in random order, each where it brings the counts nearest to those wanted.

    Args:
        strata: Stratum of each row `(n,)`.
        clusters: Cluster of each row `(n,)`, from 0.
        shares: Share of each part; parts of share 0 get none.
        seed: Seed of the order.

    Returns:
        Clusters per part.

    Raises:
        DataError: There are fewer than 20 rows, or fewer clusters than parts.
    """
    wanted = {part: share for part, share in shares.items() if share > 0}
    sizes = np.bincount(clusters)
    if len(clusters) < _FEWEST or len(sizes) < len(wanted):
        raise DataError(
            "the data set is too small to split",
            got=f"{len(clusters)} rows in {len(sizes)} clusters, for {len(wanted)} parts",
            fix=f"at least {_FEWEST} rows are needed, and a cluster for each part",
        )
    counts = pd.crosstab(clusters, pd.factorize(strata, sort=True)[0]).to_numpy(dtype=float)
    goals = np.outer(list(wanted.values()), counts.sum(axis=0))
    order = np.random.default_rng([seed, 0x5B117]).permutation(len(sizes))
    large = sizes[order] > goals.sum(axis=1).min() / 2
    order = np.concatenate([order[large][np.argsort(-sizes[order][large], kind="stable")], order[~large]])
    held = np.zeros_like(goals)
    drawn: dict[Part, list[int]] = {part: [] for part in wanted}
    names = list(wanted)
    for done, cluster in enumerate(order):
        off = (held - goals) / counts.sum(axis=0)
        cost = ((off + counts[cluster] / counts.sum(axis=0)) ** 2 - off**2).sum(axis=1)
        empty = [i for i, name in enumerate(names) if not drawn[name]]
        open_to = empty if len(order) - done <= len(empty) else range(len(names))
        best = min(open_to, key=lambda i: cost[i])
        held[best] += counts[cluster]
        drawn[names[best]].append(int(cluster))
    return {part: np.array(sorted(chosen)) for part, chosen in drawn.items()}


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


def _check_parts(target: pd.Series, parts: Positions) -> None:
    """Refuse parts that are empty, and training rows that lack a class."""
    for part, rows in parts.items():
        if not target.iloc[rows].notna().any():
            raise DataError(f"no row with a known target is in the {part} part", where=_WHERE, fix="divide the rows otherwise")
    _check_classes(target, "train", parts["train"], fewest=len(_classes(target)))


def check_judged(target: pd.Series, parts: Positions) -> None:
    """Refuse test rows of one class alone: nothing can be told apart on them.

    Args:
        target: Text for classes, numbers for a value `(n,)`.
        parts: Row positions per part.

    Raises:
        DataError: They are of one class while there are several.
    """
    _check_classes(target, "test", parts["test"], fewest=min(2, len(_classes(target))))


def _classes(target: pd.Series) -> list[str]:
    return [] if pd.api.types.is_float_dtype(target) else sorted(map(str, target.dropna().unique()))


def _check_classes(target: pd.Series, part: Part, rows: np.ndarray, *, fewest: int) -> None:
    held = sorted(map(str, target.iloc[rows].dropna().unique()))
    if fewest and len(held) < fewest:
        lacking = next(name for name in _classes(target) if name not in held)
        raise DataError(
            f"the {part} part has no row of the class '{lacking}'",
            where=_WHERE,
            got=f"{len(rows):,} rows, of {', '.join(held[:_SHOWN])} alone",
            fix="move the bounds between the parts, or divide the rows otherwise",
        )


def _check_shares(division: Division) -> None:
    if division.fold is not None:
        return
    train = 1 - division.validation - (division.test if division.given is None else 0)
    if division.validation < 0 or division.test <= 0 or train <= 0:
        raise DataError(
            "the shares leave nothing to learn from or nothing to be judged by",
            got=f"validation {division.validation:g}, test {division.test:g}",
            fix="choose shares above 0 that sum to less than 1; validation may be 0",
        )
