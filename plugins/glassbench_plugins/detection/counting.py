"""The score from which boxes are counted, chosen on images whose boxes are known."""

from collections.abc import Sequence

import numpy as np


def counting_threshold(scores: Sequence[np.ndarray], truths: np.ndarray) -> float:
    """Return the score from which counted boxes differ least from the true ones in number, on average over images.

    Of scores that do equally well the middle one is returned, which chance moves least.

    Args:
        scores: Of each image the scores of its boxes `(k,)`, float64.
        truths: How many boxes each image truly has `(n,)`.
    """
    steps = np.unique(np.concatenate([*scores, [0.0, 1.0]]))
    candidates = (steps[:-1] + steps[1:]) / 2
    held = np.stack([len(each) - np.searchsorted(np.sort(each), candidates) for each in scores])
    errors = np.abs(held - truths[:, None]).mean(axis=0)
    best = np.flatnonzero(errors <= errors.min() + 1e-12)
    return float(candidates[best[len(best) // 2]])
