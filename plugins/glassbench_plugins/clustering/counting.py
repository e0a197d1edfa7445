"""How many clusters: a criterion over a range of counts, and the count it prefers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from sklearn.metrics import adjusted_rand_score, silhouette_score

from glassbench.errors import FitError

Criterion = Literal["silhouette", "bic", "stability"]
PAIRS = 10
_ROWS = 2_000


class Fit(Protocol):
    """A fitted clustering."""

    def predict(self, rows: np.ndarray) -> Any:
        """Return the cluster of each row `(n,)`."""
        ...

    def bic(self, rows: np.ndarray) -> float:
        """Return the Bayesian information criterion; lower is better."""
        ...


Fitter = Callable[[np.ndarray, int], Fit]
"""From rows `(n, d)` and a number of clusters to a fitted clustering."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """How a number of clusters came about.

    Args:
        chosen: The number.
        criterion: What chose it.
        curve: The criterion at every number tried.
    """

    chosen: int
    criterion: Criterion
    curve: dict[int, float]

    @property
    def facts(self) -> dict[str, Any]:
        """The choice as facts of a training."""
        curve = {str(count): round(value, 6) for count, value in self.curve.items()}
        return {"clusters": self.chosen, "chosen_by": self.criterion, "curve": curve}


def choose(rows: np.ndarray, fit: Fitter, criterion: Criterion, most: int) -> Count:
    """Try 2 to `most` clusters and return the best number by a criterion.

    `silhouette`: the largest mean silhouette (Rousseeuw 1987), of at most 2,000 rows. `bic`: the smallest Bayesian
    information criterion (Schwarz 1978); it also tries 1. `stability`: the largest agreement, by the adjusted Rand index, of
    clusterings of ten pairs of half samples on all rows (after Ben-Hur, Elisseeff and Guyon 2002).

    Args:
        rows: `(n, d)`.
        fit: Fits a clustering of so many clusters.
        criterion: The criterion.
        most: The largest number tried; fewer where there are fewer distinct rows.

    Raises:
        FitError: There are too few distinct rows to choose among.
    """
    distinct = len(np.unique(rows, axis=0))
    counts = range(1 if criterion == "bic" else 2, min(most, distinct - 1) + 1)
    if len(counts) < 2:
        raise FitError(
            "there are too few different rows to choose a number of clusters",
            got=f"{distinct} different rows, model.most {most}",
            fix="give model.clusters a number, or more rows",
        )
    curve = {count: _value(rows, fit, criterion, count) for count in counts}
    better = min if criterion == "bic" else max
    return Count(chosen=better(curve, key=lambda count: curve[count]), criterion=criterion, curve=curve)


def check_count(rows: np.ndarray, clusters: int) -> None:
    """Refuse more clusters than there are rows to tell apart.

    Raises:
        FitError: There are more clusters than rows, or than different rows.
    """
    if clusters > len(rows):
        raise FitError(
            "there are more clusters than training rows",
            got=f"{clusters} clusters, {len(rows)} rows",
            fix=f"set model.clusters to less than {len(rows)}",
        )
    distinct = len(np.unique(rows, axis=0))
    if clusters > distinct:
        raise FitError(
            "there are more clusters than different training rows",
            got=f"{clusters} clusters, {distinct} different rows",
            fix=f"set model.clusters to at most {distinct}, or look for columns that hardly vary",
        )


def _value(rows: np.ndarray, fit: Fitter, criterion: Criterion, count: int) -> float:
    if criterion == "stability":
        return _stability(rows, fit, count)
    fitted = fit(rows, count)
    if criterion == "bic":
        return float(fitted.bic(rows))
    labels = np.asarray(fitted.predict(rows))
    if len(np.unique(labels)) < 2:
        return -1.0
    return float(silhouette_score(rows, labels, sample_size=min(len(rows), _ROWS), random_state=0))


def _stability(rows: np.ndarray, fit: Fitter, count: int) -> float:
    generator = np.random.default_rng(count)
    scores = []
    for _ in range(PAIRS):
        first, second = (generator.choice(len(rows), len(rows) // 2, replace=False) for _ in range(2))
        if min(len(np.unique(rows[half], axis=0)) for half in (first, second)) >= count:
            labels = [fit(rows[half], count).predict(rows) for half in (first, second)]
            scores.append(adjusted_rand_score(*labels))
    return float(np.mean(scores)) if scores else -1.0
