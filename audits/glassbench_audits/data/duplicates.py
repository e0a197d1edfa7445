"""Rows that are there more than once: copies across splits, copies within one, and copies whose labels disagree."""

import math
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd

from glassbench.data import Split
from glassbench.evidence import Finding, Measure, Table
from glassbench_audits.data.section import Section, beyond, percent, share

BLOCK = 1024


@dataclass(frozen=True, eq=False, kw_only=True)
class Copies:
    """Which rows have the same inputs as others.

    Args:
        held: Whether each held-out row is a training row too, bool `(m,)`.
        train: Whether each training row repeats an earlier one, bool `(n,)`.
        conflicting: Whether each training row has a twin of another class, bool `(n,)`; None where there are no classes.
    """

    held: np.ndarray
    train: np.ndarray
    conflicting: np.ndarray | None


def fingerprints(split: Split) -> np.ndarray:
    """Return what two rows share exactly when all their inputs are equal, 16 bytes each `(n,)`."""
    found: list[bytes] = []
    for batch in split.batches(BLOCK):
        flat = [(tensor.detach().cpu() + 0).reshape(len(tensor), -1).contiguous().numpy() for tensor in batch.inputs]
        found += [blake2b(b"".join(part[i].tobytes() for part in flat), digest_size=16).digest() for i in range(len(flat[0]))]
    return np.array(found, dtype=object)


def copies(train: Split, held: Split) -> Copies:
    """Compare every row's inputs with every other's."""
    known, seen = pd.Series(fingerprints(train)), fingerprints(held)
    conflicting = None
    if train.target is not None and train.target.ndim == 1 and not train.target.is_floating_point():
        labels = pd.Series(train.target.cpu().numpy())
        conflicting = (labels.groupby(known).transform("nunique") > 1).to_numpy(dtype=bool)
    return Copies(
        held=pd.Series(seen).isin(set(known)).to_numpy(dtype=bool),
        train=known.duplicated().to_numpy(bool),
        conflicting=conflicting,
    )


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
        tolerance: Share of copies or conflicts that is let pass.
    """
    found, chance = copies(train, held), coincidences(features)
    leaked = share("leakage", int(found.held.sum()), len(held), higher_is_better=False)
    repeated = share("duplicates", int(found.train.sum()), len(train), higher_is_better=False)
    measures, findings = [leaked, repeated], [_leak(leaked, chance, tolerance)]
    if found.conflicting is not None:
        conflicts = share("conflicts", int(found.conflicting.sum()), len(train), higher_is_better=False)
        measures.append(conflicts)
        if beyond(conflicts, tolerance) == "fail":
            said = f"{percent(conflicts)} of the training rows have a twin with the same inputs and another label."
            findings.append(Finding(sentence=said, verdict="fail", measures=("data.conflicts",), weight=0.5))
    if beyond(repeated, tolerance) == "fail" and 2 * chance < (repeated.value or 0):
        said = f"{percent(repeated)} of the training rows repeat an earlier one: they count several times while learning."
        findings.append(Finding(sentence=said, verdict="fail", measures=("data.duplicates",), weight=0.4))
    return Section(findings=tuple(findings), measures=tuple(measures), tables=(_table(measures),))


def _leak(leaked: Measure, chance: float, tolerance: float) -> Finding:
    names, verdict = ("data.leakage",), beyond(leaked, tolerance)
    if leaked.value == 0:
        return Finding(sentence="No held-out row is a copy of a training row.", verdict="pass", measures=names, weight=0.15)
    if 2 * chance >= (leaked.value or 0):
        said = f"{percent(leaked)} of the held-out rows equal a training row, as features of so few values make likely."
        return Finding(sentence=said, verdict="pass", measures=names, weight=0.2)
    words = f"{percent(leaked)} of the held-out rows are copies of training rows"
    if verdict == "fail":
        said = f"{words}: the model has seen them, and figures on held-out rows flatter it."
        return Finding(sentence=said, verdict="fail", measures=names, weight=0.85)
    return Finding(sentence=f"{words}, {tolerance:.0%} are let pass.", verdict=verdict, measures=names, weight=0.3)


def _table(measures: list[Measure]) -> Table:
    words = {
        "data.leakage": "held-out rows that are training rows too",
        "data.duplicates": "training rows that repeat an earlier one",
        "data.conflicts": "training rows with a twin of another label",
    }
    rows = tuple((words[m.name], round((m.value or 0) * (m.n or 0)), m.n, m.value, m.low, m.high) for m in measures)
    return Table(title="Rows with the same inputs", columns=("what", "rows", "of", "share", "low", "high"), rows=rows)
