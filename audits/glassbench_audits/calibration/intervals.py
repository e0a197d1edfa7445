"""How often predicted intervals hold the truth, how wide they are and how they score, over all rows and per group."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.outputs import IntervalOutput
from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import mean, share
from glassbench.stats.sampling import Sampling
from glassbench.stats.scoring import interval_score, pinball_loss
from glassbench_audits.calibration.coverage import Coverage, coverage_of

_PARTS = 4
"""Parts of equal size that rows are put into by the width of their interval."""


@dataclass(frozen=True, kw_only=True)
class IntervalPart:
    """The intervals of some rows.

    Args:
        coverage: How often they hold the truth.
        width: Their mean width.
        score: Their mean interval score.
    """

    coverage: Coverage
    width: Estimate
    score: Estimate


@dataclass(frozen=True, kw_only=True)
class QuantileLevel:
    """One predicted quantile over all rows.

    Args:
        level: Which quantile.
        below: The share of truths at or below it.
        loss: Its mean pinball loss.
    """

    level: float
    below: Estimate
    loss: Estimate


def interval_parts(
    output: IntervalOutput,
    actual: np.ndarray,
    groups: pd.DataFrame,
    sampling: Sampling,
    *,
    level: float = 0.95,
    generator: np.random.Generator | None = None,
) -> list[IntervalPart]:
    """Return the intervals of all rows, then of each group of each sensitive feature.

    Args:
        output: The intervals.
        actual: What was true `(n,)`.
        groups: Sensitive features `(n, sensitive)`.
        sampling: How the rows were sampled.
        level: Confidence level.
        generator: Draws what chance alone shows between clusters; needed where rows hang together.
    """
    inside = (output.low <= actual) & (actual <= output.high)
    scores = interval_score(actual, output.low, output.high, output.coverage)
    found = coverage_of(inside, output.width, groups, level=level, sampling=sampling, generator=generator)
    parts = []
    for one in found:
        rows = np.ones(len(actual), dtype=bool) if one.by is None else (groups[one.by].astype(str) == one.group).to_numpy()
        width, score = (mean(each[rows], sampling.part(rows), lowest=0.0).estimate(level) for each in (output.width, scores))
        parts.append(IntervalPart(coverage=one, width=width, score=score))
    return parts


def quantile_levels(output: IntervalOutput, actual: np.ndarray, sampling: Sampling, level: float) -> Iterator[QuantileLevel]:
    """Yield how many truths lie at or below each predicted quantile, and its pinball loss."""
    for quantile, predicted in output.quantiles.items():
        yield QuantileLevel(
            level=quantile,
            below=share(actual <= predicted, sampling).estimate(level),
            loss=mean(pinball_loss(actual, predicted, quantile), sampling, lowest=0.0).estimate(level),
        )


def coverage_by_width(
    output: IntervalOutput, actual: np.ndarray, sampling: Sampling, level: float
) -> list[tuple[float, Estimate]]:
    """Return mean width and coverage of rows put into parts of equal size by the width of their interval.

    Intervals that are equally sure of themselves should hold the truth equally often (Angelopoulos and Bates 2021,
    size-stratified coverage). Nothing where all are of about one width.
    """
    inside = (output.low <= actual) & (actual <= output.high)
    edges = np.unique(np.quantile(output.width, np.linspace(0, 1, _PARTS + 1)[1:-1]))
    if np.ptp(output.width) <= 1e-6 * max(float(output.width.mean()), 1e-300):
        return []
    member = np.searchsorted(edges, output.width, side="left")
    found = []
    for k in np.unique(member):
        rows = member == k
        held = share(inside[rows], sampling.part(rows)).estimate(level)
        found.append((sampling.part(rows).mean(output.width[rows]), held))
    return found
