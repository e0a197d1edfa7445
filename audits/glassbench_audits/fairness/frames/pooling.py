"""Partial pooling: what a group's rate most likely is, given all the others."""

import numpy as np


def pooled(part: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return each group's rate drawn towards that of all groups, the more the fewer rows it rests on.

    Empirical Bayes with a beta distribution of true rates, whose mean and spread come from the groups themselves (Kleinman 1973):
    the mean of a group's posterior. Where groups differ by no more than chance would have it, all get the common rate.

    Args:
        part: Numerators `(metrics, groups)`.
        n: Denominators `(metrics, groups)`.

    Returns:
        Rates `(metrics, groups)`, NaN where no group of a metric has a denominator.

    Example:
        >>> pooled(np.array([[30, 60, 2]]), np.array([[100, 100, 2]])).round(2).tolist()
        [[0.31, 0.59, 0.62]]
    """
    count, total = (n > 0).sum(axis=1), n.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        common = part.sum(axis=1) / total
        rate = np.where(n > 0, part / np.maximum(n, 1), common[:, None])
        observed = (n * (rate - common[:, None]) ** 2).sum(axis=1) / (common * (1 - common))
        spread = (observed - (count - 1)) / (total - (n**2).sum(axis=1) / total - (count - 1))
        alike = np.clip(np.nan_to_num(spread), 0, 1)  # the correlation of two rows of one group
        prior = np.where(alike > 0, (1 - alike) / alike, np.inf)[:, None]
        drawn = (part + prior * common[:, None]) / (n + prior)
    return np.where(np.isfinite(prior), drawn, np.broadcast_to(common[:, None], n.shape))
