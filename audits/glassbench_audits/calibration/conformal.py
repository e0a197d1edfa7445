"""Sets of classes that hold the truth as often as they promise, and whether they do so for every group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.stats.clusters import between_groups, by_group, cluster_sums, clustered_share
from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import holm, p_words, rate_interval
from glassbench.stats.verdict import judge

ENOUGH = 40
"""Rows below which nothing is set aside to fit a threshold."""

ALPHA = 0.05

DRAWS = 2_000
"""Draws behind a p-value where rows hang together."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How often the sets hold the truth.

    Args:
        by, group: The sensitive feature and its value; None for all rows.
        n: Rows that the threshold was not fitted on.
        hits: In how many the set holds the truth.
        low, high: Ends of the interval of that share.
        size: Mean number of classes in a set.
        p: The chance of so few hits if the group were covered like all others, corrected (Holm 1979).
    """

    by: str | None
    group: str | None
    n: int
    hits: int
    low: float
    high: float
    size: float
    p: float


def threshold(scores: np.ndarray, promised: float) -> float:
    """Return the least score that a new row stays within with at least the promised chance (Vovk et al. 2005); inf for few rows.

    Args:
        scores: How strange the truth of each row is `(n,)`, exchangeable with new rows.
        promised: The chance.

    Example:
        >>> threshold(np.arange(1.0, 20.0), 0.9)
        18.0
    """
    rank = int(np.ceil((len(scores) + 1) * promised))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else float("inf")


def coverage(
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
    limit = threshold(strange[fitted], promised)
    inside = strange[~fitted] <= limit
    sizes = (1 - stated[~fitted] <= limit).sum(axis=1)
    held = None if clusters is None else clusters[~fitted]
    everyone = np.ones(len(inside), dtype=bool)
    found = [_covered(None, None, everyone, inside, sizes, 1.0, level, held)]
    for feature in groups.columns:
        codes, names = pd.factorize(groups[feature])
        for group, code in sorted((str(name), code) for code, name in enumerate(names)):
            mine = codes[~fitted] == code
            if not mine.any():
                continue
            p = _less_often(inside, mine, held, generator)
            found.append(_covered(str(feature), group, mine, inside, sizes, p, level, held))
    corrected = holm(np.array([one.p for one in found[1:]]))
    return [found[0], *(replace(one, p=float(p)) for one, p in zip(found[1:], corrected, strict=True))]


def _covered(
    by: str | None,
    group: str | None,
    mine: np.ndarray,
    inside: np.ndarray,
    sizes: np.ndarray,
    p: float,
    level: float,
    clusters: np.ndarray | None,
) -> Coverage:
    hits, n = int(inside[mine].sum()), int(mine.sum())
    if clusters is None:
        low, high = rate_interval(np.array(hits), np.array(n), level)
    else:
        part, whole = (cluster_sums(1.0 * rows, clusters) for rows in (inside & mine, mine))
        _, low, high = clustered_share(part, whole, level)
    return Coverage(by=by, group=group, n=n, hits=hits, low=float(low), high=float(high), size=float(sizes[mine].mean()), p=p)


def _less_often(
    inside: np.ndarray, mine: np.ndarray, clusters: np.ndarray | None, generator: np.random.Generator | None
) -> float:
    """Return the chance that a group's sets hold the truth as seldom or more seldom if they do so as often as all others."""
    hits = int(inside[mine].sum())
    if clusters is None or generator is None:
        return float(hypergeom.cdf(hits, len(inside), int(inside.sum()), int(mine.sum())))
    part, whole = (by_group(v, mine.astype(int), 2, clusters) for v in (inside.astype(float), np.ones(len(inside))))
    drawn = between_groups(part, whole, DRAWS, generator)[:, 1]
    return float((1 + (drawn <= hits / mine.sum() + 1e-12).sum()) / (1 + DRAWS))


def coverage_measures(found: Sequence[Coverage], level: float) -> Iterator[Measure]:
    """Yield coverage, with its interval, and the mean size of a set."""
    for one in found:
        part: dict[str, Any] = {
            "by": None if one.by is None else (one.by,),
            "group": None if one.by is None else {one.by: one.group},
        }
        yield Measure(
            name="calibration.coverage", value=one.hits / one.n, low=one.low, high=one.high, level=level, n=one.n, **part
        )
        yield Measure(name="calibration.set_size", value=one.size, n=one.n, higher_is_better=False, **part)


def coverage_findings(found: Sequence[Coverage], promised: float, shortfall: float) -> Iterator[Finding]:
    """Yield each group whose sets hold the truth surely less often than is let pass.

    Its whole interval lies below that, and chance alone does not set it so far from other rows.

    Args:
        found: The coverage of all rows, then of each group.
        promised: The promised coverage.
        shortfall: How many more misses than promised are let pass, as a share of the promised ones.
    """
    least = least_coverage(promised, shortfall)
    for one in found[1:]:
        covered = Estimate.of(one.hits / one.n, one.low, one.high, n=one.n)
        if one.p <= ALPHA and judge(covered, least, "at_least").verdict == "fail":
            said = (
                f"Sets that promise to hold the truth in {promised:.0%} of rows do so in {one.hits / one.n:.1%} "
                f"[{one.low:.1%}, {one.high:.1%}] of {one.by} “{one.group}” (n {one.n}), below the {least:.1%} that is let pass; "
                f"{found[0].hits / found[0].n:.1%} overall (corrected p {p_words(one.p)})."
            )
            yield Finding(sentence=said, verdict="fail", measures=("calibration.coverage",), weight=0.5)


def least_coverage(promised: float, shortfall: float) -> float:
    """Return the coverage that is let pass.

    Example:
        >>> round(least_coverage(0.9, 0.1), 6), round(least_coverage(0.99, 0.1), 6)
        (0.89, 0.989)
    """
    return 1 - (1 - promised) * (1 + shortfall)


def coverage_table(found: Sequence[Coverage], promised: float) -> Table:
    """Return the coverage of all rows and of each group."""
    rows = []
    for one in found:
        name = "all rows" if one.by is None else f"{one.by}: {one.group}"
        rows.append((name, one.n, one.hits / one.n, one.low, one.high, one.size, None if one.by is None else one.p))
    return Table(
        title=f"Sets of classes that promise to hold the truth in {promised:.0%} of rows",
        columns=("rows of", "n", "hold it", "low", "high", "mean size of a set", "corrected p"),
        rows=tuple(rows),
        note="The threshold was fitted on one half of the held-out rows, the coverage counted on the other.",
    )
