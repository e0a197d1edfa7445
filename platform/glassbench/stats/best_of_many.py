"""The interval of the best of several candidates, which was chosen because its number came out well."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from glassbench.stats.cross_validation import Folds
from glassbench.stats.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """The estimates of one candidate, one for each seed.

    Args:
        estimates: The estimates; one that is undefined makes the candidate undefined.
        folds: The cross-validation whose folds they are of; None where each is of a seed of its own.
    """

    estimates: Sequence[Estimate]
    folds: Folds | None = None

    @property
    def undefined(self) -> str | None:
        """Why the candidate has no value, or None."""
        return next(
            (e.undefined for e in self.estimates if e.value is None), None if self.estimates else "no run came to its end"
        )

    @property
    def value(self) -> float:
        """Mean over seeds; NaN where a value is missing."""
        return math.nan if self.undefined else float(np.mean([float(e.value or 0.0) for e in self.estimates]))

    def interval(self, level: float, seeds: "SeedVariance | None" = None) -> tuple[float, float] | None:
        """Return an interval of the candidate's expected value; None where an estimate carries none.

        The squared arm is the mean squared arm of single estimates, which speaks for the rows, and the variance of the mean over
        seeds. That rows of different seeds differ is not counted on, so that it also holds where all seeds judge the same rows;
        elsewhere it is wider than need be. Quantiles are Student's, with the degrees of freedom of Satterthwaite (1946). With one
        seed it speaks of that very model.

        Of folds, the variance between them speaks for the rows too, and is corrected for the training rows that they share
        (Nadeau and Bengio 2003); the intervals of single folds are not used.

        Args:
            level: Confidence level, whatever the level of the single estimates.
            seeds: The variance between seeds that all candidates share; it is used where the candidate's own is smaller, for one
                of few seeds is often far too small by chance. None takes the candidate's own.
        """
        if self.folds is not None:
            return self._fold_interval(level, seeds)
        if self.undefined or any(e.low is None or e.high is None for e in self.estimates):
            return None
        seeds = self.seeds.larger(seeds)
        between = seeds.value / len(self.estimates)
        squares = [self._square(side) for side in (-1, 1)]
        below, above = (math.sqrt(s + between) * _quantile(s, between, seeds.freedom, level) for s in squares)
        return self.value - below, self.value + above

    @property
    def seeds(self) -> "SeedVariance":
        """The variance between its own seeds."""
        values = [float(e.value or 0.0) for e in self.estimates]
        return SeedVariance(float(np.var(values, ddof=1)), len(values) - 1) if len(values) > 1 else SeedVariance(0.0, 0)

    def _fold_interval(self, level: float, shared: "SeedVariance | None") -> tuple[float, float] | None:
        spread = self.seeds.larger(shared)
        if self.undefined or self.folds is None or spread.freedom == 0:
            return None
        error = math.sqrt(self.folds.variance_of_mean(spread.value, len(self.estimates)))
        arm = float(stats.t.ppf(0.5 + level / 2, spread.freedom)) * error
        return self.value - arm, self.value + arm

    def _square(self, side: int) -> float:
        """Return the mean squared standard error that an arm of the single intervals stands for."""
        errors = []
        for e in self.estimates:
            assert e.value is not None
            end = e.low if side < 0 else e.high
            assert end is not None
            errors.append(abs(end - e.value) / float(stats.norm.ppf(0.5 + e.level / 2)))
        return float(np.mean(np.square(errors)))


@dataclass(frozen=True)
class SeedVariance:
    """The variance of a number between seeds, and its degrees of freedom; 0 and 0 where there is one seed."""

    value: float
    freedom: int

    def larger(self, other: "SeedVariance | None") -> "SeedVariance":
        """Return the other where it is larger, or rests on seeds where this one does not."""
        return other if other is not None and other.value >= self.value else self


def _quantile(square: float, between: float, freedom: int, level: float) -> float:
    if between == 0:
        return float(stats.norm.ppf(0.5 + level / 2))
    return float(stats.t.ppf(0.5 + level / 2, freedom * ((square + between) / between) ** 2))


def shared_variance(candidates: Sequence[Repeated]) -> SeedVariance:
    """Return the variance between seeds, pooled over candidates."""
    own = [one.seeds for one in candidates if not one.undefined]
    freedom = sum(one.freedom for one in own)
    return SeedVariance(sum(one.value * one.freedom for one in own) / freedom, freedom) if freedom else SeedVariance(0.0, 0)


def simultaneous_level(level: float, candidates: int) -> float:
    """Return the level at which each of several intervals holds so that all do at once (Bonferroni).

    The interval of whichever candidate was chosen then holds too, however they depend on each other: the projection interval of
    Andrews, Kitagawa and McCloskey (2024), "Inference on Winners".

    Example:
        >>> round(simultaneous_level(0.95, 20), 4)
        0.9975
    """
    return 1 - (1 - level) / max(1, candidates)


def intervals_at_once(candidates: Sequence[Repeated], level: float = 0.95) -> list[tuple[float, float] | None]:
    """Return an interval for each candidate; all hold at once, so that of whichever was chosen for its value holds too.

    Args:
        candidates: The candidates.
        level: Confidence level of all intervals together.
    """
    each, seeds = simultaneous_level(level, len(candidates)), shared_variance(candidates)
    return [one.interval(each, seeds) for one in candidates]
