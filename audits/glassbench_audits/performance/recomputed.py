"""The task's metrics and the classes' rates under weights of rows, for comparisons of runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.outputs import ClassOutput
from glassbench.contracts.recomputed import Number, Recomputed, joined
from glassbench.contracts.subject import Subject
from glassbench_audits.performance.classes import confusion


def recomputed(subject: Subject, settings: Mapping[str, Any]) -> Recomputed:
    """Return every metric of the task, and precision and recall of each class, under weights of the rows of a subject."""
    frame = subject.predictions.frame
    known = frame["y_true"].notna().to_numpy() if "y_true" in frame else np.zeros(len(frame), dtype=bool)
    parts = [_metric(m, frame, known) for m in subject.task.metrics if known.any() or not m.compares]
    if known.any():
        rows = frame[known].reset_index(drop=True)
        outputs = [o for o in subject.kind.class_outputs(rows, subject.schema) if o.actual is not None]
        parts += [_classes(rows, output, known) for output in outputs]
    return joined(parts)


def metric_values(metric: Metric, frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return a metric of a frame under weights `(b, n)`, NaN where it is undefined `(b,)`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(metric.compute(frame, weights), dtype=float)


def _metric(metric: Metric, frame: pd.DataFrame, known: np.ndarray) -> Recomputed:
    whole = known.all() or not known.any()
    rows = frame if whole else frame[known].reset_index(drop=True)

    def compute(weights: np.ndarray) -> np.ndarray:
        return metric_values(metric, rows, weights if whole else weights[:, known])[:, None]

    low, high = metric.bounds
    number = Number(name=f"performance.{metric.name}", share=low >= 0 and high <= 1, of=float(len(rows)))
    return Recomputed(numbers=(number,), compute=compute)


def _classes(rows: pd.DataFrame, output: ClassOutput, known: np.ndarray) -> Recomputed:
    found = confusion(rows, output)
    assert output.actual is not None
    truth, decision = (np.asarray(column.astype(str)) for column in (output.actual, output.predicted))
    wanted = [name for _, name in found.measured]
    names = [found.classes[place] for place, _ in found.measured]
    actual, predicted = (np.stack([column == name for name in names], axis=1).astype(float) for column in (truth, decision))
    wholes = {"precision": predicted, "recall": actual}
    numbers = tuple(
        Number(name=f"performance.{rate}[{name}]", share=True, of=float(whole[:, place].sum()))
        for rate, whole in wholes.items()
        for place, name in enumerate(wanted)
    )

    def compute(weights: np.ndarray) -> np.ndarray:
        weights = weights[:, known]
        hits = weights @ (actual * predicted)
        sums = [weights @ whole for whole in wholes.values()]
        rates = [np.divide(hits, every, out=np.full(hits.shape, np.nan), where=every > 0) for every in sums]
        return np.concatenate(rates, axis=1)

    return Recomputed(numbers=numbers, compute=compute)
