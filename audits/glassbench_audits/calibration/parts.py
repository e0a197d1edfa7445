"""Calibration of all rows and of each group."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate, too_few
from glassbench.stats.inference import mean
from glassbench.stats.p_values import holm
from glassbench.stats.sampling import Sampling
from glassbench_audits.calibration.error import Error, calibration_error

FEWEST = 20
"""Rows, or clusters, below which no calibration error is estimated."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Calibration of some rows.

    Args:
        by: The sensitive feature, or None for all rows.
        group: Its value, or None.
        n: Rows, or clusters where rows hang together.
        counted: Which of them.
        worth: How many of equal weight they say as much as, in words; of rows that count alike their number.
        error: How far stated probabilities lie from the truth; None with too few rows.
        bias: Mean stated probability minus the share that came true.
        adjusted: The p-value corrected for all parts that were tested (Holm 1979).
    """

    by: str | None
    group: str | None
    n: int
    error: Error | None
    bias: Estimate
    adjusted: float = 1.0
    counted: str = "rows"
    worth: str = ""


def parts_of(subject: Subject, stated: np.ndarray, came: np.ndarray, bins: int, level: float, replicates: int) -> list[Part]:
    """Return the calibration of all rows, then of each group of each sensitive feature.

    Args:
        subject: What is examined.
        stated: Probabilities `(n,)`.
        came: Whether each came true, 0 or 1 `(n,)`.
        bins: Bins of equal mass at most; small groups get fewer, for a handful of rows in a bin tells nothing.
        level: Confidence level.
        replicates: Resamples.
    """
    groups = subject.predictions.groups
    sampling = subject.predictions.sampling
    found = [_part(subject, None, None, stated, came, sampling, bins, level, replicates)]
    for feature in groups.columns:
        codes, names = pd.factorize(groups[feature])
        for name, code in sorted((str(name), code) for code, name in enumerate(names)):
            group, rows = name, codes == code
            own = sampling.part(rows)
            found.append(_part(subject, str(feature), group, stated[rows], came[rows], own, bins, level, replicates))
    tested = [i for i, part in enumerate(found) if part.error is not None]
    corrected = holm(np.array([part.error.p for part in found if part.error is not None]))
    for i, p in zip(tested, corrected, strict=True):
        found[i] = replace(found[i], adjusted=float(p))
    return found


def _part(
    subject: Subject,
    by: str | None,
    group: str | None,
    stated: np.ndarray,
    came: np.ndarray,
    sampling: Sampling,
    bins: int,
    level: float,
    replicates: int,
) -> Part:
    generator, gap = subject.generator(f"calibration.{by}.{group}"), stated - came
    error, independent = None, int(sampling.effective + 1e-9)
    if independent >= FEWEST:
        error = calibration_error(
            stated,
            came,
            generator,
            bins=min(bins, max(2, independent // 10)),
            level=level,
            replicates=replicates,
            clusters=sampling.clusters,
            weight=sampling.weight / sampling.weight.mean() if sampling.survey else None,
        )
    events = min(sampling.count(came > 0), sampling.count(came == 0))
    few = too_few(events, "rows on which it came true, or did not")
    bias = mean(gap, sampling, lowest=-1.0, unsupported=few).estimate(level)
    counted, worth = "clusters" if sampling.clustered else "rows", f"{sampling.effective:.3g} {sampling.noun}"
    return Part(by=by, group=group, n=sampling.n, error=error, bias=bias, counted=counted, worth=worth)
