"""What every metric promises."""

from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.stats.inference import Inference
from glassbench.stats.sampling import Sampling

CRITICAL = 1.96
STEP = 1e-5


def check_metric(metric: Metric, frame: pd.DataFrame, together: str | None = None) -> None:
    """Check that a metric keeps its promises on predictions made.

    Args:
        metric: The metric.
        frame: Predictions that it can be computed of.
        together: The column that names the list each row is predicted in (`PredictionKind.together`), or None: rows of a list
            get one weight.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    frame = frame.drop(columns=["weight", "frequency"], errors="ignore").reset_index(drop=True)
    before, (low, high) = frame.copy(), metric.bounds
    value = _computed(metric, frame)
    assert value.shape == (1,), f"{metric.name}: weights (1, n) give a value (1,)"
    within = low - 1e-9 <= value[0] <= high + 1e-9
    assert within or not np.isfinite(value[0]), f"{metric.name}: {value[0]} is out of its bounds"
    counts = _counts(frame, together)
    _check_counts(metric, frame, counts, together)
    if metric.inference is not None:
        _check_inference(metric, frame, counts, together)
    assert frame.equals(before), f"{metric.name}: computing it must leave the predictions as they were"


def _check_counts(metric: Metric, frame: pd.DataFrame, counts: np.ndarray, together: str | None) -> None:
    """Check that a weight counts like as many rows, that rows without weight do not count, and that order means nothing."""
    expected = _computed(metric, _repeated(frame, counts, together))
    given = _computed(metric, frame, np.stack([np.ones(len(frame)), counts]))
    assert given.shape == (2,), f"{metric.name}: weights (2, n) give values (2,)"
    given = given[1:]
    assert np.allclose(given, expected, equal_nan=True), f"{metric.name}: a weight must count like as many rows"
    order = np.random.default_rng(1).permutation(len(frame))
    shuffled = _computed(metric, frame.iloc[order].reset_index(drop=True), counts[None, order])
    assert np.allclose(given, shuffled, equal_nan=True), f"{metric.name}: the order of rows must mean nothing"


def _check_inference(metric: Metric, frame: pd.DataFrame, counts: np.ndarray, together: str | None) -> None:
    """Check that a number's interval is of the number, and that rows that stand for several count as several."""
    plain = _inferred(metric, frame)
    computed = float(_computed(metric, frame)[0])
    same = metric.corrected or np.isclose(plain.value, computed, equal_nan=True)
    assert same, f"{metric.name}: inference is of the value computed"
    if not np.isfinite(plain.value):
        return
    low, high = plain.limits(CRITICAL)
    assert plain.unsupported is not None or low <= plain.value <= high, f"{metric.name}: the interval must hold the value"
    assert not plain.error < 0, f"{metric.name}: a standard error is at least 0"
    if metric.corrected:
        return
    counted = _inferred(metric, frame[counts > 0].assign(frequency=counts[counts > 0]).reset_index(drop=True))
    several = _inferred(metric, _repeated(frame, counts, together))
    for one, other, what in _numbers(counted, several):
        assert np.isclose(one, other, equal_nan=True), f"{metric.name}: {what} of rows that stand for several is that of as many"
    if plain.influence is not None:
        _check_influence(metric, frame, counts + 1.0, together)


def _check_influence(metric: Metric, frame: pd.DataFrame, weight: np.ndarray, together: str | None) -> None:
    """Check that an influence is how far a little more weight of a row moves the number, by finite differences."""
    influence = _inferred(metric, frame.assign(weight=weight)).influence
    assert influence is not None
    lists = np.arange(len(frame)) if together is None else pd.factorize(frame[together])[0]
    chosen = np.unique(lists)[:12]
    more = np.array([weight + sign * STEP * (lists == one) for one in chosen for sign in (1, -1)])
    moved = _computed(metric, frame, more).reshape(-1, 2)
    slope = (moved[:, 0] - moved[:, 1]) / (2 * STEP) * weight.sum()
    expected = np.array([influence[lists == one].sum() for one in chosen])
    size = 1 + np.abs(expected).max()
    assert np.allclose(slope, expected, atol=1e-3 * size), f"{metric.name}: an influence is how far more weight of a row moves it"


def _numbers(one: Inference, other: Inference) -> list[tuple[float, float, str]]:
    low, high = one.limits(CRITICAL), other.limits(CRITICAL)
    return [
        (one.value, other.value, "the value"),
        (one.error, other.error, "the standard error"),
        (low[0], high[0], "the low end"),
        (low[1], high[1], "the high end"),
    ]


def _counts(frame: pd.DataFrame, together: str | None) -> np.ndarray:
    """Return how often each row is taken `(n,)`: 0, 1, 2 or 3 times, rows of a list alike."""
    lists = np.arange(len(frame)) if together is None else pd.factorize(frame[together])[0]
    drawn = np.random.default_rng(0).integers(0, 4, lists.max(initial=-1) + 1)
    return np.asarray(drawn[lists].astype(np.float64))


def _repeated(frame: pd.DataFrame, counts: np.ndarray, together: str | None) -> pd.DataFrame:
    """Return every row as often as it counts; of a list, every copy is a list of its own."""
    times = counts.astype(np.int64)
    copies = frame.loc[frame.index.repeat(times)].reset_index(drop=True)
    if together is not None:
        number = np.concatenate([np.arange(t) for t in times]) if len(times) else times
        copies[together] = [f"{name} {k}" for name, k in zip(copies[together], number, strict=True)]
    return copies


def _computed(metric: Metric, frame: pd.DataFrame, weights: np.ndarray | None = None) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(metric.compute(frame, np.ones((1, len(frame))) if weights is None else weights), dtype=float)


def _inferred(metric: Metric, frame: pd.DataFrame) -> Any:
    assert metric.inference is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        return metric.inference(frame, Sampling.of(frame))
