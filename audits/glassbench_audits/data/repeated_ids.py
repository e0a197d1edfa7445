"""Rows of one person that are taken for independent: identifiers that repeat, and those that both splits share."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench.rows.identifiers import identifies
from glassbench_audits.data.quasi_identifiers import examine_quasi_identifiers
from glassbench_audits.data.section import Section, percent, share

FEWEST = 10
"""Different values below which a column names kinds of rows, not persons."""

MOST_ROWS = 0.1
"""Share of the rows that the commonest value of an identifier has at most."""

STABLE, VARYING = 0.95, 0.5
"""Other columns are the same within values that repeat, in this share of them; by chance in at most this share."""

FEW_COLUMNS = 2
"""So many other columns must be stable for a column that is not named like an identifier."""


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """A column that names what rows belong to, several rows each.

    Args:
        name: The column.
        rows: Rows that have a value.
        values: Different values.
        stable: Other columns that are the same in all rows of nearly every value.
        named: Whether its name says that it is an identifier.
    """

    name: str
    rows: int
    values: int
    stable: tuple[str, ...]
    named: bool


def examine_repeated_ids(train: Split, held: Split, known: pd.DataFrame, seen: pd.DataFrame) -> Section:
    """Look for persons with several rows, where the data set names no cluster, and for persons in both splits.

    Args:
        train, held: The splits.
        known, seen: Their named features.
    """
    parts = everything(train, known), everything(held, seen)
    whole = pd.concat(parts, ignore_index=True)
    repeated = [] if train.clusters is not None or held.clusters is not None else repeated_ids(whole)
    findings, measures = [_said(one) for one in repeated], []
    measures.append(Measure(name="data.repeated_ids", value=float(len(repeated)), n=len(whole), higher_is_better=False))
    ids = {one.name: tuple(part[one.name] for part in parts) for one in repeated}
    if train.clusters is not None and held.clusters is not None:
        ids = {"cluster": (pd.Series(train.clusters), pd.Series(held.clusters))}
    beyond = examine_quasi_identifiers(train, held, whole, {one.name for one in repeated})
    shared = max((_shared(name, *columns) for name, columns in ids.items()), key=lambda one: one[1].value or 0, default=None)
    if shared is not None and len(held) and len(train):
        measures.append(shared[1])
        named = not any(one.name == shared[0] and not one.named for one in repeated)
        findings += [_both(*shared, named=named)] if shared[1].value else []
    return Section(findings=(*findings, *beyond.findings), measures=(*measures, *beyond.measures))


def everything(split: Split, features: pd.DataFrame) -> pd.DataFrame:
    """Return all columns of a split that have names: features, groups, and what came beside them; each as it can be compared."""
    columns = {str(name): features[name] for name in features.columns}
    for frame in (split.raw, split.groups, split.beside):
        if frame is not None:
            columns = {**{str(name): frame[name].reset_index(drop=True) for name in frame.columns}, **columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(split)))


def repeated_ids(frame: pd.DataFrame) -> list[Repeated]:
    """Return the columns whose values name what several rows belong to, those named like identifiers first."""
    codes = {str(name): pd.factorize(frame[name])[0] for name in frame.columns}
    found = []
    for name in frame.columns:
        named = identifies(str(name))
        if not _could_be(frame[name], codes[str(name)], named=named):
            continue
        stable = _stable(codes, str(name))
        if named or len(stable) >= max(FEW_COLUMNS, len(codes) // 3):
            there = codes[str(name)][codes[str(name)] >= 0]
            found.append(Repeated(name=str(name), rows=len(there), values=len(np.unique(there)), stable=stable, named=named))
    return sorted(found, key=lambda one: (not one.named, -len(one.stable)))


def _could_be(column: pd.Series, codes: np.ndarray, *, named: bool) -> bool:
    """Whether values repeat, are many, and none is common; whole numbers or texts."""
    there = codes[codes >= 0]
    counts = np.bincount(there) if len(there) else np.zeros(0)
    many, repeats = len(counts) >= FEWEST, float((counts[counts > 1]).sum()) >= 0.05 * max(1, len(there))
    if not (many and repeats and counts.max() <= max(MOST_ROWS * len(there), 2)):
        return False
    if pd.api.types.is_float_dtype(column):
        values = column.dropna()
        if not bool((values % 1 == 0).all()):
            return False
    return named or len(counts) >= 0.02 * len(there)


def _stable(codes: dict[str, np.ndarray], name: str) -> tuple[str, ...]:
    """Return other columns that hardly ever vary within a value that repeats, and would do so by chance."""
    own = codes[name]
    sizes = np.bincount(own[own >= 0])
    rows = (own >= 0) & (sizes[np.maximum(own, 0)] > 1)
    by = own[rows]
    generator = np.random.default_rng(0)
    shuffled = generator.permutation(by)
    found = []
    for other, values in codes.items():
        if other == name:
            continue
        if _constant(by, values[rows]) >= STABLE and _constant(shuffled, values[rows]) <= VARYING:
            found.append(other)
    return tuple(found)


def _constant(by: np.ndarray, values: np.ndarray) -> float:
    """Return the share of groups of rows in which a column has one value."""
    frame = pd.Series(values).groupby(by).agg(["min", "max"])
    return float((frame["min"] == frame["max"]).mean()) if len(frame) else 0.0


def _said(one: Repeated) -> Finding:
    stable = f", and {', '.join(one.stable[:3])} stay the same within each" if one.stable else ""
    said = (
        f"{one.name} repeats: {one.rows:,} rows have {one.values:,} different values{stable}. If it names a person or "
        f"another unit, these rows are not independent, and intervals and p-values are too sure: "
        f"name it as the cluster (cluster: {one.name})."
    )
    return Finding(sentence=said, grade="unclear", measures=("data.repeated_ids",), weight=0.65 if one.named else 0.45)


def _shared(name: str, known: pd.Series, seen: pd.Series) -> tuple[str, Measure]:
    inside = seen.isin(set(known.dropna())) & seen.notna()
    return name, share("shared_ids", int(inside.sum()), len(seen), higher_is_better=False)


def _both(name: str, measure: Measure, *, named: bool) -> Finding:
    """Say how many held-out rows are of a known unit; a column that only looks like an identifier may name kinds of rows."""
    count = round((measure.value or 0) * (measure.n or 0))
    words = "a cluster" if name == "cluster" else f"a value of {name}"
    known = "the model may have learnt who they are, and figures on held-out rows flatter it."
    said = f"{count:,} of {measure.n:,} held-out rows ({percent(measure)}) have {words} that training rows have too"
    step, names = "Keep rows with the same value in one split: name the column as the cluster.", ("data.shared_ids",)
    if named:
        return Finding(sentence=f"{said}: {known}", grade="concern", measures=names, weight=0.7, next_step=step)
    asked = f"{said}. If it names a person or another unit, {known}"
    return Finding(sentence=asked, grade="unclear", measures=names, weight=0.6, next_step=step)
