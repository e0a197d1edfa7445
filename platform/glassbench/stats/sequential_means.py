"""Whether a mean has changed since a reference sample was taken, asked as often as one likes.

The reference is a finite random sample, and so are the rows that come after it. For each pair of means that the two may have,
wealth is bet against both samples at once (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
betting", JRSS B 86). Under that pair the wealth is a non-negative martingale with mean 1, so it ever exceeds 1/alpha with a
chance of at most alpha (Ville 1939), however often and whenever one looks. A part of the wealth may be bet on a planned number of
rows (`planned_look`). Against a composite hypothesis, the least wealth over
all its pairs counts. Nothing is approximated: it holds for samples of any size, also of a handful of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logsumexp

from glassbench.stats.counted_values import CountedValues, log_gain
from glassbench.stats.planned_look import PlannedLook

_EFFECTS = np.array([0.5, 0.75, 1.0, 1.4, 3.0, 8.0])
_EFFECT_WEIGHTS = np.array([0.08, 0.30, 0.34, 0.15, 0.08, 0.05])
_SPLIT_WEIGHTS = np.array([0.05, 0.25, 0.50, 0.15, 0.05])
_GRID = expit(np.linspace(-16, 16, 65))
_ZOOMS, _FINE = 3, 13
_STEPS = 14


@dataclass(frozen=True, kw_only=True)
class MeanChange:
    """A confidence sequence for how far a mean has moved from that of a reference sample.

    Args:
        alpha: The chance that the sequence ever misses the true change.
        up: The prior weight of a rise among the bets; the rest is that of a fall. It moves power, not validity.
        effect: The change that the bets find soonest; it moves power, not validity.
        planned: The part of the wealth that is bet on a rise by `effect` within a planned number of rows, where values are 0 or 1
            (`planned_look`); it moves power, not validity.
    """

    alpha: float
    up: float = 0.5
    effect: float = 0.05
    planned: float = 0.0
    _threshold: float = field(init=False)

    def __post_init__(self) -> None:
        """Work out the wealth that rejects, as a logarithm."""
        object.__setattr__(self, "_threshold", float(-np.log(self.alpha)))

    def log_evidence(
        self, reference: CountedValues, new: CountedValues, change: float = 0.0, earlier: Sequence[CountedValues] = ()
    ) -> float:
        """Return the logarithm of the wealth against the mean having changed by `change`; 0 is none, log(1/alpha) rejects.

        Args:
            reference: The reference sample.
            new: All new values.
            change: How far the new mean lies above that of the reference.
            earlier: All new values at each earlier look; what is bet on a planned number of rows depends on them.
        """
        if not reference.n or not new.n:
            return 0.0
        low, high = max(0.0, -change), min(1.0, 1.0 - change)
        if high - low < 1e-12:
            return np.inf
        bets, planned = self._bets(reference.n), self._planned(reference)
        grid, least = low + (high - low) * _GRID, np.inf
        for _ in range(_ZOOMS):
            wealth = _log_wealth(grid, change, reference, new, *bets)
            if planned is not None:
                wealth += np.log1p(-self.planned)
            if planned is not None and new.binary:
                wealth = np.logaddexp(wealth, np.log(self.planned) + planned.log_wealth(grid, change, [*earlier, new]))
            place, least = int(np.argmin(wealth)), min(least, float(wealth.min()))
            grid = np.linspace(grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)], _FINE)
        return least

    def interval(
        self, reference: CountedValues, new: CountedValues, earlier: Sequence[CountedValues] = ()
    ) -> tuple[float, float]:
        """Return the changes that are not rejected, from -1 to 1; arguments as of `log_evidence`."""
        if reference.mean is None or new.mean is None:
            return -1.0, 1.0
        found = new.mean - reference.mean
        low, high = (self._end(reference, new, found, end, earlier) for end in (-1.0, 1.0))
        return low, high

    def rejects(self, reference: CountedValues, new: CountedValues, earlier: Sequence[CountedValues] = ()) -> bool:
        """Whether these values show that the mean has changed; arguments as of `log_evidence`."""
        return self.log_evidence(reference, new, earlier=earlier) >= self._threshold

    def _planned(self, reference: CountedValues) -> PlannedLook | None:
        return PlannedLook.of(reference, self.planned * self.alpha, self.effect) if self.planned else None

    def _end(
        self, reference: CountedValues, new: CountedValues, inside: float, outside: float, earlier: Sequence[CountedValues]
    ) -> float:
        """Return where the evidence crosses the threshold, erring to the outside."""
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            if self.log_evidence(reference, new, middle, earlier) < self._threshold:
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
    gain = log_gain(mean, -sign, before, reference) + log_gain(mean + change, sign, after, new)
    return np.asarray(logsumexp(gain + log_weights, axis=1))
