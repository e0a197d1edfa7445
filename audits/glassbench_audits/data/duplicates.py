"""Rows that are there more than once: duplicates across splits and within one, and equal inputs whose labels disagree."""

import math
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.rows.identifiers import identifies
from glassbench.stats.percent import in_percent
from glassbench_audits.data.section import Section, beyond, percent, share

BLOCK = 1024

SPOKEN = 2
"""Copies must be so many times as frequent as chance makes them to be spoken of."""

WITHOUT_COPIES = "Divide the rows again without these copies, train and audit again."


@dataclass(frozen=True, eq=False, kw_only=True)
class Duplicates:
    """Which rows are there more than once. Copies are equal in everything: inputs, truth, groups and all other columns.

    Args:
        held: Whether each held-out row is a copy of a training row, bool `(m,)`.
        same_inputs: Whether each held-out row has the inputs of a training row without being its copy, bool `(m,)`.
        train: Whether each training row repeats an earlier one, bool `(n,)`.
        conflicting: Whether each training row has a twin of equal inputs and another class, bool `(n,)`; None without classes.
    """

    held: np.ndarray
    same_inputs: np.ndarray
    train: np.ndarray
    conflicting: np.ndarray | None


def fingerprints(split: Split) -> np.ndarray:
    """Return what two rows share exactly when all their inputs are equal, texts `(n,)`."""
    found: list[str] = []
    for batch in split.batches(BLOCK):
        flat = [(tensor.detach().cpu() + 0).reshape(len(tensor), -1).contiguous().numpy() for tensor in batch.inputs]
        found += [blake2b(b"".join(part[i].tobytes() for part in flat), digest_size=16).hexdigest() for i in range(len(flat[0]))]
    return np.array(found, dtype=object)


def duplicates(train: Split, held: Split) -> Duplicates:
    """Compare every row with every other, by its inputs and by everything that is known of it."""
    known, seen = (pd.Series(fingerprints(split), dtype=object) for split in (train, held))
    learnt, judged = pd.Series(known + _others(train, held)), pd.Series(seen + _others(held, train))
    conflicting = None
    if train.target is not None and train.target.ndim == 1 and not train.target.is_floating_point():
        labels = pd.Series(train.target.cpu().numpy())
        conflicting = (labels.groupby(known).transform("nunique") > 1).to_numpy(dtype=bool)
    copied = judged.isin(set(learnt)).to_numpy(dtype=bool)
    return Duplicates(
        held=copied,
        same_inputs=seen.isin(set(known)).to_numpy(dtype=bool) & ~copied,
        train=learnt.duplicated().to_numpy(bool),
        conflicting=conflicting,
    )


def _others(split: Split, other: Split) -> pd.Series:
    """Return what is known of rows besides their inputs, texts `(n,)`; what numbers, names or divides rows is left aside."""
    parts: dict[str, pd.Series] = {}
    if split.target is not None and other.target is not None and split.target.ndim == 1:
        parts["truth"] = pd.Series(split.target.cpu().numpy())
    for kind in ("raw", "groups", "beside"):
        mine, theirs = getattr(split, kind), getattr(other, kind)
        shared = [] if mine is None or theirs is None else [name for name in mine.columns if name in theirs.columns]
        shared = [name for name in shared if not _divides(mine[name], theirs[name])]
        shared = [name for name in shared if not (_ends_in_ids(mine[name], split) and _ends_in_ids(theirs[name], other))]
        parts |= {f"{kind} {name}": mine[name] for name in shared if not _numbers_rows(str(name), mine[name], theirs[name])}
    frame = pd.DataFrame({name: column.reset_index(drop=True).astype(str) for name, column in parts.items()}, dtype=object)
    if not len(frame.columns):
        return pd.Series([""] * len(split), dtype=object)
    return pd.Series([f"{v:016x}" for v in pd.util.hash_pandas_object(frame, index=False)], dtype=object)


def _divides(mine: pd.Series, theirs: pd.Series) -> bool:
    """Whether a column is what the rows were divided by: one value in either split, and not the same."""
    values = mine.astype(str).unique(), theirs.astype(str).unique()
    return all(len(one) == 1 for one in values) and values[0][0] != values[1][0]


def _ends_in_ids(column: pd.Series, split: Split) -> bool:
    """Whether texts end in the ids of their rows, as paths of files do: copies of a picture lie in files of other names."""
    texts = not pd.api.types.is_numeric_dtype(column)
    return texts and all(str(cell).endswith(str(row)) for cell, row in zip(column, split.rows, strict=True))


def _numbers_rows(name: str, *columns: pd.Series) -> bool:
    """Whether a column names rows or persons: by its name, or because hardly any value repeats among whole numbers or texts."""
    if identifies(name):
        return True
    whole = pd.concat([column.reset_index(drop=True) for column in columns], ignore_index=True)
    numbers = pd.to_numeric(whole, errors="coerce")
    counts = bool(numbers.notna().all()) and bool((numbers % 1 == 0).all())
    return counts and whole.is_unique and float(numbers.max() - numbers.min()) < 2 * len(whole)


def coincidences(features: pd.DataFrame) -> float:
    """Return about which share of new rows would equal one of these by chance, if features were independent.

    Args:
        features: Named features of the training rows; without any, 0.
    """
    if features.empty or not len(features.columns):
        return 0.0
    same = [
        float(np.square(features[name].value_counts(normalize=True, dropna=False).to_numpy(dtype=float)).sum())
        for name in features.columns
    ]
    return min(1.0, len(features) * math.prod(same))


def examine_duplicates(train: Split, held: Split, features: pd.DataFrame, tolerance: float) -> Section:
    """Count rows that are there more than once.

    Args:
        train, held: The splits.
        features: Named features of the training rows.
        tolerance: Share of duplicates or conflicts that is let pass.
    """
    found, chance = duplicates(train, held), coincidences(features)
    leaked = share("leakage", int(found.held.sum()), len(held), higher_is_better=False)
    same = share("same_inputs", int(found.same_inputs.sum()), len(held), higher_is_better=False)
    repeated = share("duplicates", int(found.train.sum()), len(train), higher_is_better=False)
    measures, findings = [leaked, same, repeated], [_leak(leaked, chance, tolerance)]
    findings += _same_inputs(same, chance, tolerance)
    if found.conflicting is not None:
        conflicts = share("conflicts", int(found.conflicting.sum()), len(train), higher_is_better=False)
        measures.append(conflicts)
        findings += _conflicts(conflicts, chance, tolerance)
    if beyond(repeated, tolerance) == "concern" and SPOKEN * chance < (repeated.value or 0):
        said = f"{percent(repeated)} of the training rows repeat an earlier one: they count several times while learning."
        step = "Drop the repeated rows."
        findings.append(Finding(sentence=said, grade="concern", measures=("data.duplicates",), weight=0.4, next_step=step))
    return Section(findings=tuple(findings), measures=tuple(measures), tables=(_table(measures),))


def _leak(leaked: Measure, chance: float, tolerance: float) -> Finding:
    names, grade = ("data.leakage",), beyond(leaked, tolerance)
    if leaked.value == 0:
        return Finding(sentence="No held-out row is a copy of a training row.", grade="ok", measures=names, weight=0.15)
    if SPOKEN * chance >= (leaked.value or 0):
        said = f"{percent(leaked)} of the held-out rows equal a training row, as features of so few values make likely."
        return Finding(sentence=said, grade="ok", measures=names, weight=0.2)
    words = f"{percent(leaked)} of the held-out rows are duplicates of training rows, equal in every column"
    if grade == "concern":
        said = f"{words}: the model has seen them, and figures on held-out rows flatter it."
        return Finding(sentence=said, grade="concern", measures=names, weight=0.85, next_step=WITHOUT_COPIES)
    return Finding(sentence=f"{words}, {in_percent(tolerance)} are let pass.", grade=grade, measures=names, weight=0.3)


def _conflicts(conflicts: Measure, chance: float, tolerance: float) -> list[Finding]:
    """Say how many rows have a twin of another class; where inputs have few values, twins need not be the same case."""
    if beyond(conflicts, tolerance) != "concern":
        return []
    said, names = (
        f"{percent(conflicts)} of the training rows have a twin with the same inputs and another label",
        ("data.conflicts",),
    )
    if SPOKEN * chance >= (conflicts.value or 0):
        return [Finding(sentence=f"{said}, as features of so few values make likely.", grade="ok", measures=names, weight=0.2)]
    step = "Check the labels of these twins."
    return [Finding(sentence=f"{said}.", grade="concern", measures=names, weight=0.5, next_step=step)]


def _same_inputs(same: Measure, chance: float, tolerance: float) -> list[Finding]:
    """Say how many rows have inputs that the model has seen, but are other rows."""
    if beyond(same, tolerance) == "ok" or SPOKEN * chance >= (same.value or 0):
        return []
    said = (
        f"{percent(same)} of the held-out rows have the inputs of a training row and differ from it in the truth, a sensitive "
        "feature or another column: other cases, which the model cannot tell from those it has seen."
    )
    return [Finding(sentence=said, grade="unclear", measures=("data.same_inputs",), weight=0.3)]


def _table(measures: list[Measure]) -> Table:
    words = {
        "data.leakage": "held-out rows that are duplicates of training rows, equal in every column",
        "data.same_inputs": "held-out rows with the inputs of a training row that differ elsewhere",
        "data.duplicates": "training rows that repeat an earlier one in every column",
        "data.conflicts": "training rows with a twin of equal inputs and another label",
    }
    rows = tuple((words[m.name], round((m.value or 0) * (m.n or 0)), m.n, m.value, m.low, m.high) for m in measures)
    return Table(title="Rows that are there more than once", columns=("what", "rows", "of", "share", "low", "high"), rows=rows)
