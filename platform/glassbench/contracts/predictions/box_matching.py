"""Which predicted boxes are which true ones, as COCO's evaluation matches them."""

import functools
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.predictions.box_lists import BoxList, decoded_boxes

MOST = 100
"""Predictions of a class in a picture that count, those with the highest scores."""

ANY_AREA = (0.0, 1e10)


@dataclass(frozen=True, eq=False)
class Matched:
    """The boxes of one class in one picture, matched at several overlaps.

    Args:
        scores: Of the predictions, highest first `(d,)`.
        right: Which of them match a true box, bool `(thresholds, d)`.
        ignored: Which of them count neither as right nor as wrong, bool `(thresholds, d)`.
        truths: How many true boxes count.
    """

    scores: np.ndarray
    right: np.ndarray
    ignored: np.ndarray
    truths: int


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the intersection over union of boxes `(a, 4)` with boxes `(b, 4)`, float64 `(a, b)`."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    whole = areas(first)[:, None] + areas(second)[None] - shared
    return np.asarray(np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0))


def areas(corners: np.ndarray) -> np.ndarray:
    """Return the areas of boxes `(k, 4)` in square pixels, float64 `(k,)`."""
    return np.asarray((corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1]))


@functools.lru_cache(maxsize=200_000)
def matched(
    predicted: str, truth: str, name: str, thresholds: tuple[float, ...], between: tuple[float, float] = ANY_AREA
) -> Matched:
    """Match predictions with true boxes: each, by falling score, takes the free true box that it overlaps most.

    True boxes whose area lies outside `between` are ignored, with what matches them; so are predictions outside that match
    nothing (Lin et al. 2014, "Microsoft COCO", as its evaluation code does).

    Args:
        predicted, truth: Boxes as text (`encoded_boxes`).
        name: The class.
        thresholds: Least intersections over union.
        between: Least and largest area in square pixels.
    """
    found, there = decoded_boxes(predicted).of(name), decoded_boxes(truth).of(name)
    order = np.argsort(-found.scores, kind="mergesort")[:MOST]
    outside = (areas(there.corners) < between[0]) | (areas(there.corners) > between[1])
    last = np.argsort(outside, kind="mergesort")
    ious, outside = overlaps(found.corners[order], there.corners[last]), outside[last]
    taken = np.stack([_assigned(ious, outside, threshold) for threshold in thresholds])
    size = areas(found.corners[order])
    strange = (size < between[0]) | (size > between[1])
    hit = taken >= 0
    ignored = (hit & outside[np.maximum(taken, 0)]) if len(outside) else np.zeros_like(hit)
    ignored = ignored | (~hit & strange)
    return Matched(scores=found.scores[order], right=hit & ~ignored, ignored=ignored, truths=int((~outside).sum()))


def right_and_wrong(predicted: BoxList, truth: BoxList, threshold: float) -> tuple[int, int, int]:
    """Return how many boxes of all classes match, how many predictions match nothing, and how many true boxes are missed.

    Args:
        predicted, truth: Boxes of one picture.
        threshold: Least intersection over union.
    """
    right = 0
    for name in set(predicted.names) & set(truth.names):
        found, there = predicted.of(name), truth.of(name)
        order = np.argsort(-found.scores, kind="mergesort")
        ious = overlaps(found.corners[order], there.corners)
        right += int((_assigned(ious, np.zeros(len(there), dtype=bool), threshold) >= 0).sum())
    return right, len(predicted) - right, len(truth) - right


def _assigned(ious: np.ndarray, outside: np.ndarray, threshold: float) -> np.ndarray:
    """Return which true box each prediction takes, in order `(d,)`, -1 for none; ignored ones come last and are taken last."""
    free, taken = np.ones(ious.shape[1], dtype=bool), np.full(len(ious), -1, dtype=np.int64)
    least = min(threshold, 1 - 1e-10)
    for place, row in enumerate(ious):
        for part in (~outside, outside):
            able = np.flatnonzero(free & part & (row >= least))
            if len(able):
                best = able[::-1][int(row[able[::-1]].argmax())]
                taken[place], free[best] = best, False
                break
    return taken
