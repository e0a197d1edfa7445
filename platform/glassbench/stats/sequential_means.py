"""Whether a mean has changed since a reference sample was taken, asked as often as one likes.

The reference is a finite random sample, and so are the rows that come after it. For each pair of means that the two may have,
wealth is bet against both samples at once (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
betting", JRSS B 86). Under that pair the wealth is a non-negative martingale with mean 1, so it ever exceeds 1/alpha with a
chance of at most alpha (Ville 1939), however often and whenever one looks. Against a composite hypothesis, the least wealth over
all its pairs counts. Nothing is approximated: it holds for samples of any size, also of a handful of rows.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import expit, logsumexp

RESOLUTION = 50
"""Values between 0 and 1 are counted in steps of 1/50."""

_EFFECTS = np.array([0.5, 0.75, 1.0, 1.4, 3.0, 8.0])
_EFFECT_WEIGHTS = np.array([0.08, 0.30, 0.34, 0.15, 0.08, 0.05])
_SPLIT_WEIGHTS = np.array([0.05, 0.25, 0.50, 0.15, 0.05])
_BOLDEST = 0.95
"""No bet stakes more than this share of the wealth."""

_GRID = expit(np.linspace(-16, 16, 65))
_ZOOMS, _FINE = 3, 13
_STEPS = 14


@dataclass(frozen=True, eq=False)
class CountedValues:
    """Independent values between 0 and 1, counted.

    Args:
        values: The different values `(v,)`, each from 0 to 1.
        counts: How often each occurs `(v,)`.
    """

    values: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray) -> "CountedValues":
        """Count numbers from 0 to 1 `(n,)`, rounded to steps of 1/50; what is 0 or 1 stays so.

        Raises:
            ValueError: A number is none, or lies outside.
        """
        given = np.asarray(numbers, dtype=float)
        if not np.all((given >= 0) & (given <= 1)):
            raise ValueError("values lie between 0 and 1")
        steps, counts = np.unique(np.rint(given * RESOLUTION).astype(int), return_counts=True)
        return cls(steps / RESOLUTION, counts.astype(float))

    @cached_property
    def n(self) -> int:
        """How many values there are."""
        return int(self.counts.sum())

    @cached_property
    def mean(self) -> float | None:
        """Their mean; None where there are none."""
        return float(self.values @ self.counts / self.n) if self.n else None

    def __add__(self, other: "CountedValues") -> "CountedValues":
        """Return the values of both."""
        values, place = np.unique(np.concatenate([self.values, other.values]), return_inverse=True)
        return CountedValues(values, np.bincount(place, np.concatenate([self.counts, other.counts]), len(values)))

    def to_json(self) -> dict[str, int]:
        """Return the counts by value in steps, as plain JSON values."""
        return {str(round(v * RESOLUTION)): int(c) for v, c in zip(self.values, self.counts, strict=True)}

    @classmethod
    def from_json(cls, content: dict[str, int]) -> "CountedValues":
        """Rebuild counts from `to_json`."""
        pairs = sorted((int(step), int(count)) for step, count in content.items())
        if any(not 0 <= step <= RESOLUTION or count < 0 for step, count in pairs):
            raise ValueError("counts of values are out of range")
        steps, counts = np.array(pairs, dtype=float).reshape(-1, 2).T
        return cls(steps / RESOLUTION, counts)


NONE = CountedValues(np.empty(0), np.empty(0))
"""No values."""


@dataclass(frozen=True, kw_only=True)
class MeanChange:
    """A confidence sequence for how far a mean has moved from that of a reference sample.

    Args:
        alpha: The chance that the sequence ever misses the true change.
        up: The prior weight of a rise among the bets; the rest is that of a fall. It moves power, not validity.
        effect: The change that the bets find soonest; it moves power, not validity.
    """

    alpha: float
    up: float = 0.5
    effect: float = 0.05
    _threshold: float = field(init=False)

    def __post_init__(self) -> None:
        """Work out the wealth that rejects, as a logarithm."""
        object.__setattr__(self, "_threshold", float(-np.log(self.alpha)))

    def log_evidence(self, reference: CountedValues, new: CountedValues, change: float = 0.0) -> float:
        """Return the logarithm of the wealth against the mean having changed by `change`; 0 is none, log(1/alpha) rejects."""
        if not reference.n or not new.n:
            return 0.0
        low, high = max(0.0, -change), min(1.0, 1.0 - change)
        if high - low < 1e-12:
            return np.inf
        bets = self._bets(reference.n)
        grid, least = low + (high - low) * _GRID, np.inf
        for _ in range(_ZOOMS):
            wealth = _log_wealth(grid, change, reference, new, *bets)
            place, least = int(np.argmin(wealth)), min(least, float(wealth.min()))
            grid = np.linspace(grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)], _FINE)
        return least

    def interval(self, reference: CountedValues, new: CountedValues) -> tuple[float, float]:
        """Return the changes that are not rejected, from -1 to 1."""
        if reference.mean is None or new.mean is None:
            return -1.0, 1.0
        found = new.mean - reference.mean
        return self._end(reference, new, found, -1.0), self._end(reference, new, found, 1.0)

    def rejects(self, reference: CountedValues, new: CountedValues) -> bool:
        """Whether these values show that the mean has changed."""
        return self.log_evidence(reference, new) >= self._threshold

    def _end(self, reference: CountedValues, new: CountedValues, inside: float, outside: float) -> float:
        """Return where the evidence crosses the threshold, erring to the outside."""
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            if self.log_evidence(reference, new, middle) < self._threshold:
                inside = middle
            else:
                outside = middle
        return outside

    def _bets(self, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the direction of each bet, the moves of both means it bets on `(j,)`, and the logarithm of its weight.

        A change of size d is bet on as a move of the reference's mean by a part of d and of the new mean by the rest. The part
        is what is likely when a fixed sample would just find the change, and some others beside it.
        """
        parts, weights = [], []
        for size, weight in zip(_EFFECTS * self.effect, _EFFECT_WEIGHTS, strict=True):
            needed = 0.26 * (self._threshold + 1.5) / size**2
            later = 1 / (1 / needed - 1 / rows) if rows > 1.2 * needed else 5.0 * rows
            share = later / (rows + later)
            for part, likely in zip((0.0, share / 2, share, (1 + share) / 2, 1.0), _SPLIT_WEIGHTS, strict=True):
                parts.append((size * part, size * (1 - part)))
                weights.append(weight * likely)
        moves, log_weights = np.array(parts), np.log(weights)
        with np.errstate(divide="ignore"):
            both = np.concatenate([log_weights + np.log(self.up), log_weights + np.log1p(-self.up)])
        sign = np.repeat([1.0, -1.0], len(moves))
        return sign, np.tile(moves[:, 0], 2), np.tile(moves[:, 1], 2), both


def _log_wealth(
    mean: np.ndarray,
    change: float,
    reference: CountedValues,
    new: CountedValues,
    sign: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    log_weights: np.ndarray,
) -> np.ndarray:
    """Return the logarithm of the wealth against a mean of the reference `(k,)` and one that lies `change` above it."""
    mean = np.clip(mean, max(0.0, -change) + 1e-15, min(1.0, 1.0 - change) - 1e-15)[:, None]
    gain = _log_gain(mean, -sign, before, reference) + _log_gain(mean + change, sign, after, new)
    return np.asarray(logsumexp(gain + log_weights, axis=1))


def _log_gain(mean: np.ndarray, sign: np.ndarray, move: np.ndarray, sample: CountedValues) -> np.ndarray:
    """Return what bets that the mean lies `move` beyond `mean` gain on a sample `(k, j)`, as a logarithm."""
    most = _BOLDEST / np.where(sign > 0, mean, 1 - mean)
    stake = sign * np.minimum(move / (mean * (1 - mean)), most)
    gain = np.zeros(stake.shape)
    for value, count in zip(sample.values, sample.counts, strict=True):
        gain += count * np.log1p(stake * (value - mean))
    return gain
