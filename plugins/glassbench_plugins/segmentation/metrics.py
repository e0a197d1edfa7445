"""Metrics of masks, from counts of pixels: pooled over pictures, with intervals that resample pictures."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.mask_counts import ACTUAL, BOUNDARY_ERROR, CORRECT, PREDICTED, class_names, counted
from glassbench.stats.inference import Inference, from_influence
from glassbench.stats.sampling import Sampling

Parts = Callable[[pd.DataFrame], tuple[np.ndarray, np.ndarray]]
"""From predictions to what is divided by what: numerators and denominators `(n, k)`, one column for each class."""


def mask_metrics(classes: Sequence[str], all_classes: Sequence[str]) -> tuple[Metric, ...]:
    """Return Dice coefficient and intersection over union, the share of right pixels, the boundary error, and Dice by class.

    Args:
        classes: The classes that means are taken over.
        all_classes: All of them.
    """
    found = [
        _ratio("dice", partial(dice_parts, classes=classes), judged=True),
        _ratio("iou", partial(iou_parts, classes=classes)),
        _ratio("pixel_accuracy", _pixel_parts),
        Metric(
            name=BOUNDARY_ERROR,
            compute=lambda frame, weights: ratios(*_boundary_parts(frame), weights),
            inference=lambda frame, sampling: inferred(*_boundary_parts(frame), sampling, lowest=0.0, highest=np.inf),
            higher_is_better=False,
            unit="pixels",
            lowest=0.0,
        ),
    ]
    if len(all_classes) > 1:
        found += [_ratio(f"dice_{name}", partial(dice_parts, classes=(name,))) for name in all_classes]
    return tuple(found)


def dice_parts(frame: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return twice the pixels that are rightly of each class, and those that are or are said to be, each `(n, classes)`."""
    actual, predicted, right = (counted(frame, what, classes) for what in (ACTUAL, PREDICTED, CORRECT))
    return 2 * right, actual + predicted


def iou_parts(frame: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the intersections and the unions of each class in pixels, each `(n, classes)`."""
    actual, predicted, right = (counted(frame, what, classes) for what in (ACTUAL, PREDICTED, CORRECT))
    return right, actual + predicted - right


def ratios(above: np.ndarray, below: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean over columns of pooled ratios under each row of weights `(b,)`; columns that sum to 0 are left out."""
    total = weights @ below
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(total > 0, (weights @ above) / total, np.nan)
        there = np.isfinite(each)
        return np.asarray(np.nansum(each, axis=1) / np.where(there.any(axis=1), there.sum(axis=1), np.nan))


def inferred(above: np.ndarray, below: np.ndarray, sampling: Sampling, *, lowest: float = 0.0, highest: float = 1.0) -> Inference:
    """Return the mean over columns of pooled ratios, with limits from the influence of each picture."""
    total, size = sampling.weight @ below, sampling.weight.sum()
    there = np.flatnonzero(total > 0)
    value = ratios(above, below, sampling.weight[None])[0]
    each = (sampling.weight @ above)[there] / total[there]
    influence = ((above[:, there] - each * below[:, there]) * size / total[there]).sum(axis=1) / max(len(there), 1)
    return from_influence(float(value), influence, sampling, lowest=lowest, highest=highest)


def _ratio(name: str, parts: Parts, *, judged: bool = False) -> Metric:
    return Metric(
        name=name,
        compute=lambda frame, weights: ratios(*parts(frame), weights),
        inference=lambda frame, sampling: inferred(*parts(frame), sampling),
        lowest=0.0,
        highest=1.0,
        judged=judged,
    )


def _pixel_parts(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    right, known = (counted(frame, what, class_names(frame)).sum(axis=1, keepdims=True) for what in (CORRECT, ACTUAL))
    return right, known


def _boundary_parts(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return each picture's boundary error, and 1 where it has one: their mean is over pictures with boundaries in both masks."""
    errors = frame[BOUNDARY_ERROR].to_numpy(dtype=np.float64)
    there = np.isfinite(errors)
    return np.where(there, errors, 0.0)[:, None], there.astype(np.float64)[:, None]
