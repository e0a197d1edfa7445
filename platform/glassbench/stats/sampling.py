"""What rows are a sample of: independent rows, rows that stand for several, clusters of rows that hang together, or a survey."""

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
import pandas as pd

from glassbench.stats.clusters import cluster_sums, effective_clusters, freedom
from glassbench.stats.intervals import CELLS, resampled_weights

_ONES: WeakValueDictionary[int, np.ndarray] = WeakValueDictionary()
"""Weights of rows that stand for themselves, by how many rows there are: whoever needs them shares one array."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How a number varies from sample to sample.

    Args:
        error: Its standard error.
        skewness: Skewness of what one independent row or cluster adds to it.
        units: How many independent rows or clusters it rests on.
        df: Degrees of freedom of its standard error, of a survey or of clusters of unequal sizes; None for one fewer than
            `units`.
        effective: How many units of equal weight say as much, likewise; None for `units`.
    """

    error: float
    skewness: float
    units: int
    df: float | None = None
    effective: float | None = None

    @property
    def freedom(self) -> float:
        """Degrees of freedom of its standard error."""
        return self.units - 1 if self.df is None else self.df

    @property
    def events(self) -> float:
        """How many independent rows or clusters of equal weight say as much."""
        return self.units if self.effective is None else self.effective


@dataclass(frozen=True, eq=False, kw_only=True)
class Sampling:
    """How rows were sampled. It alone resamples them, counts them and says how a number varies.

    Args:
        weight: How many rows each stands for `(n,)`; ones where each stands for itself. Of a survey, the weights of rows, in any
            unit.
        clusters: Which cluster each row is of, `(n,)` numbered from 0; None where rows are independent. Of a survey, each row is
            a cluster of its own unless it is of another: numbers then vary by linearization (Binder 1983).
        survey: Whether weights are survey weights, of which only the proportions matter, and no numbers of rows.
    """

    weight: np.ndarray
    clusters: np.ndarray | None = None
    survey: bool = False

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Sampling":
        """Read the columns `weight` or `frequency`, and `cluster`, of predictions, where they are there."""
        codes = np.asarray(pd.factorize(frame["cluster"])[0], dtype=np.int64) if "cluster" in frame else None
        if (weight := survey_weights(frame)) is not None:
            return cls(weight=weight, clusters=np.arange(len(frame)) if codes is None else codes, survey=True)
        weight = frame["frequency"].to_numpy(dtype=np.float64) if "frequency" in frame else _ones(len(frame))
        return cls(weight=weight, clusters=codes)

    def part(self, rows: np.ndarray) -> "Sampling":
        """Return the sampling of some rows, by position or truth values."""
        codes = None if self.clusters is None else np.unique(self.clusters[rows], return_inverse=True)[1]
        return Sampling(weight=self.weight[rows], clusters=codes, survey=self.survey)

    @property
    def rows(self) -> int:
        """How many rows there are, each counted as often as it stands for one; of a survey the rows asked."""
        return len(self.weight) if self.survey else round(float(self.weight.sum()))

    @property
    def n(self) -> int:
        """How many independent rows or clusters there are."""
        return self.rows if self.clusters is None else int(self.clusters.max(initial=-1)) + 1

    @property
    def clustered(self) -> bool:
        """Whether rows hang together."""
        return self.clusters is not None and not (self.survey and self.n == len(self.weight))

    @property
    def noun(self) -> str:
        """What is counted where events are: rows or clusters, of a survey as many of equal weight."""
        return ("effective " if self.survey else "") + ("clusters" if self.clustered else "rows")

    @property
    def weighted_words(self) -> str | None:
        """Say that rows have survey weights, and how many of equal weight they are worth; None where they have none."""
        if not self.survey:
            return None
        return (
            f"Values, intervals and tests weigh rows: these {self.n:,} {'clusters' if self.clustered else 'rows'} say as much as "
            f"{self.effective:,.0f} of equal weight (Kish 1965)."
        )

    @property
    def binomial(self) -> bool:
        """Whether rows are independent and count alike, so that shares of them vary as binomial ones do."""
        return self.clusters is None

    @property
    def effective(self) -> float:
        """How many rows or clusters of equal weight say as much (Kish 1965); all of them but in a survey."""
        return self.size(np.ones(len(self.weight), dtype=bool)) if self.survey else float(self.n)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the standard error of a mean."""
        if not self.survey or self.clusters is None:
            return self.n - 1.0
        return float(freedom(cluster_sums(self.weight, self.clusters), survey=True))

    def size(self, member: np.ndarray) -> float:
        """Return how many rows some are, by truth values `(n,)`; of a survey how many of equal weight would say as much."""
        weight = self.weight[member]
        if not self.survey or self.clusters is None or not len(weight):
            return float(weight.sum())
        return float(effective_clusters(cluster_sums(weight, self.clusters[member])))

    def mean(self, values: np.ndarray) -> float:
        """Return the mean of values `(n,)` over rows; NaN without rows."""
        total = self.weight.sum()
        return float(self.weight @ values / total) if total > 0 else float("nan")

    def deviation(self, values: np.ndarray) -> float:
        """Return the standard deviation of values `(n,)` over rows, those that are not known (NaN) left out; NaN without any."""
        there = np.isfinite(values)
        known, weight = values[there], self.weight[there]
        if not len(known):
            return float("nan")
        mean = weight @ known / weight.sum()
        return float((weight @ (known - mean) ** 2 / weight.sum()) ** 0.5)

    def quantile(self, values: np.ndarray, level: float) -> float:
        """Return a quantile of values `(n,)` over rows, each counted as often as it stands for one.

        Between two rows as numpy's default has it; of a survey the lowest value that rows of as much weight do not exceed.
        """
        if self.survey:
            return float(np.quantile(values, level, weights=self.weight, method="inverted_cdf"))
        plain = bool((self.weight == 1).all())
        return float(np.quantile(values if plain else np.repeat(values, self.weight.astype(np.int64)), level))

    def count(self, member: np.ndarray) -> float:
        """Return in how many independent rows or clusters of one size (of a survey, weight) something is, by truth values `(n,)`.

        One cluster that holds nearly all of the rows says hardly more than a cluster does.
        """
        if self.clusters is None:
            return round(float(self.weight[member].sum()))
        held = self.weight[member]
        return float(effective_clusters(cluster_sums(held, self.clusters[member]))) if len(held) else 0.0

    def spread(self, influence: np.ndarray) -> Spread:
        """Return how a number varies, from what each row adds to it.

        Args:
            influence: How far one row moves the number, times the number of rows `(n,)` (Hampel 1974); of a mean, the values
                less their mean.
        """
        total = self.weight.sum()
        if self.clusters is None:
            each, held, units = influence, self.weight, total
        else:
            each = np.bincount(self.clusters, weights=self.weight * influence, minlength=self.n)
            units, sizes = float(len(each)), np.bincount(self.clusters, weights=self.weight, minlength=self.n)
            each, held = each * units / total, np.ones(len(each))
        if units < 2:
            return Spread(error=float("inf"), skewness=0.0, units=int(units))
        centred = each - held @ each / units
        power = centred * centred
        second = held @ power / units
        power *= centred  # a power of 3 takes ten times as long
        third = held @ power / units
        skewness = third / second**1.5 if second > 0 else 0.0
        error = float((second / (units - 1)) ** 0.5)
        own = {"df": self.freedom, "effective": self.effective} if self.survey else {}
        if self.clusters is not None and not self.survey:
            alike = float(effective_clusters(sizes))
            own = {"df": alike - 1, "effective": alike}
        return Spread(error=error, skewness=float(skewness), units=round(units), **own)

    def resampled(self, replicates: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield bootstrap weights in blocks `(b, n)`: of rows, of counts (as a multinomial), or of whole clusters."""
        if self.clusters is not None or bool((self.weight == 1).all()):
            for times in resampled_weights(len(self.weight), replicates, generator, self.clusters):
                yield times * self.weight
            return
        n, block = self.rows, max(1, CELLS // len(self.weight))
        for start in range(0, replicates, block):
            size = min(block, replicates - start)
            yield generator.multinomial(n, self.weight / n, size=size).astype(np.float64)

    def left_out(self, generator: np.random.Generator, most: int) -> np.ndarray:
        """Return weights `(b, n)` that leave out one block each, of at most `most` blocks that rows or clusters are put into."""
        drawn = self.n if self.clusters is not None else len(self.weight)
        blocks = min(drawn, most)
        member = generator.permutation(drawn) % blocks
        member = member if self.clusters is None else member[self.clusters]
        return np.asarray(self.weight * (member != np.arange(blocks)[:, None]))


def _ones(rows: int) -> np.ndarray:
    """Return as many ones, in an array that nobody can change; the same as long as somebody keeps it."""
    ones = _ONES.get(rows)
    if ones is None:
        ones = np.ones(rows)
        ones.flags.writeable = False
        _ONES[rows] = ones
    return ones


def survey_weights(frame: pd.DataFrame) -> np.ndarray | None:
    """Return the column `weight` of predictions with a mean of 1 `(n,)`, or None where there is none."""
    if "weight" not in frame:
        return None
    weight = frame["weight"].to_numpy(dtype=np.float64)
    return np.asarray(weight * (len(weight) / weight.sum())) if len(weight) else weight
