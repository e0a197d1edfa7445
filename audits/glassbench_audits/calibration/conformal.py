"""Sets of classes that hold the truth as often as they promise."""

import numpy as np
import pandas as pd

from glassbench.stats.conformal import conformal_limit
from glassbench.stats.sampling import Sampling
from glassbench_audits.calibration.coverage import Coverage, coverage_of

ENOUGH = 40
"""Rows below which nothing is set aside to fit a threshold."""


def set_coverage(
    stated: np.ndarray,
    truth: np.ndarray,
    groups: pd.DataFrame,
    fitted: np.ndarray,
    promised: float,
    *,
    level: float = 0.95,
    sampling: Sampling | None = None,
    generator: np.random.Generator | None = None,
) -> list[Coverage]:
    """Return the coverage of all rows, then of each group, on the rows that the threshold was not fitted on.

    A class is in the set when its probability is at least 1 minus the threshold (Sadinle, Lei and Wasserman 2019).

    Args:
        stated: Probabilities `(n, classes)`.
        truth: The true class of each row `(n,)`.
        groups: Sensitive features `(n, sensitive)`.
        fitted: Which rows the threshold is fitted on, bool `(n,)`.
        promised: The promised coverage.
        level: Confidence level of the intervals.
        sampling: How the rows were sampled; whole clusters are then in either half. None where rows are independent.
        generator: Draws what chance alone shows between clusters; needed where there are any.
    """
    strange = 1 - stated[np.arange(len(truth)), truth]
    weight = sampling.weight[fitted] if sampling is not None and sampling.survey else None
    limit = conformal_limit(strange[fitted], promised, weight)
    inside = strange[~fitted] <= limit
    sizes = (1 - stated[~fitted] <= limit).sum(axis=1)
    held = None if sampling is None else sampling.part(~fitted)
    return coverage_of(inside, sizes, groups[~fitted], level=level, sampling=held, generator=generator)
