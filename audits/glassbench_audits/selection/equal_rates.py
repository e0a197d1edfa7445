"""Tests of equal selection rates, where the highest of several was picked."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr
from scipy.stats import fisher_exact

from glassbench.stats.clusters import MANY, between_groups, crossed, shuffled_clusters
from glassbench_audits.selection.categories import Breakdown, Category

DRAWS = 5_000
"""Draws behind a p-value where rows hang together, or the highest of more than two rates was picked."""

_CELLS = 4_000_000
"""Differences held in memory at a time."""

FEW = 5
"""Expected rows in a cell below which the exact test takes the place of the normal one."""


def equal_rates(
    breakdown: Breakdown, judged: Sequence[Category], best: Category, generator: np.random.Generator
) -> list[tuple[float, str]]:
    """Return for each category but the best the p-value of equal rates and the test's name.

    Of two categories of independent rows the test is that of two proportions, or Fisher's exact one. Else the highest of several
    rates was picked, or rows hang together: a p-value is then the chance that any two categories lie as far apart.

    Args:
        breakdown: All categories.
        judged: Those that take part.
        best: The one selected most.
        generator: Source of the draws.
    """
    others = [category for category in judged if category is not best]
    if len(judged) == 2 and not breakdown.clustered:
        return [p_value(others[0], best)]
    drawn = _by_clusters(breakdown, judged, generator) if breakdown.clustered else [shuffled(judged, DRAWS, generator)]
    words = "whole clusters shuffled" if breakdown.clustered else "rows shuffled among categories"
    rates = np.array([category.rate for category in judged])
    p = np.max([widest_of_pairs(each, rates, judged.index(best)) for each in drawn], axis=0)
    return [(float(p[judged.index(category)]), words) for category in others]


def p_value(a: Category, b: Category) -> tuple[float, str]:
    """Return the two-sided p-value of equal rates and the test's name: Fisher's exact one where an expected cell is below 5."""
    pooled, total = a.selected + b.selected, a.n + b.n
    smallest = min(a.n, b.n) * min(pooled, total - pooled) / total
    if smallest < FEW:
        table = [[a.selected, a.n - a.selected], [b.selected, b.n - b.selected]]
        return float(fisher_exact(table).pvalue), "Fisher's exact test"
    rate = pooled / total
    error = np.sqrt(rate * (1 - rate) * (1 / a.n + 1 / b.n))
    return float(2 * ndtr(-abs(a.rate - b.rate) / error)), "two proportions"


def _by_clusters(breakdown: Breakdown, judged: Sequence[Category], generator: np.random.Generator) -> list[np.ndarray]:
    """Return rates `(draws, categories)` as whole clusters would have them if category and selection were unrelated.

    Twice where clusters lie within categories: by deviations scaled to clusters' sizes, which categories of larger clusters than
    others mislead least, and by clusters dealt anew with their sizes, which is exact where a few clusters hold most rows. The
    larger p-value counts.
    """
    assert breakdown.frame.by_cluster is not None
    places = [category.place for category in judged]
    selected, rows = (counts[:, breakdown.metric, places] for counts in breakdown.frame.by_cluster)
    scaled = between_groups(selected, rows, DRAWS, generator)
    if crossed(rows) or len(rows) > MANY:
        return [scaled]
    return [scaled, shuffled_clusters(selected, rows, DRAWS, generator)]


def shuffled(judged: Sequence[Category], draws: int, generator: np.random.Generator) -> np.ndarray:
    """Return rates `(draws, categories)` as rows would have them that were shuffled among the categories."""
    n = np.array([category.n for category in judged])
    selected = sum(category.selected for category in judged)
    return np.asarray(generator.multivariate_hypergeometric(n, selected, size=draws, method="marginals") / n)


def widest_of_pairs(drawn: np.ndarray, rates: np.ndarray, best: int) -> np.ndarray:
    """Return for each category the chance that any two lie as far apart as it does from the one selected most `(categories,)`.

    Differences are taken in standard deviations of what each pair shows in the draws, so that a small category's scatter hides no
    sure difference of large ones (the single-step maximum of Westfall and Young 1993).

    Args:
        drawn: Rates if category and selection were unrelated `(draws, categories)`.
        rates: The rates seen `(categories,)`.
        best: Which of them is the highest.
    """
    first, second = np.triu_indices(len(rates), 1)
    covariance = np.cov(drawn, rowvar=False)
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance - 2 * covariance, 0))
    inverse = np.divide(1, spread, out=np.zeros(spread.shape), where=spread > 1e-12)
    seen = (rates[best] - rates) * inverse[best]
    step, beyond = max(1, _CELLS // len(first)), np.zeros(len(rates))
    for start in range(0, len(drawn), step):
        part = drawn[start : start + step]
        widest = (np.abs(part[:, first] - part[:, second]) * inverse[first, second]).max(axis=1)
        beyond += (widest[:, None] >= seen - 1e-9).sum(axis=0)
    return np.asarray((1 + beyond) / (1 + len(drawn)))
