"""Values between 0 and 1 as counts, and what bets on their mean win."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

RESOLUTION = 50
"""Values between 0 and 1 are counted in steps of 1/50."""

_BOLDEST = 0.95
"""No bet stakes more than this share of the wealth."""


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

    @property
    def binary(self) -> bool:
        """Whether all of them are 0 or 1."""
        return bool(np.isin(self.values[self.counts > 0], (0.0, 1.0)).all())

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


def log_gain(mean: np.ndarray, sign: np.ndarray, move: np.ndarray, sample: CountedValues) -> np.ndarray:
    """Return what bets that the mean lies `move` beyond `mean` gain on a sample `(k, j)`, as a logarithm."""
    most = _BOLDEST / np.where(sign > 0, mean, 1 - mean)
    stake = sign * np.minimum(move / (mean * (1 - mean)), most)
    gain = np.zeros(stake.shape)
    for value, count in zip(sample.values, sample.counts, strict=True):
        gain += count * np.log1p(stake * (value - mean))
    return gain
