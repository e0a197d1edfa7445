"""What masks come to, picture by picture: pixels by class, and how far boundaries lie apart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from glassbench.contracts.predictions.run_lengths import UNKNOWN, encoded_mask

ACTUAL, PREDICTED, CORRECT = "actual", "predicted", "correct"
BOUNDARY_ERROR = "boundary_error"


def mask_columns(predicted: np.ndarray, truth: np.ndarray | None, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the columns of predicted masks as `Masks` reads them.

    Args:
        predicted: Class numbers `(n, height, width)`.
        truth: Class numbers `(n, height, width)`, -1 where a pixel is not known; None where no truth is known.
        classes: Names of the classes.

    Returns:
        `y_pred`, `predicted.<class>`, and with a truth `y_true`, `actual.<class>`, `correct.<class>` and `boundary_error`.
    """
    known = np.ones(predicted.shape, dtype=bool) if truth is None else truth != UNKNOWN
    columns: dict[str, np.ndarray] = {"y_pred": _texts(predicted)}
    columns |= {f"{PREDICTED}.{name}": _pixels((predicted == k) & known) for k, name in enumerate(classes)}
    if truth is None:
        return columns
    columns["y_true"] = _texts(truth)
    columns |= {f"{ACTUAL}.{name}": _pixels(truth == k) for k, name in enumerate(classes)}
    columns |= {f"{CORRECT}.{name}": _pixels((truth == k) & (predicted == k)) for k, name in enumerate(classes)}
    pairs = zip(predicted, truth, strict=True)
    columns[BOUNDARY_ERROR] = np.array([boundary_error(one, other) for one, other in pairs], dtype=np.float64)
    return columns


def counted(frame: pd.DataFrame, what: str, classes: Sequence[str]) -> np.ndarray:
    """Return pixels by class, float64 `(n, classes)`.

    Args:
        frame: Predictions of masks.
        what: `actual`, `predicted` or `correct`.
        classes: The classes.
    """
    return frame[[f"{what}.{name}" for name in classes]].to_numpy(dtype=np.float64)


def class_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes that masks tell apart, in the order of their columns."""
    start = f"{PREDICTED}."
    return tuple(str(name).removeprefix(start) for name in frame.columns if str(name).startswith(start))


def boundary_error(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Return how far the boundaries of two masks lie apart, in pixels: the average symmetric surface distance.

    A boundary runs through the pixels with a pixel of another class to their right or below. Each pixel of either boundary counts
    its distance to the nearest of the other (Yeghiazaryan, Voiculescu 2018). NaN where a mask has no boundary. Pixels whose truth
    is not known take no part.
    """
    known = truth != UNKNOWN
    first, second = (_edges(np.where(known, mask, UNKNOWN)) & known for mask in (predicted, truth))
    if not first.any() or not second.any():
        return float("nan")
    to_second, to_first = (distance_transform_edt(~edges) for edges in (second, first))
    return float(np.concatenate([to_second[first], to_first[second]]).mean())


def _edges(mask: np.ndarray) -> np.ndarray:
    edges = np.zeros(mask.shape, dtype=bool)
    for here, there in ((mask[:, :-1], mask[:, 1:]), (mask[:-1], mask[1:])):
        edges[: here.shape[0], : here.shape[1]] |= (here != there) & (here != UNKNOWN) & (there != UNKNOWN)
    return edges


def _pixels(where: np.ndarray) -> np.ndarray:
    return np.asarray(where.sum(axis=(1, 2)), dtype=np.int64)


def _texts(masks: np.ndarray) -> np.ndarray:
    return np.array([encoded_mask(mask) for mask in masks], dtype=object)
