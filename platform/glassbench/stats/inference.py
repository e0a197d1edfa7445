"""A number with its limits at any level of confidence, from how it came about: a share, a mean, an influence function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

from glassbench.stats.clusters import cluster_sums, effective_rows, freedom, student
from glassbench.stats.estimate import Estimate, too_few
from glassbench.stats.intervals import rate_interval, score_interval
from glassbench.stats.sampling import Sampling, Spread

Limits = Callable[[float], tuple[float, float]]
"""From a two-sided critical value of the normal distribution to the ends of an interval."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Inference:
    """A number measured on a sample, with limits at any level.

    Args:
        value: The point value, NaN where undefined.
        error: Its standard error.
        n: Independent rows or clusters it rests on.
        limits: The ends of its interval at a critical value; NaN where there is none.
        unsupported: Why it carries no interval (too few events), or None.
        influence: How far each row moves it, times the number of rows `(n,)`; None where that is not known.
        freedom: Degrees of freedom of the standard error; None for one fewer than `n`. Weights leave fewer.
    """

    value: float
    error: float
    n: int
    limits: Limits
    unsupported: str | None = None
    influence: np.ndarray | None = None
    freedom: float | None = None

    def estimate(self, level: float) -> Estimate:
        """Return the number with its interval at one level."""
        low, high = self.limits(float(ndtri(0.5 + level / 2)))
        return Estimate.of(self.value, low, high, level=level, n=self.n, unsupported=self.unsupported)


def undefined(n: int) -> Inference:
    """Return a number that rows do not define."""
    return Inference(value=np.nan, error=np.nan, n=n, limits=lambda z: (np.nan, np.nan))


def rate_limits(value: float, size: float, z: float, df: float = np.inf) -> tuple[float, float]:
    """Return the ends of one share's interval: of independent rows `rate_interval`, of clusters the score interval by their t.

    Args:
        value: The share.
        size: How many independent rows would vary as much.
        z: Critical value of the normal distribution.
        df: Degrees of freedom; infinite where rows are independent.
    """
    if np.isinf(df):
        low, high = rate_interval(np.array(value * size), np.array(size), 2 * float(ndtr(z)) - 1)
    else:
        low, high = score_interval(np.array(value), np.array(size), student(z, np.array(df)))
    return float(low), float(high)


def share(hits: np.ndarray, sampling: Sampling, among: np.ndarray | None = None) -> Inference:
    """Return the share of rows with a property.

    Args:
        hits: Whether each row has it `(n,)`.
        sampling: How the rows were sampled.
        among: Which rows are asked `(n,)`; None for all.
    """
    if among is not None:
        hits, sampling = hits[among], sampling.part(among)
    n, value = sampling.rows, sampling.mean(hits.astype(np.float64))
    if n == 0:
        return undefined(0)
    value = min(value, 1.0)  # weights may add up to one in the last place more
    error = sampling.spread(hits - value).error
    size, df = float(n), np.inf
    if sampling.clusters is not None:
        part, whole = (cluster_sums(numbers, sampling.clusters) for numbers in (sampling.weight * hits, sampling.weight))
        size = float(effective_rows(part, whole, n if sampling.survey else None))
        df = float(freedom(whole, survey=sampling.survey))
    influence = hits - value if among is None else None
    return Inference(
        value=value,
        error=error,
        n=n,
        limits=lambda z: rate_limits(value, size, z, df),
        influence=influence,
        freedom=df if sampling.survey else None,
    )


def effective_size(value: float, error: float, sampling: Sampling) -> float:
    """Return how many independent rows would make a share vary as much, from its standard error (Kish 1965).

    Never more than the rows; the number of clusters where no cluster differs from another.
    """
    if sampling.binomial:
        return float(sampling.rows)
    if not (0 < value < 1 and 0 < error < np.inf):
        return sampling.effective
    return float(min(value * (1 - value) / error**2, sampling.rows))


def mean(
    values: np.ndarray, sampling: Sampling, *, lowest: float = -np.inf, highest: float = np.inf, unsupported: str | None = None
) -> Inference:
    """Return the mean of values `(n,)` with studentized limits.

    Args:
        values: One value per row `(n,)`.
        sampling: How the rows were sampled.
        lowest, highest: What a mean can never lie beyond.
        unsupported: Why it carries no interval beyond having fewer than five rows, or None.
    """
    value = sampling.mean(values)
    return from_influence(value, values - value, sampling, lowest=lowest, highest=highest, unsupported=unsupported)


def from_influence(
    value: float,
    influence: np.ndarray,
    sampling: Sampling,
    *,
    lowest: float = -np.inf,
    highest: float = np.inf,
    unsupported: str | None = None,
) -> Inference:
    """Return a number with studentized limits from its influence function.

    Args:
        value: The number.
        influence: How far one row moves it, times the number of rows `(n,)`.
        sampling: How the rows were sampled.
        lowest, highest: What it can never lie beyond.
        unsupported: Why it carries no interval beyond having fewer than five rows, or None.
    """
    if not np.isfinite(value):
        return undefined(sampling.n)
    found = studentized(value, sampling.spread(influence), sampling, lowest=lowest, highest=highest, unsupported=unsupported)
    return replace(found, influence=influence)


def difference(a: Inference, b: Inference, sampling: Sampling) -> Inference | None:
    """Return how far one number lies above another on the same rows, paired; None where influences are not known."""
    if a.influence is None or b.influence is None:
        return None
    few = a.unsupported or b.unsupported
    return from_influence(a.value - b.value, a.influence - b.influence, sampling, unsupported=few)


def studentized(
    value: float,
    spread: Spread,
    sampling: Sampling,
    *,
    lowest: float = -np.inf,
    highest: float = np.inf,
    unsupported: str | None = None,
) -> Inference:
    """Return a number with limits by Student's t: skewness-corrected, or on the logit scale where it is bounded on both sides."""
    few = unsupported or too_few(spread.events, sampling.noun)
    bounded = bool(np.isfinite([lowest, highest]).all())

    def limits(z: float) -> tuple[float, float]:
        if few is not None:
            return np.nan, np.nan
        if bounded and lowest < value < highest:
            return logit_limits(value, (spread.error, spread.error), spread.freedom, z, lowest, highest)
        if bounded:
            low, high = rate_limits((value - lowest) / (highest - lowest), spread.events, z)
            return lowest + (highest - lowest) * low, lowest + (highest - lowest) * high
        low, high = skewed_limits(value, spread, z, one_sided=bool(np.isfinite([lowest, highest]).any()))
        return max(low, lowest), min(high, highest)

    df = spread.freedom if sampling.survey else None
    return Inference(value=value, error=spread.error, n=sampling.n, limits=limits, unsupported=few, freedom=df)


def skewed_limits(value: float, spread: Spread, z: float, *, one_sided: bool) -> tuple[float, float]:
    """Return Student's limits after Hall's transformation, which takes out the skewness of a studentized mean.

    Hall (1992), "On the removal of skewness by transformation". A sample of few skewed values shows too little of its skewness,
    for the tail is missing from it. So what it shows is raised for the end on the tail's side, by up to 2, and less for the
    other end, by up to 1.5. Numbers that vary to both sides may show a skewness that chance put there: the end away from the
    tail then gets half of what is shown. The factors were chosen on made values of several kinds;
    docs/explanation/calibration.md holds what others came to.

    Args:
        value: The number.
        spread: How it varies.
        z: Critical value of the normal distribution.
        one_sided: Whether it is a mean of values that reach far to one side alone, such as sizes of errors.
    """
    t = float(stdtrit(max(spread.freedom, 1), ndtr(z)))
    root = spread.units**0.5
    tail = 1 + min(1.0, 6 / root)
    near = 1 + min(0.5, 3 / root) if one_sided else 0.5
    below, above = (near, tail) if spread.skewness > 0 else (tail, near)
    low = value - _untransformed(t, spread.skewness * below / root) * spread.error
    high = value - _untransformed(-t, spread.skewness * above / root) * spread.error
    return min(low, value), max(high, value)


def _untransformed(t: float, skewness: float) -> float:
    """Return the studentized mean whose transformed value is t, its skewness divided by the root of the number of rows."""
    if abs(skewness) < 1e-9:
        return t
    return float(3 / skewness * (np.cbrt(1 + skewness * (t - skewness / 6)) - 1))


def logit_limits(
    value: float, errors: tuple[float, float], df: float, z: float, lowest: float = 0.0, highest: float = 1.0
) -> tuple[float, float]:
    """Return Student's limits on the logit scale of a number between two bounds, with a standard error for either end."""
    width = highest - lowest
    at = (value - lowest) / width
    t, slope = float(stdtrit(max(df, 1), ndtr(z))), at * (1 - at) * width
    low, high = (float(expit(logit(at) + sign * t * error / slope)) for sign, error in zip((-1, 1), errors, strict=True))
    return lowest + width * low, lowest + width * high


def mean_of_shares(
    hits: np.ndarray, member: Sequence[np.ndarray], sampling: Sampling, unsupported: str | None = None
) -> Inference:
    """Return the mean of shares among several kinds of rows, such as the recalls of classes.

    Its limits are recovered from those of the shares (the method of variance estimates recovery, Zou and Donner 2008), which
    are independent; where clusters hold rows of several kinds, Student's limits on the logit scale.

    Args:
        hits: Whether each row has the property `(n,)`.
        member: For each kind, which rows are of it `(n,)`, none empty.
        sampling: How the rows were sampled.
        unsupported: Why there are too few events for an interval, or None.
    """
    n = sampling.n
    if not member:
        return undefined(n)
    parts = [share(hits, sampling, among) for among in member]
    values, count = np.array([part.value for part in parts]), len(parts)
    value = float(values.mean())
    total = sampling.weight.sum()
    influence = sum(
        among * (hits - part.value) * total / sampling.weight[among].sum() for among, part in zip(member, parts, strict=True)
    )
    influence = np.asarray(influence) / count
    if sampling.clustered:
        return from_influence(value, influence, sampling, lowest=0.0, highest=1.0, unsupported=unsupported)

    def limits(z: float) -> tuple[float, float]:
        if unsupported is not None:
            return np.nan, np.nan
        ends = np.array([part.limits(z) for part in parts])
        low, high = (float(np.sqrt(((values - ends[:, side]) ** 2).sum())) / count for side in (0, 1))
        return value - low, value + high

    error = float(np.sqrt(sum(part.error**2 for part in parts))) / count
    return Inference(value=value, error=error, n=n, limits=limits, unsupported=unsupported, influence=influence)
