"""Areas under the ROC curve that show how a group's scores lie among everyone else's (Borkan et al. 2019)."""

from dataclasses import dataclass

import numpy as np

from glassbench.stats.intervals import percentile

MOST_SIDE = 1500
MEANINGS = {
    "subgroup_auc": "within the texts that mention the group",
    "bpsn_auc": "texts without a mention that are positive, against texts with one that are negative",
    "bnsp_auc": "texts without a mention that are negative, against texts with one that are positive",
}
"""What each area compares."""


@dataclass(frozen=True, kw_only=True)
class Area:
    """An area under the ROC curve.

    Args:
        name: Which of the three, or `auc` for all rows.
        value, low, high: The area and its interval; NaN where a side is empty.
        positives, negatives: Rows on each side.
    """

    name: str
    value: float
    low: float
    high: float
    positives: int
    negatives: int


def areas(
    scores: np.ndarray, positive: np.ndarray, member: np.ndarray, generator: np.random.Generator, *, replicates: int, level: float
) -> tuple[Area, ...]:
    """Return subgroup, BPSN and BNSP area of one group.

    A low BPSN area says that mentions raise scores (false alarms among texts that mention the group), a low BNSP area that
    they lower them.

    Args:
        scores: Score of the positive class `(n,)`.
        positive: Whether a row is actually positive `(n,)`.
        member: Whether a row mentions the group `(n,)`.
        generator: Draws the resamples.
        replicates: How many.
        level: Confidence level.
    """
    sides = {
        "subgroup_auc": (member & positive, member & ~positive),
        "bpsn_auc": (~member & positive, member & ~positive),
        "bnsp_auc": (member & positive, ~member & ~positive),
    }
    return tuple(
        area(name, scores[up], scores[down], generator, replicates=replicates, level=level) for name, (up, down) in sides.items()
    )


def area(
    name: str, above: np.ndarray, below: np.ndarray, generator: np.random.Generator, *, replicates: int, level: float
) -> Area:
    """Return the chance that a score of `above` `(p,)` lies over one of `below` `(q,)`, ties one half, resampling each side."""
    counts = {"positives": len(above), "negatives": len(below)}
    if not len(above) or not len(below):
        return Area(name=name, value=np.nan, low=np.nan, high=np.nan, **counts)
    above, below = _some(above, generator), _some(below, generator)
    wins = (above[:, None] > below).astype(np.float64) + 0.5 * (above[:, None] == below)
    up = generator.multinomial(len(above), np.full(len(above), 1 / len(above)), replicates) / len(above)
    down = generator.multinomial(len(below), np.full(len(below), 1 / len(below)), replicates) / len(below)
    draws = np.einsum("bq,bq->b", up @ wins, down)
    low, high = percentile(draws, level)
    return Area(name=name, value=float(wins.mean()), low=float(low), high=float(high), **counts)


def _some(scores: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return scores if len(scores) <= MOST_SIDE else generator.choice(scores, MOST_SIDE, replace=False)
