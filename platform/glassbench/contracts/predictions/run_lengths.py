"""Masks as text: the runs of equal classes, row by row."""

import numpy as np

from glassbench.errors import DataError

UNKNOWN = -1
"""The class of a pixel whose truth is not known."""

_LARGEST = 2**28


def encoded_mask(mask: np.ndarray) -> str:
    """Return a mask `(height, width)` of class numbers as text: its size, then `class:length` of each run.

    Example:
        >>> encoded_mask(np.array([[0, 0], [0, 2]]))
        '2x2 0:3 2:1'
    """
    height, width = mask.shape
    flat = np.asarray(mask).reshape(-1).astype(np.int64)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1]) if len(flat) else np.zeros(0, dtype=np.int64)
    lengths = np.diff([*starts, len(flat)])
    runs = [f"{value}:{length}" for value, length in zip(flat[starts].tolist(), lengths.tolist(), strict=True)]
    return " ".join([f"{height}x{width}", *runs])


def decoded_mask(text: str) -> np.ndarray:
    """Return the mask `(height, width)` of class numbers, int16, that a text of `encoded_mask` holds.

    Raises:
        DataError: The text is no mask.
    """
    size, *runs = text.split()
    try:
        height, width = map(int, size.split("x"))
        pairs = np.array([run.split(":") for run in runs], dtype=np.int64).reshape(-1, 2)
    except ValueError as error:
        raise _unreadable(text) from error
    if not 0 <= height * width <= _LARGEST or (pairs[:, 1] < 1).any() or int(pairs[:, 1].sum()) != height * width:
        raise _unreadable(text)
    return np.repeat(pairs[:, 0].astype(np.int16), pairs[:, 1]).reshape(height, width)


def _unreadable(text: str) -> DataError:
    return DataError(
        "a mask cannot be read", got=text[:60], fix="write masks with encoded_mask: their size, then class:length of each run"
    )
