"""The objects of a mask: connected pixels of one class."""

import numpy as np
from scipy.ndimage import label

OBJECT_SIZE = "object_size"
"""The feature that tells how large the objects of an image are on average, in pixels."""


def mean_object_size(masks: np.ndarray, hidden: int | None) -> np.ndarray:
    """Return the mean size of each mask's objects in pixels `(n,)`; 0 for a mask without any.

    An object is a set of pixels of one class that hang together by their sides.

    Args:
        masks: Class numbers `(n, height, width)`, -1 where a pixel is not known.
        hidden: The class that is no object, or None.
    """
    return np.array([_mean_size(mask, hidden) for mask in masks], dtype=np.float64)


def _mean_size(mask: np.ndarray, hidden: int | None) -> float:
    classes = [k for k in np.unique(mask) if k >= 0 and k != hidden]
    count = sum(int(label(mask == k)[1]) for k in classes)
    return float(np.isin(mask, classes).sum() / count) if count else 0.0
