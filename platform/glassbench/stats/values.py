"""Errors of predicted values, with their limits."""

from dataclasses import replace

import numpy as np

from glassbench.stats.inference import Inference, from_influence, mean
from glassbench.stats.sampling import Sampling


def mean_absolute_error(truth: np.ndarray, predicted: np.ndarray, sampling: Sampling) -> Inference:
    """Return the mean distance of predictions from truths `(n,)`."""
    return mean(np.abs(predicted - truth), sampling, lowest=0.0)


def root_mean_squared_error(truth: np.ndarray, predicted: np.ndarray, sampling: Sampling) -> Inference:
    """Return the root of the mean squared error; its limits are the roots of those of the mean."""
    squared = (predicted - truth) ** 2
    found = mean(squared, sampling, lowest=0.0)
    value = found.value**0.5
    slope = 0.5 / value if value > 0 else 0.0
    return replace(
        found,
        value=value,
        error=found.error * slope,
        limits=lambda z: (found.limits(z)[0] ** 0.5, found.limits(z)[1] ** 0.5),
        influence=(squared - found.value) * slope,
    )


def r_squared(truth: np.ndarray, predicted: np.ndarray, sampling: Sampling) -> Inference:
    """Return the share of the truths' variance that predictions explain; undefined where truths do not vary."""
    deviation = truth - sampling.mean(truth)
    variance, squared = sampling.mean(deviation**2), (predicted - truth) ** 2
    if not variance > 1e-12 * max(sampling.mean(truth**2), 1e-300):
        return from_influence(float("nan"), deviation, sampling)
    left = sampling.mean(squared) / variance
    return from_influence(1 - left, (left * deviation**2 - squared) / variance, sampling, highest=1.0)
