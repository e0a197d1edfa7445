"""What every metric promises."""

from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.stats.inference import Inference
from glassbench.stats.sampling import Sampling
from glassbench.testing.repeated import counts_of_rows, lists_of_rows, repeated_rows

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
    counts = counts_of_rows(frame, together)
    _check_counts(metric, frame, counts, together)
    if metric.inference is not None:
        _check_inference(metric, frame, counts, together)
    assert frame.equals(before), f"{metric.name}: computing it must leave the predictions as they were"


def _check_counts(metric: Metric, frame: pd.DataFrame, counts: np.ndarray, together: str | None) -> None:
    """Check that a weight counts like as many rows, that rows without weight do not count, and that order means nothing."""
    expected = _computed(metric, repeated_rows(frame, counts, together))
    given = _computed(metric, frame, np.stack([np.ones(len(frame)), counts]))
    assert given.shape == (2,), f"{metric.name}: weights (2, n) give values (2,)"
    given = given[1:]
    assert np.allclose(given, expected, equal_nan=True), f"{metric.name}: a weight must count like as many rows"
    order = np.random.default_rng(1).permutation(len(frame))
    shuffled = _computed(metric, frame.iloc[order].reset_index(drop=True), counts[None, order].astype(np.float64))
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
    weight = counts + 1.0
    weighted = _inferred(metric, frame.assign(weight=weight))
    expected = float(_computed(metric, frame, weight[None])[0])
    same = np.isclose(weighted.value, expected, equal_nan=True)
    assert same, f"{metric.name}: inference weighs rows as the value computed does"
    if together is None:
        _check_several(metric, frame, counts)
    if plain.influence is not None:
        _check_influence(metric, frame, weight, together)


def _check_several(metric: Metric, frame: pd.DataFrame, counts: np.ndarray) -> None:
    """Check that a number of rows that stand for several has the interval of as many rows."""
    counted = _inferred(metric, frame[counts > 0].assign(frequency=counts[counts > 0]).reset_index(drop=True))
    several = _inferred(metric, repeated_rows(frame, counts, None))
    for one, other, what in _numbers(counted, several):
        assert np.isclose(one, other, equal_nan=True), f"{metric.name}: {what} of rows that stand for several is that of as many"


def _check_influence(metric: Metric, frame: pd.DataFrame, weight: np.ndarray, together: str | None) -> None:
    """Check that an influence is how far a little more weight of a row moves the number, by finite differences."""
    influence = _inferred(metric, frame.assign(weight=weight)).influence
    assert influence is not None
    lists = lists_of_rows(frame, together)
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


def _computed(metric: Metric, frame: pd.DataFrame, weights: np.ndarray | None = None) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(metric.compute(frame, np.ones((1, len(frame))) if weights is None else weights), dtype=float)


def _inferred(metric: Metric, frame: pd.DataFrame) -> Any:
    assert metric.inference is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        return metric.inference(frame, Sampling.of(frame))
