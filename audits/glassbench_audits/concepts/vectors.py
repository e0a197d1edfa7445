"""Concept activation vectors, and what chance does with sets of rows that nobody named."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Effects:
    """What concepts do to outputs, arrays `(k, c)`.

    Args:
        size: Change of each output from rows without to rows with each concept, along the layer's mean gradient, in standard
            deviations of what the layer does to the output over the rows; 0 where that does not vary.
        p: Chance that the largest size of random sets of rows, as large as the concepts, reaches it.
        chance: Size that 95 % of random sets of rows stay below, the largest of all concepts' and outputs'.
        error: Standard error of each size, that of random sets of as many rows.
        most: The largest size over its error in each random draw `(draws,)`.
    """

    size: np.ndarray
    p: np.ndarray
    chance: float
    error: np.ndarray
    most: np.ndarray

    def least(self, alarm: float) -> np.ndarray:
        """Return the lower end of each size, `(k, c)`, of intervals that hold for all at once.

        Args:
            alarm: Chance that any of the ends lies above its true size, were the sizes within groups as unlike as over all rows;
                they are less unlike where a concept has an effect, so the ends err on the low side.
        """
        half = np.quantile(self.most, 1 - alarm, method="higher") * self.error
        ends: np.ndarray = np.maximum(np.abs(self.size) - half, 0.0)
        return ends


def vectors(activations: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Return the vector of each concept: the mean activation of its rows minus that of all others, `(h, c)`.

    This is the pattern of Haufe et al. (2014) that Pahde et al. (2022) recommend over the normal of a classifier, which
    points to wherever rows are told apart with least noise, and misses what the network uses.

    Args:
        activations: What the layer gives for the rows `(n, h)`.
        marks: Which rows hold each concept, 0 or 1 `(n, c)`.
    """
    found: np.ndarray = activations.T @ _apart(marks)
    return found


def effects(along: np.ndarray, marks: np.ndarray, draws: int, generator: np.random.Generator) -> Effects:
    """Return what concepts do to outputs, tested against random sets of rows as large.

    The rows are shuffled, which keeps how concepts and outputs overlap; the largest size of all, each in its standard error,
    corrects for their number (Westfall and Young 1993).

    Args:
        along: What the layer does to each output in each row, its activation times the mean gradient `(n, k)`.
        marks: Which rows hold each concept, 0 or 1 `(n, c)`.
        draws: Shuffles.
        generator: Draws them.
    """
    centred = along - along.mean(axis=0)
    spread = centred.std(axis=0)
    varies = spread > 1e-9 * np.maximum(np.abs(along).max(axis=0), 1e-300)
    scores = np.where(varies, centred / np.where(varies, spread, 1.0), 0.0)
    apart = _apart(marks)
    size = scores.T @ apart
    null = np.abs([generator.permutation(scores).T @ apart for _ in range(draws)])
    error = np.sqrt((null**2).mean(axis=0))  # sets of unlike size vary unlike
    error = np.where(error > 0, error, 1.0)
    most = (null / error).max(axis=(1, 2))
    reached = (most[:, None, None] >= np.abs(size) / error - 1e-12).sum(axis=0)
    chance = float(np.quantile(null.max(axis=(1, 2)), 0.95))
    return Effects(size=size, p=(1 + reached) / (1 + draws), chance=chance, error=error, most=most)


def _apart(marks: np.ndarray) -> np.ndarray:
    """Return weights `(n, c)` that take the mean over the rows without a concept from that over its rows."""
    weights: np.ndarray = marks / marks.sum(axis=0) - (1 - marks) / (1 - marks).sum(axis=0)
    return weights


def partial(first: np.ndarray, second: np.ndarray, along: np.ndarray) -> float:
    """Return the correlation of a concept with an output once another concept is held fixed.

    Args:
        first, second: Which rows hold the concept, and the other one, 0 or 1 `(n,)`.
        along: What the layer does to the output in each row `(n,)`.
    """
    table = np.corrcoef([first, second, along])
    between, own, other = table[0, 1], table[0, 2], table[1, 2]
    return float((own - other * between) / np.sqrt(max((1 - other**2) * (1 - between**2), 1e-12)))
