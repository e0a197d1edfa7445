"""Numbers per group and the gaps between them under weights of rows, for comparisons of runs."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from glassbench.contracts.metric import Metric
from glassbench.contracts.recomputed import GapOf, Number, Recomputed, joined
from glassbench.contracts.subject import Subject
from glassbench_audits.fairness.comparison.criteria import families
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.group_frames import coded, group_frames
from glassbench_audits.fairness.frames.groups import columns, mixed
from glassbench_audits.fairness.frames.rates import ClassRate, rates_of
from glassbench_audits.fairness.frames.sizes import sizeable
from glassbench_audits.fairness.frames.stacked_frame import StackedFrame
from glassbench_audits.fairness.frames.wording import SHARES

_DRAWS = 2
"""Resamples of frames that are asked for their point values alone."""

_FEATURES = 2
"""The most features whose combinations are compared."""

Compute = Callable[[np.ndarray], np.ndarray]
"""From weights of rows `(b, n)` to numbers `(b, metrics, groups + 1)`, those over all rows last."""


def recomputed(subject: Subject, settings: Mapping[str, Any]) -> Recomputed:
    """Return every number per group and over all rows, and every gap, under weights of the rows of a subject.

    Args:
        subject: What was examined.
        settings: The audit's settings.
    """
    depth = min(_FEATURES, int(settings.get("depth", _FEATURES))) if settings.get("intersections", True) else 1
    found, told = [], set[str]()
    for frame in group_frames(subject, depth=depth, most=int(settings.get("most_groups", 100)), replicates=_DRAWS):
        computes = [_computed(subject, frame.by, part) for part in _parts(frame)]
        if all(one is not None for one in computes):
            found.append(_of_frame(frame, [one for one in computes if one is not None], settings.get("small"), told))
    return joined(found)


def _parts(frame: GroupFrame) -> tuple[GroupFrame, ...]:
    return frame.parts if isinstance(frame, StackedFrame) else (frame,)


def _of_frame(frame: GroupFrame, computes: Sequence[Compute], small: int | None, told: set[str]) -> Recomputed:
    """Return the numbers of a frame, metric by metric, group by group, and its gaps; those over all rows only once."""
    many = len(frame.groups)
    numbers = []
    for k, metric in enumerate(frame.metrics):
        share = metric.unit is None and not metric.scaled and metric.name != "r2"
        name = f"fairness.{metric.measure}"
        for g, group in enumerate(frame.groups):
            at = tuple(group.mapping.items())
            numbers.append(Number(name=name, by=frame.by, group=at, share=share, of=float(frame.evidence[k, g])))
        again = name in told
        numbers.append(Number(name="" if again else name, share=share, of=float(frame.evidence[k].sum())))
        told.add(name)

    def compute(weights: np.ndarray) -> np.ndarray:
        values = np.concatenate([one(weights) for one in computes], axis=1)
        return values.reshape(len(values), -1)

    return Recomputed(numbers=tuple(numbers), compute=compute, gaps=tuple(_gaps(frame, many + 1, small)))


def _gaps(frame: GroupFrame, step: int, small: int | None) -> list[GapOf]:
    everyone, large = np.isfinite(frame.value), sizeable(frame.evidence, small) & frame.supported & np.isfinite(frame.value)
    found = []
    for name, which in families(frame.metrics).items():
        stem, _, klass = name.partition("[")
        ratios = frame.ratios and all(frame.metrics[k].name in SHARES for k in which)
        for suffix, keep in (("", everyone), ("_without_small", large)):
            parts = tuple(tuple((k * step + np.flatnonzero(keep[k])).tolist()) for k in which)
            for kind in ("difference", "ratio") if ratios else ("difference",):
                ending = f"[{klass}" if klass else ""
                measure = f"fairness.{stem}_{kind}{suffix}{ending}"
                found.append(GapOf(name=measure, by=frame.by, kind=kind, parts=parts))
            if stem == "demographic_parity" and len(which) == 1:
                for ending in ("", f"[{frame.metrics[which[0]].outcome}]"):
                    found.append(GapOf(name=f"fairness.four_fifths{suffix}{ending}", by=frame.by, kind="ratio", parts=parts))
    return found


def _computed(subject: Subject, by: Sequence[str], part: GroupFrame) -> Compute | None:
    """Return what computes one part of a frame; None for numbers that only their own inference gives."""
    groups = columns(subject.predictions.groups[list(by)])
    _, codes = np.unique(mixed([g.codes for g in groups], [len(g.values) for g in groups]), return_inverse=True)
    if isinstance(part, ConfusionFrame):
        return _counted(subject, codes, len(part.groups), [m.measure for m in part.metrics])
    values = subject.value_output
    if values is not None and values.actual is not None and part.metrics[0].name == "mean_prediction":
        return _values(values.actual, values.predicted, codes, len(part.groups), len(part.metrics))
    known = {metric.name: metric for metric in subject.task.metrics}
    own = [known.get(metric.name) for metric in part.metrics]
    if any(metric is None for metric in own):
        return None
    return _own(subject.predictions.frame, [m for m in own if m is not None], codes, len(part.groups))


def _counted(subject: Subject, codes: np.ndarray, groups: int, wanted: Sequence[str]) -> Compute | None:
    """Return what counts confusion cells of each group under weights, of the choice whose rates are wanted."""
    for told in map(coded, subject.class_outputs):
        if [rate.metric.measure for rate in told.rates] == list(wanted):
            cells = mixed([codes.astype(np.int64), told.truth, told.decision], [groups, told.truths, told.classes])
            shape = (groups, told.truths, told.classes)
            return _rates(cells.astype(np.int64), shape, told.rates)
    return None


def _rates(cells: np.ndarray, shape: tuple[int, int, int], rates: Sequence[ClassRate]) -> Compute:
    n = len(cells)
    member = csr_array((np.ones(n), (np.arange(n), cells)), shape=(n, prod(shape)))

    def compute(weights: np.ndarray) -> np.ndarray:
        counts = (weights @ member).reshape(len(weights), *shape)
        counts = np.concatenate([counts, counts.sum(axis=1, keepdims=True)], axis=1)
        return np.moveaxis(rates_of(counts, rates), 0, 1)

    return compute


def _values(truth: np.ndarray, predicted: np.ndarray, codes: np.ndarray, groups: int, metrics: int) -> Compute:
    """Return mean prediction, mean error, mean absolute error and R² of each group under weights."""
    known, off = np.isfinite(truth), np.nan_to_num(predicted - truth)
    actual = np.nan_to_num(truth)
    columns_ = (np.ones(len(codes)), predicted, known, known * off, known * abs(off), known * off**2, known * actual)
    n = len(codes)
    member = csr_array((np.ones(n), (np.arange(n), codes)), shape=(n, groups))

    def compute(weights: np.ndarray) -> np.ndarray:
        sums = [_with_all((weights * column) @ member) for column in (*columns_, known * actual**2)]
        every, said, there, error, size, squared, first, second = sums
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = second - first**2 / there
            explained = np.where(spread > 0, 1 - squared / np.where(spread > 0, spread, 1), np.nan)
            return np.stack([said / every, error / there, size / there, explained][:metrics], axis=1)

    return compute


def _with_all(sums: np.ndarray) -> np.ndarray:
    return np.concatenate([sums, sums.sum(axis=1, keepdims=True)], axis=1)


def _own(frame: pd.DataFrame, metrics: Sequence[Metric], codes: np.ndarray, groups: int) -> Compute:
    """Return metrics of the task in each group, over rows whose truth is known where a metric compares with it."""
    truth = frame["y_true"].notna().to_numpy() if "y_true" in frame else np.zeros(len(frame), dtype=bool)
    rows = {compares: [*((codes == g) & (truth | (not compares)) for g in range(groups))] for compares in (True, False)}
    rows = {compares: [*each, np.logical_or.reduce(each)] for compares, each in rows.items()}
    frames = {c: [frame[member].reset_index(drop=True) for member in each] for c, each in rows.items()}

    def compute(weights: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack(
                [
                    np.stack([m.compute(f, weights[:, r]) for f, r in zip(frames[m.compares], rows[m.compares], strict=True)], -1)
                    for m in metrics
                ],
                axis=1,
            )

    return compute
