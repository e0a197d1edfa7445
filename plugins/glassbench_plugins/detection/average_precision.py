"""Average precision of boxes, as COCO's evaluation defines it, under weights of pictures; and errors of counts."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.box_lists import decoded_boxes
from glassbench.contracts.predictions.box_matching import ANY_AREA, Matched, matched
from glassbench.stats.inference import mean

HALF = (0.5,)
COCO = tuple(float(each) for each in np.round(np.arange(0.5, 1.0, 0.05), 2))
"""The least intersections over union that COCO averages over."""

_RECALLS = np.linspace(0, 1, 101)
_AT_ONCE = 64


def box_metrics(classes: Sequence[str], threshold: float, sizes: tuple[float, float]) -> tuple[Metric, ...]:
    """Return AP at half overlap, COCO's AP, AP by class and by size of boxes, and the error of counts.

    Args:
        classes: The classes.
        threshold: The score from which a box is counted.
        sizes: Sides in pixels below which a box is small, and from which it is large.
    """
    small, large = (side**2 for side in sizes)
    ranges = {"small": (0.0, small), "medium": (small, large), "large": (large, ANY_AREA[1])}
    found = [_precision("ap50", classes, HALF, judged=True), _precision("ap", classes, COCO)]
    found += [_precision(f"ap50_{name}", [name], HALF) for name in classes] if len(classes) > 1 else []
    found += [_precision(f"ap50_{size}", classes, HALF, between) for size, between in ranges.items()]
    found.append(_count_metric("count_error", None, threshold))
    return (*found, *(_count_metric(f"count_error_{name}", name, threshold) for name in classes if len(classes) > 1))


def average_precision(
    frame: pd.DataFrame,
    weights: np.ndarray,
    classes: Sequence[str],
    thresholds: tuple[float, ...] = HALF,
    between: tuple[float, float] = ANY_AREA,
) -> np.ndarray:
    """Return average precision, the mean over overlaps and over classes that have true boxes, under each row of weights.

    Precision is read at 101 recalls, after it was made to fall with recall (Lin et al. 2014; the code of pycocotools).

    Args:
        frame: Predictions of boxes, n rows.
        weights: `(b, n)`.
        classes: Classes to average over.
        thresholds: Least intersections over union.
        between: Least and largest area of the boxes that count.

    Returns:
        `(b,)`, NaN where no box of these classes is true.
    """
    found = [_of_class(frame, weights, name, thresholds, between) for name in classes]
    each = np.stack(found, axis=1) if found else np.full((len(weights), 1), np.nan)
    there = np.isfinite(each)
    count = there.sum(axis=1)
    return np.asarray(np.where(count > 0, np.where(there, each, 0).sum(axis=1) / np.maximum(count, 1), np.nan))


def count_errors(frame: pd.DataFrame, name: str | None, threshold: float) -> np.ndarray:
    """Return by how many each picture's predicted boxes differ from the true ones in number, float64 `(n,)`.

    Args:
        frame: Predictions of boxes.
        name: The class; None counts all.
        threshold: The score from which a box is counted.
    """

    def counted(column: str, least: float) -> np.ndarray:
        boxes = [decoded_boxes(str(text)).above(least) for text in frame[column]]
        return np.array([len(each if name is None else each.of(name)) for each in boxes], dtype=np.float64)

    return np.asarray(np.abs(counted("y_pred", threshold) - counted("y_true", -np.inf)))


def _of_class(
    frame: pd.DataFrame, weights: np.ndarray, name: str, thresholds: tuple[float, ...], between: tuple[float, float]
) -> np.ndarray:
    """Return the average precision of one class `(b,)`, the mean over overlaps; NaN without a true box."""
    pairs = [matched(str(p), str(t), name, thresholds, between) for p, t in zip(frame["y_pred"], frame["y_true"], strict=True)]
    truths = weights @ np.array([each.truths for each in pairs], dtype=np.float64)
    if not pairs:
        return np.full(len(weights), np.nan)
    picture = np.concatenate([np.full(len(each.scores), place) for place, each in enumerate(pairs)]).astype(int)
    order = np.argsort(-np.concatenate([each.scores for each in pairs]), kind="mergesort")
    picture = picture[order]
    values = np.zeros((len(weights), len(thresholds)))
    for place in range(len(thresholds)):
        right, counts = _flags(pairs, place, order)
        for start in range(0, len(weights), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            values[part, place] = _areas(weights[part][:, picture], right, counts, truths[part])
    return np.where(truths > 0, values.mean(axis=1), np.nan)


def _flags(pairs: Sequence[Matched], place: int, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which predictions are right at an overlap, and which count at all, in the order of scores `(d,)`."""
    right = np.concatenate([each.right[place] for each in pairs])[order]
    return right, ~np.concatenate([each.ignored[place] for each in pairs])[order]


def _areas(weights: np.ndarray, right: np.ndarray, counts: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Return the mean precision at 101 recalls under weights of predictions `(b, d)`, float64 `(b,)`."""
    if weights.shape[1] == 0:
        return np.zeros(len(weights))
    hits, all_ = np.cumsum(weights * right, axis=1), np.cumsum(weights * counts, axis=1)
    recall = hits / np.where(truths > 0, truths, 1)[:, None]
    precision = hits / np.maximum(all_, np.spacing(1))
    falling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    found = np.zeros(len(weights))
    for row, (reached, best) in enumerate(zip(recall, falling, strict=True)):
        places = np.searchsorted(reached, _RECALLS, side="left")
        found[row] = np.where(places < len(best), best[np.minimum(places, len(best) - 1)], 0).mean()
    return found


def _precision(
    name: str,
    classes: Sequence[str],
    thresholds: tuple[float, ...],
    between: tuple[float, float] = ANY_AREA,
    *,
    judged: bool = False,
) -> Metric:
    def compute(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        return average_precision(frame, weights, classes, thresholds, between)

    return Metric(name=name, compute=compute, lowest=0.0, highest=1.0, scored=True, judged=judged)


def _count_metric(name: str, class_name: str | None, threshold: float) -> Metric:
    errors: Callable[[pd.DataFrame], np.ndarray] = lambda frame: count_errors(frame, class_name, threshold)  # noqa: E731
    return Metric(
        name=name,
        compute=lambda frame, weights: weights @ errors(frame) / weights.sum(axis=1),
        inference=lambda frame, sampling: mean(errors(frame), sampling, lowest=0.0),
        higher_is_better=False,
        unit="boxes",
        lowest=0.0,
    )
