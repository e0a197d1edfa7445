"""Persons without an identifier: columns that together name what rows belong to, such as a birth year, a height and a postcode.

Columns that stay the same within a person agree together in pairs of rows of one person, and by chance only elsewhere. Sets of
columns are grown from pairs of columns that agree together more often than independent ones would, as long as the rows that
agree in a set agree in one more column; in the end rows that agree in all columns but one must agree in that one too, for all
columns but one at least.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench_audits.data.section import Section, percent, share

MOST_ROWS, MOST_COLUMNS, SEEDS = 20_000, 40, 10
"""Rows and columns that are searched, and pairs of columns from which sets are grown."""

COMMON, STABLE_BY_CHANCE = 0.2, 0.5
"""How often two rows agree by chance, at most, in a column that begins a set, and in one that is added."""

FEWEST_PAIRS, FEWEST_GROUPS, FEWEST_COLUMNS = 20, 10, 3
"""Pairs of rows, groups of rows and columns below which nothing is said."""

AFFECTED, LARGEST = 0.4, 0.1
"""Share of the rows that must lie in groups of several, and share of the rows that the largest group has at most."""

GROWS, LIFTED, STABLE = 0.3, 5.0, 0.7
"""Rows that agree in a young set agree in another column so often, and so many times as often as by chance; in the end they agree
in each column so often where they agree in the others."""

BEYOND_CHANCE, BEYOND_WITHOUT = 10.0, 3.0
"""Pairs that agree in the whole set, and in the set without any one column, must be so many times as many as independent columns
give: a column that is computed from two others adds nothing to them."""

SAME = 0.98
"""Rank correlation from which two columns are one in another unit."""

DECIDES = 0.99
"""Share of the pairs that agree in a column and in the whole set, from which the column names the groups by itself."""


@dataclass(frozen=True, eq=False, kw_only=True)
class QuasiIdentifier:
    """Columns that together name what several rows belong to.

    Args:
        columns: The columns.
        rows: Rows in groups of several.
        groups: Groups of several rows.
        alone: Whether one of the columns names the groups by itself, as a product or a town does with what describes it.
        codes: The group of each row `(n,)`, -1 where one of the columns has no value.
    """

    columns: tuple[str, ...]
    rows: int
    groups: int
    alone: bool
    codes: np.ndarray


def examine_quasi_identifiers(train: Split, held: Split, whole: pd.DataFrame, named: set[str]) -> Section:
    """Look for columns that together name persons with several rows, where no column does.

    Args:
        train, held: The splits.
        whole: All columns of both, the training rows first.
        named: Columns of which it was said already that they name what rows belong to.
    """
    if train.clusters is not None or held.clusters is not None:
        return Section()
    found = quasi_identifier(whole)
    if found is None or set(found.columns) & named:
        return Section(measures=(Measure(name="data.quasi_identified", value=0.0, n=len(whole), higher_is_better=False),))
    measures = [share("quasi_identified", found.rows, len(whole), higher_is_better=False)]
    known, seen = found.codes[: len(train)], found.codes[len(train) :]
    inside = np.isin(seen, known[known >= 0]) & (seen >= 0)
    if len(seen) and len(known):
        measures.append(share("shared_quasi_identified", int(inside.sum()), len(seen), higher_is_better=False))
    return Section(findings=(_said(found, measures),), measures=tuple(measures))


def quasi_identifier(frame: pd.DataFrame) -> QuasiIdentifier | None:
    """Return the set of columns that names most rows' owners, or None where no set does.

    Args:
        frame: Rows of persons, or of independent ones; absent values agree with nothing.
    """
    frame = frame.set_axis(frame.columns.astype(str), axis=1)
    part = frame if len(frame) <= MOST_ROWS else frame.sample(MOST_ROWS, random_state=0)
    codes = {str(name): _codes(part[name]) for name in frame.columns}
    chance = {name: _pairs(code) / max(1.0, len(part) * (len(part) - 1.0)) for name, code in codes.items()}
    codes = {name: codes[name] for name in sorted(codes, key=lambda n: chance[n]) if 0 < chance[name] <= STABLE_BY_CHANCE}
    codes = _without_doubles(dict(list(codes.items())[:MOST_COLUMNS]), part)
    grown = [found for seed in _seeds(codes, chance, len(part)) if (found := _grown(seed, codes, chance, len(part))) is not None]
    grown = [names for names in grown if not _computed(part[list(names)])]
    if not grown:
        return None
    best = max(grown, key=lambda names: (_pairs(_joined([codes[n] for n in names])), len(names)))
    joint = _joined([codes[n] for n in best])
    alone = any(_pairs(joint) >= DECIDES * _pairs(codes[name]) for name in best)
    whole = joint if part is frame else _joined([_codes(frame[name]) for name in best])
    sizes = np.bincount(whole[whole >= 0])
    return QuasiIdentifier(
        columns=best, rows=int(sizes[sizes > 1].sum()), groups=int((sizes > 1).sum()), alone=alone, codes=whole
    )


def _codes(column: pd.Series) -> np.ndarray:
    return np.asarray(pd.factorize(column)[0])


def _pairs(codes: np.ndarray) -> float:
    """Return how many ordered pairs of rows agree."""
    sizes = np.bincount(codes[codes >= 0]).astype(float)
    return float((sizes * (sizes - 1)).sum())


def _joined(columns: list[np.ndarray]) -> np.ndarray:
    """Return a number for each combination of values, -1 where one is absent."""
    joint = columns[0].astype(np.int64)
    for codes in columns[1:]:
        both = np.where((joint >= 0) & (codes >= 0), joint * (int(codes.max(initial=0)) + 2) + codes, -1)
        values, joint = np.unique(both, return_inverse=True)
        joint = joint - int(values[0] == -1)
    return joint


def _without_doubles(codes: dict[str, np.ndarray], frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the columns without those that are another one in another unit, or under other names."""
    numbers = [name for name in codes if pd.api.types.is_numeric_dtype(frame[name])]
    alike = frame[numbers].astype(float).rank().corr(min_periods=FEWEST_PAIRS).abs().to_numpy()
    kept: dict[str, np.ndarray] = {}
    for name, code in codes.items():
        if name in numbers:
            place = numbers.index(name)
            double = any(other in numbers and alike[place, numbers.index(other)] >= SAME for other in kept)
        else:
            double = any(_pairs(code) == _pairs(theirs) == _pairs(_joined([code, theirs])) for theirs in kept.values())
        if not double:
            kept[name] = code
    return kept


def _seeds(codes: dict[str, np.ndarray], chance: dict[str, float], rows: int) -> list[tuple[str, ...]]:
    """Return the pairs of columns that agree together most often, against independent ones."""
    names = [name for name in codes if chance[name] <= COMMON]
    found = []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            together = _pairs(_joined([codes[a], codes[b]]))
            if together >= FEWEST_PAIRS:
                found.append((together / (rows * (rows - 1.0) * chance[a] * chance[b]), (a, b)))
    return [pair for _, pair in sorted(found, reverse=True)[:SEEDS]]


def _grown(seed: tuple[str, ...], codes: dict[str, np.ndarray], chance: dict[str, float], rows: int) -> tuple[str, ...] | None:
    """Return the columns that rows agreeing in the seed agree in too, where they name groups of rows; else None."""
    names, joint = seed, _joined([codes[n] for n in seed])
    while True:
        pairs = max(_pairs(joint), 1.0)
        young = len(names) < FEWEST_COLUMNS
        agree = {n: _pairs(_joined([joint, codes[n]])) / pairs for n in codes if n not in names}
        fit = {n: a for n, a in agree.items() if a >= (GROWS if young else STABLE) and (not young or a > LIFTED * chance[n])}
        if not fit:
            break
        added = max(fit, key=lambda n: fit[n])
        names, joint = (*names, added), _joined([joint, codes[added]])
    return names if _names_groups(names, joint, codes, chance, rows) else None


def _names_groups(
    names: tuple[str, ...], joint: np.ndarray, codes: dict[str, np.ndarray], chance: dict[str, float], rows: int
) -> bool:
    sizes = np.bincount(joint[joint >= 0])
    if len(names) < FEWEST_COLUMNS or (sizes > 1).sum() < FEWEST_GROUPS or sizes.max() > LARGEST * rows:
        return False
    pairs, independent = _pairs(joint), rows * (rows - 1.0) * float(np.prod([chance[n] for n in names]))
    if sizes[sizes > 1].sum() < AFFECTED * rows or pairs < max(FEWEST_PAIRS, BEYOND_CHANCE * independent):
        return False
    stable = 0
    for left in names:
        without = _pairs(_joined([codes[n] for n in names if n != left]))
        if pairs >= STABLE * without:
            stable += 1
            if without < BEYOND_WITHOUT * independent / max(chance[left], 1e-12):
                return False
    return stable >= len(names) - 1


def _computed(frame: pd.DataFrame) -> bool:
    """Whether a number among these columns is a sum, or a product, of powers of the others, as a ratio or an index is."""
    numbers = frame.select_dtypes("number").dropna().drop_duplicates().to_numpy(dtype=float)
    for values in (numbers, np.log(numbers[(numbers > 0).all(axis=1)])):
        values = values[:, np.ptp(values, axis=0) > 0] if len(values) >= FEWEST_PAIRS else values[:, :0]
        if values.shape[1] < FEWEST_COLUMNS:
            continue
        inverse = np.linalg.pinv(np.atleast_2d(np.corrcoef(values, rowvar=False)))
        if (1 - 1 / np.maximum(np.diag(inverse), 1.0) >= SAME).any():
            return True
    return False


def _said(found: QuasiIdentifier, measures: list[Measure]) -> Finding:
    names = f"{', '.join(found.columns[:-1])} and {found.columns[-1]}"
    said = (
        f"{found.rows:,} of {measures[0].n:,} rows agree with others in {names} together, in {found.groups:,} groups, far more "
        "than independent columns give: these may be rows of one person or another unit."
    )
    crossing = measures[1] if len(measures) > 1 and measures[1].value else None
    if crossing is not None:
        count = round((crossing.value or 0) * (crossing.n or 0))
        said += (
            f" {count:,} of {crossing.n:,} held-out rows ({percent(crossing)}) agree so with a training row: the model may have "
            "learnt who they are, and figures on held-out rows flatter it."
        )
    said += (
        " Rows of one person are not independent, and intervals are too sure: join these columns into one and name it as the "
        f"cluster (cluster: {found.columns[0]}_{found.columns[1]})."
    )
    leaks = crossing is not None and not found.alone
    return Finding(
        sentence=said,
        grade="concern" if leaks else "unclear",
        measures=tuple(m.name for m in measures),
        weight=0.7 if leaks else 0.5,
        next_step="Name these columns as the cluster, and run again.",
    )
