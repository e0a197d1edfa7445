"""How often sets or intervals hold the truth, over all rows and per group."""

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
from glassbench.stats.intervals import rate_interval
from glassbench.stats.p_values import holm, p_words
from glassbench.stats.percent import in_percent
from glassbench.stats.sampling import Sampling
from glassbench.stats.verdict import judge

ALPHA = 0.05

DRAWS = 2_000
"""Draws behind a p-value where rows hang together."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How often sets of classes, or intervals, hold the truth.

    Args:
        by, group: The sensitive feature and its value; None for all rows.
        n: Rows that were counted.
        hits: In how many the set or the interval holds the truth.
        low, high: Ends of the interval of that share.
        size: Mean number of classes in a set, or mean width of an interval.
        p: The chance of so few hits if the group were covered like all others, corrected (Holm 1979).
        weighted: The share of rows whose truth is held by their weights; None where rows count alike.
    """

    by: str | None
    group: str | None
    n: int
    hits: int
    low: float
    high: float
    size: float
    p: float
    weighted: float | None = None

    @property
    def share(self) -> float:
        """The share of rows whose truth is held."""
        return self.hits / self.n if self.weighted is None else self.weighted

    @property
    def features(self) -> tuple[str, ...] | None:
        """The feature as measures name it."""
        return None if self.by is None else (self.by,)

    @property
    def named(self) -> dict[str, str] | None:
        """The group as measures name it."""
        return None if self.by is None else {self.by: str(self.group)}

    @property
    def words(self) -> str:
        """The rows as tables name them."""
        return "all rows" if self.by is None else f"{self.by}: {self.group}"

    @property
    def estimate(self) -> Estimate:
        """The share of rows whose truth is held."""
        return Estimate.of(self.share, self.low, self.high, n=self.n)


def coverage_of(
    inside: np.ndarray,
    sizes: np.ndarray,
    groups: pd.DataFrame,
    *,
    level: float = 0.95,
    sampling: Sampling | None = None,
    generator: np.random.Generator | None = None,
) -> list[Coverage]:
    """Return the coverage of all rows, then of each group.

    Args:
        inside: Whether the truth is held, bool `(n,)`.
        sizes: How large each set or interval is `(n,)`.
        groups: Sensitive features `(n, sensitive)`.
        level: Confidence level of the intervals.
        sampling: How the rows were sampled; None where they are independent.
        generator: Draws what chance alone shows between clusters; needed where there are any.
    """
    sampling = sampling or Sampling(weight=np.ones(len(inside)))
    everyone = np.ones(len(inside), dtype=bool)
    found = [_covered(None, None, everyone, inside, sizes, 1.0, level, sampling)]
    for feature in groups.columns:
        codes, names = pd.factorize(groups[feature])
        for group, code in sorted((str(name), code) for code, name in enumerate(names)):
            mine = codes == code
            if not mine.any():
                continue
            p = _less_often(inside, mine, sampling, generator)
            found.append(_covered(str(feature), group, mine, inside, sizes, p, level, sampling))
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
    sampling: Sampling,
) -> Coverage:
    hits, n, size, weighted = int(inside[mine].sum()), int(mine.sum()), float(sizes[mine].mean()), None
    if sampling.clusters is None:
        low, high = rate_interval(np.array(hits), np.array(n), level)
    else:
        part, whole = (cluster_sums(sampling.weight * rows, sampling.clusters) for rows in (inside & mine, mine))
        share, low, high = clustered_share(part, whole, level, n if sampling.survey else None)
        if sampling.survey:
            size, weighted = sampling.part(mine).mean(sizes[mine]), float(share)
    ends = {"low": float(low), "high": float(high)}
    return Coverage(by=by, group=group, n=n, hits=hits, **ends, size=size, p=p, weighted=weighted)


def _less_often(inside: np.ndarray, mine: np.ndarray, sampling: Sampling, generator: np.random.Generator | None) -> float:
    """Return the chance that a group's sets hold the truth as seldom or more seldom if they do so as often as all others."""
    hits = int(inside[mine].sum())
    if sampling.clusters is None or generator is None:
        return float(hypergeom.cdf(hits, len(inside), int(inside.sum()), int(mine.sum())))
    part, whole = (by_group(v, mine.astype(int), 2, sampling.clusters) for v in (inside * sampling.weight, sampling.weight))
    drawn = between_groups(part, whole, DRAWS, generator, survey=sampling.survey)[:, 1]
    share = part[:, 1].sum() / whole[:, 1].sum()
    return float((1 + (drawn <= share + 1e-12).sum()) / (1 + DRAWS))


def coverage_measures(found: Sequence[Coverage], level: float) -> Iterator[Measure]:
    """Yield the coverage of all rows and of each group, with its interval."""
    for one in found:
        ends: dict[str, Any] = {"low": one.low, "high": one.high, "level": level, "n": one.n}
        yield Measure(name="calibration.coverage", value=one.share, by=one.features, group=one.named, **ends)


def size_measures(found: Sequence[Coverage]) -> Iterator[Measure]:
    """Yield the mean number of classes in a set, over all rows and per group."""
    for one in found:
        name = "calibration.set_size"
        yield Measure(name=name, value=one.size, n=one.n, by=one.features, group=one.named, higher_is_better=False)


def coverage_findings(found: Sequence[Coverage], promised: float, shortfall: float, what: str) -> Iterator[Finding]:
    """Yield each group whose truths are held surely less often than is let pass.

    Its whole interval lies below that, and chance alone does not set it so far from other rows.

    Args:
        found: The coverage of all rows, then of each group.
        promised: The promised coverage.
        shortfall: How many more misses than promised are let pass, as a share of the promised ones.
        what: What holds the truth: "Sets", "Intervals".
    """
    least = least_coverage(promised, shortfall)
    for one in found[1:]:
        if one.p <= ALPHA and judge(one.estimate, least, "at_least").grade == "concern":
            said = (
                f"{what} that promise to hold the truth in {in_percent(promised)} of rows do so in {in_percent(one.share, 1)} "
                f"[{in_percent(one.low, 1)}, {in_percent(one.high, 1)}] of {one.by} “{one.group}” (n {one.n:,}), below "
                f"the {in_percent(least, 1)} that is let pass; "
                f"{in_percent(found[0].share, 1)} overall (corrected p {p_words(one.p)})."
            )
            step = f"Calibrate {what.lower()} for each group of {one.by}."
            yield Finding(sentence=said, grade="concern", measures=("calibration.coverage",), weight=0.5, next_step=step)


def least_coverage(promised: float, shortfall: float) -> float:
    """Return the coverage that is let pass.

    Example:
        >>> round(least_coverage(0.9, 0.1), 6), round(least_coverage(0.99, 0.1), 6)
        (0.89, 0.989)
    """
    return 1 - (1 - promised) * (1 + shortfall)


def coverage_table(found: Sequence[Coverage], title: str, size: str, note: str) -> Table:
    """Return the coverage of all rows and of each group.

    Args:
        found: The coverage of all rows, then of each group.
        title: What the table shows.
        size: Heading of the mean sizes.
        note: What a reader must know of the figures.
    """
    rows = []
    for one in found:
        rows.append((one.words, one.n, one.share, one.low, one.high, one.size, None if one.by is None else one.p))
    columns = ("rows of", "n", "hold it", "low", "high", size, "corrected p")
    return Table(title=title, columns=columns, rows=tuple(rows), note=note)
