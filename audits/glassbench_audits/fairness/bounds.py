"""Between which values a metric can lie: no interval may reach beyond."""

import math

from glassbench.task import Metric

_SHARES = frozenset(
    {"roc_auc", "average_precision", "balanced_accuracy", "macro_f1", "token_accuracy", "normalized_mutual_information"}
)
"""Metrics between 0 and 1 that are no shares of rows."""

_ERRORS = frozenset({"loss", "log_loss", "token_loss", "brier", "entropy", "perplexity", "bits_per_character"})
"""Metrics that are never negative, besides those named as errors."""

_EXPLAINED = frozenset({"r2", "explained_variance"})
"""Metrics that never exceed 1."""


def metric_bounds(metric: Metric) -> tuple[float, float]:
    """Return the lowest and the highest value a metric can take, infinite where nothing is known of it.

    Example:
        >>> metric_bounds(Metric(name="roc_auc", compute=lambda frame, weights: weights.sum(axis=1)))
        (0.0, 1.0)
    """
    if metric.rate or metric.name in _SHARES:
        return 0.0, 1.0
    if metric.name in _ERRORS or (metric.name.endswith("_error") and not metric.higher_is_better):
        return 0.0, math.inf
    return -math.inf, 1.0 if metric.name in _EXPLAINED else math.inf
