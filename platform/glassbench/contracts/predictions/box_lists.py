"""Boxes in pictures: as arrays, and as text in predictions."""

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.errors import DataError


@dataclass(frozen=True, eq=False)
class BoxList:
    """The boxes of one picture.

    Args:
        names: The class of each `(k,)`.
        corners: Left, top, right and bottom edge in pixels, float64 `(k, 4)`.
        scores: How sure each is, float64 `(k,)`; ones for truths.
    """

    names: tuple[str, ...]
    corners: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        """Number of boxes."""
        return len(self.names)

    def of(self, name: str) -> "BoxList":
        """Return the boxes of one class."""
        return self.take(np.array([each == name for each in self.names], dtype=bool))

    def above(self, score: float) -> "BoxList":
        """Return the boxes whose score is at least `score`."""
        return self.take(self.scores >= score)

    def take(self, chosen: np.ndarray) -> "BoxList":
        """Return the boxes chosen by truth values `(k,)`."""
        names = tuple(name for name, keep in zip(self.names, chosen, strict=True) if keep)
        return BoxList(names, self.corners[chosen], self.scores[chosen])


def encoded_boxes(names: Sequence[str], corners: np.ndarray, scores: np.ndarray | None = None) -> str:
    """Return boxes as JSON: a list of `[class, left, top, right, bottom]` for each, with its score behind where there are scores.

    Args:
        names: The class of each.
        corners: Left, top, right and bottom edge in pixels `(k, 4)`.
        scores: How sure each is `(k,)`, or None for truths.

    Example:
        >>> encoded_boxes(["cell"], np.array([[1.0, 2.0, 3.5, 4.0]]), np.array([0.9]))
        '[["cell", 1.0, 2.0, 3.5, 4.0, 0.9]]'
    """
    sides = [[round(float(side), 3) for side in box] for box in corners]
    beside = [[] for _ in sides] if scores is None else [[round(float(score), 6)] for score in scores]
    return json.dumps([[name, *box, *score] for name, box, score in zip(names, sides, beside, strict=True)])


@functools.lru_cache(maxsize=20_000)
def decoded_boxes(text: str) -> BoxList:
    """Return the boxes that a text of `encoded_boxes` holds.

    Raises:
        DataError: The text holds no boxes.
    """
    try:
        content = json.loads(text)
        boxes = [(str(box[0]), [float(side) for side in box[1:5]], float(box[5]) if len(box) > 5 else 1.0) for box in content]
        whole = isinstance(content, list) and all(
            len(sides) == 4 and all(map(math.isfinite, [*sides, score])) for _, sides, score in boxes
        )
    except (ValueError, TypeError, IndexError, KeyError, RecursionError) as error:
        raise _unreadable(text) from error
    if not whole or any(sides[2] < sides[0] or sides[3] < sides[1] for _, sides, _ in boxes):
        raise _unreadable(text)
    corners = np.array([sides for _, sides, _ in boxes], dtype=np.float64).reshape(-1, 4)
    return BoxList(tuple(name for name, _, _ in boxes), corners, np.array([score for _, _, score in boxes], dtype=np.float64))


def _unreadable(text: str) -> DataError:
    fix = "write boxes with encoded_boxes: [class, left, top, right, bottom, score] for each"
    return DataError("boxes cannot be read", got=text[:60], fix=fix)
