"""A bet that pays off at one number of rows, fixed in advance: where a fixed-size test would look.

Bets on a change of every size at every time pay for times at which nobody could find the change. This one stakes its wealth so
that it is either enough to reject or 0 once a planned number of rows has come. Before that it is worth what it will pay times the
chance that it pays, which is a martingale (Doob), so that clear changes are found sooner. The chance is exact: binomial before
the planned number of rows, hypergeometric where a look comes after it, since the order of rows within a look is not told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import logsumexp
from scipy.stats import binom, hypergeom, norm

from glassbench.stats.counted_values import CountedValues, log_gain

_POWER = float(norm.ppf(0.975) + norm.ppf(0.8))
_LONGER = 1.4
"""The planned rows over those that a two-sided test at 5 % takes for a power of 80 %."""

_PARTS = np.array([0.0, 0.5, 0.85])
_WEIGHTS = np.array([0.03, 0.04, 0.93])
"""What is bet on the reference's own error, as parts of what a just visible change would have it, and how much on each."""

_USUAL = 0.13, 0.2
"""The variance and the later share that stakes on the reference are worked out for."""

_MOST = 20
"""The most planned rows that these stakes are worked out for, as multiples of the reference's."""

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class PlannedLook:
    """Bets that a share has risen since a reference sample, to be decided at a planned number of rows.

    Args:
        reference: The reference sample, of 0 and 1.
        rows: The planned number of new rows; None where the reference is too small for any, and the bet on new rows is left out.
        alpha: The chance that the bet ever rejects a share that has not risen.
        effect: The rise that it is planned for.
    """

    reference: CountedValues
    rows: int | None
    alpha: float
    effect: float

    @classmethod
    def of(cls, reference: CountedValues, alpha: float, effect: float) -> Self | None:
        """Plan a look; None where values are others than 0 and 1."""
        if not reference.n or not reference.binary:
            return None
        share = (float(reference.values @ reference.counts) + 0.5) / (reference.n + 1)
        rows = _planned_rows(share * (1 - share), min(share + effect, 1.0), reference.n, effect)
        return cls(reference=reference, rows=rows, alpha=alpha, effect=effect)

    def log_wealth(self, mean: np.ndarray, change: float, looks: Sequence[CountedValues]) -> np.ndarray:
        """Return the logarithm of the wealth against shares of the reference `(k,)` and one that lies `change` above it.

        Args:
            mean: The shares of the reference.
            change: How far the new share lies above.
            looks: All new values at each look, rising in number.
        """
        known, new = np.clip(mean, _ROUNDING, 1 - _ROUNDING), np.clip(mean + change, _ROUNDING, 1 - _ROUNDING)
        won = self._won(known)
        if self.rows is None:
            return won
        level = self.alpha * np.exp(np.minimum(won, -np.log(self.alpha))) * (1 - _ROUNDING)
        least = binom.isf(level, self.rows, new) + 1
        least += binom.sf(least - 1, self.rows, new) > level
        with np.errstate(divide="ignore", invalid="ignore"):
            paid = np.log(_chance(self.rows, least, new, looks)) - np.log(binom.sf(least - 1, self.rows, new))
        return np.asarray(won + np.where(np.isnan(paid), -np.inf, paid))

    def _won(self, mean: np.ndarray) -> np.ndarray:
        """Return the logarithm of what bets on the reference itself win against its means `(k,)`.

        What is staked depends on the number of its rows alone, and not on what they hold, so that it wins nothing on average.
        """
        known = self.reference.n
        rows = min(_planned_rows(*_USUAL, known, self.effect) or _MOST * known, _MOST * known)
        parts = _PARTS * (rows / (rows + known) * self.effect)
        return np.asarray(logsumexp(log_gain(mean[:, None], -np.ones(3), parts, self.reference) + np.log(_WEIGHTS), axis=1))


def _planned_rows(variance: float, later: float, known: int, effect: float) -> int | None:
    """Return the new rows to plan for; None where a reference of so many rows is too small for any.

    Args:
        variance: Of the reference's values.
        later: The share of 1 that is to be found.
        known: Rows of the reference.
        effect: How far that lies above the reference's.
    """
    left = (effect / _POWER) ** 2 - variance / known
    return None if left <= 0 else max(1, int(_LONGER * later * (1 - later) / left))


def _chance(planned: int, least: np.ndarray, mean: np.ndarray, looks: Sequence[CountedValues]) -> np.ndarray:
    """Return how likely at least so many of the planned rows are 1 `(k,)`, of what the looks have told."""
    rows, hits = 0, 0
    for look in looks:
        now, found = look.n, int(look.values @ look.counts)
        if now >= planned:
            return np.asarray(hypergeom.sf(least - hits - 1, now - rows, found - hits, planned - rows))
        rows, hits = now, found
    return np.asarray(binom.sf(least - hits - 1, planned - rows, mean))
