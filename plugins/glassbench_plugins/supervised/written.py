"""Measures of written answers that need no more than the texts."""

import numpy as np
import pandas as pd


def exact_match(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the share of answers that are the truth to the letter, `(b,)`.

    Args:
        frame: Columns `y_pred` and `y_true`, n rows.
        weights: `(b, n)`.
    """
    right = (frame["y_pred"].astype(str) == frame["y_true"].astype(str)).to_numpy(dtype=np.float64)
    return np.asarray(weights @ right / weights.sum(axis=1))
