"""Columns that give the answer away by themselves."""

import numpy as np
import pandas as pd

from glassbench.data import Split
from glassbench.evidence import Finding, Measure
from glassbench.stats.intervals import wilson
from glassbench_audits.data.section import Section

BINS = 50
SURE = 0.98
"""What a single column must get right, surely, to be called telltale: this share of rows, or of the variance."""


def examine_label_leakage(train: Split, held: Split, known: pd.DataFrame, seen: pd.DataFrame) -> Section:
    """Decide the held-out rows by each column alone, as a table learnt from the training rows would.

    Args:
        train, held: The splits.
        known, seen: Their named features.
    """
    if train.target is None or held.target is None or train.target.ndim != 1 or not len(known.columns) or not len(held):
        return Section()
    learnt, truth = train.target.cpu().numpy(), held.target.cpu().numpy()
    values = train.target.is_floating_point()
    found = [
        str(name)
        for name in known.columns
        if (_explains if values else _decides)(*_codes(known[name], seen[name]), learnt, truth)
    ]
    findings = tuple(
        Finding(
            sentence=f"{name} alone gives {'nearly the whole value' if values else 'nearly every answer'} away: "
            "is it known before the answer is?",
            verdict="fail",
            measures=("data.telltale_columns",),
            weight=0.8,
        )
        for name in found
    )
    measure = Measure(name="data.telltale_columns", value=float(len(found)), n=len(held), higher_is_better=False)
    return Section(findings=findings, measures=(measure,))


def _codes(known: pd.Series, seen: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the bin or the category of each training and held-out row; what is absent or new is the last."""
    if pd.api.types.is_float_dtype(known):
        edges = np.unique(np.nanquantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.notna().any() else np.empty(0)
        return tuple(np.where(c.isna(), len(edges) + 1, np.searchsorted(edges, c.to_numpy(float))) for c in (known, seen))  # type: ignore[return-value]
    names = pd.Index(known.dropna().unique())
    return tuple(np.where((code := names.get_indexer(pd.Index(c))) < 0, len(names), code) for c in (known, seen))  # type: ignore[return-value]


def _decides(known: np.ndarray, seen: np.ndarray, learnt: np.ndarray, truth: np.ndarray) -> bool:
    counts = np.zeros((max(known.max(), seen.max()) + 1, max(learnt.max(), truth.max()) + 1))
    np.add.at(counts, (known, learnt), 1)
    usual = int(np.bincount(learnt).argmax())
    answer = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), usual)
    low = float(wilson(np.array((answer[seen] == truth).sum()), np.array(len(truth)))[0])
    blind = float(wilson(np.array((truth == usual).sum()), np.array(len(truth)))[1])
    return low > blind and float((answer[seen] == truth).mean()) >= SURE


def _explains(known: np.ndarray, seen: np.ndarray, learnt: np.ndarray, truth: np.ndarray) -> bool:
    size = max(known.max(), seen.max()) + 1
    n = np.bincount(known, minlength=size)
    mean = np.where(n > 0, np.bincount(known, learnt, minlength=size) / np.maximum(n, 1), learnt.mean())
    total = float(((truth - learnt.mean()) ** 2).sum())
    return total > 0 and 1 - float(((truth - mean[seen]) ** 2).sum()) / total >= SURE
