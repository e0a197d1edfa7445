"""Sets of classes that hold the truth as often as they promise."""

import numpy as np
import pandas as pd

from glassbench.stats.conformal import conformal_limit
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
    clusters: np.ndarray | None = None,
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
        clusters: Which cluster each row is of `(n,)`, where rows hang together; whole clusters are then in either half.
        generator: Draws what chance alone shows between clusters; needed where there are any.
    """
    strange = 1 - stated[np.arange(len(truth)), truth]
    limit = conformal_limit(strange[fitted], promised)
    inside = strange[~fitted] <= limit
    sizes = (1 - stated[~fitted] <= limit).sum(axis=1)
    held = None if clusters is None else clusters[~fitted]
    return coverage_of(inside, sizes, groups[~fitted], level=level, clusters=held, generator=generator)
