"""Whether generated rows are nearer to training rows than chance would have it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from glassbench.stats.estimate import Estimate, too_few
from glassbench.stats.inference import share
from glassbench.stats.sampling import Sampling

CLOSE = 1 / 3
"""A copy is nearer to its nearest training row than this share of the distance to the next one (Yoon et al. 2023)."""
FEWEST = 20
"""Generated rows below which nothing is said of them."""
SHUFFLES, _AT_ONCE = 4000, 250


@dataclass(frozen=True, eq=False, kw_only=True)
class Nearest:
    """What is nearest to each generated row of one condition.

    Args:
        training: Whether that is a training row, bool `(m,)`.
        neighbour: Which row it is, numbered over training and held-out rows `(m,)`.
        expected: The share of training rows among both.
        rows: How many rows of both there are.
        source: Which training row is nearest `(m,)`.
        ratio: Distance to that over the distance to the next other training row `(m,)`.
    """

    training: np.ndarray
    neighbour: np.ndarray
    expected: float
    rows: int
    source: np.ndarray
    ratio: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Generated rows against training and held-out rows.

    Args:
        nearer: Share of generated rows whose nearest row, among training and held-out rows of their condition, is a training row.
        expected: That share where the model favours neither: the share of training rows among both.
        excess: By how much the one exceeds the other, over the most it could: 0 where the model favours neither side, 1 where
            every generated row is nearest to a training row.
        p: Chance of so large a share where training and held-out rows are exchangeable.
        copied: Share of generated rows that lie so close to one training row that it stands out from all others.
        held_out: The same share of held-out rows.
    """

    nearer: Estimate
    expected: float
    excess: Estimate
    p: float
    copied: Estimate
    held_out: Estimate


def nearest(made: np.ndarray, training: np.ndarray, held_out: np.ndarray) -> Nearest:
    """Find what is nearest to generated rows.

    Args:
        made, training, held_out: Rows of one condition, float `(m, d)`, `(t, d)` and `(h, d)`; repeated training rows count once.
    """
    first = np.sort(np.unique(training, axis=0, return_index=True)[1])
    to_training, to_held_out = cdist(made, training[first]), cdist(made, held_out)
    near, far = to_training.min(axis=1), to_held_out.min(axis=1)
    place, other = to_training.argmin(axis=1), to_held_out.argmin(axis=1)
    rows = len(first) + len(held_out)
    return Nearest(
        training=near < far,
        neighbour=np.where(near < far, place, len(first) + other),
        expected=len(first) / rows,
        rows=rows,
        source=first[place],
        ratio=distance_ratio(made, training),
    )


def distance_ratio(rows: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Return each row's distance to its nearest training row over that to the next that is another row, `(m,)`.

    Repeated training rows count once. Where there is no other row, or the next one is as near, the ratio is 1.

    Args:
        rows: Float `(m, d)`.
        training: The training rows `(t, d)`.
    """
    other = np.unique(training, axis=0)
    if len(other) < 2:
        return np.ones(len(rows))
    two = np.partition(cdist(rows, other), 1, axis=1)[:, :2]
    return np.asarray(np.where(two[:, 1] > 0, two[:, 0] / np.maximum(two[:, 1], 1e-300), 1.0))


def copies(made: Sequence[Nearest], held_out: np.ndarray, level: float, generator: np.random.Generator) -> Copies:
    """Compare how often training rows are nearest with what chance gives.

    Generated rows whose nearest row is the same hang together: they are clusters, for the interval. For the p-value the names
    "training" and "held out" are shuffled among the rows of each condition, which is exact where rows were divided at random.

    Args:
        made: What is nearest to generated rows, of each condition.
        held_out: The ratio of distances (`distance_ratio`) of held-out rows `(h,)`.
        level: Confidence level.
        generator: Source of the shuffles.
    """
    sizes = np.array([len(one.training) for one in made])
    expected = float(np.average([one.expected for one in made], weights=sizes))
    hits = ~np.concatenate([one.training for one in made])
    starts = np.concatenate([[0], np.cumsum([one.rows for one in made])[:-1]])
    places = np.concatenate([one.neighbour + start for one, start in zip(made, starts, strict=True)])
    clusters = np.unique(places, return_inverse=True)[1]
    few = too_few(len(hits), "generated rows", FEWEST)
    away = share(hits, Sampling(weight=np.ones(len(hits)), clusters=clusters)).estimate(level)
    n = len(hits)
    return Copies(
        nearer=_turned(away, 1.0, few, n),
        expected=expected,
        excess=_turned(away, 1 / (1 - expected), few, n),
        p=_chance(made, generator),
        copied=_close(np.concatenate([one.ratio for one in made]), level),
        held_out=_close(held_out, level),
    )


def _turned(away: Estimate, factor: float, few: str | None, n: int) -> Estimate:
    """Return 1 minus a multiple of a share."""
    value, low, high = (np.nan if end is None else 1 - factor * end for end in (away.value, away.high, away.low))
    return Estimate.of(value, low, high, level=away.level, n=n, unsupported=few)


def _close(ratios: np.ndarray, level: float) -> Estimate:
    return share(ratios < CLOSE, Sampling(weight=np.ones(len(ratios)))).estimate(level)


def _chance(made: Sequence[Nearest], generator: np.random.Generator) -> float:
    """Return the chance that training rows catch as many generated rows, all rows of a condition being alike."""
    found, drawn = 0.0, np.zeros(SHUFFLES)
    for one in made:
        caught = np.sort(np.bincount(one.neighbour, minlength=one.rows))[::-1]
        busy = caught[caught > 0]
        names = np.arange(one.rows) < round(one.expected * one.rows)
        found += float(one.training.sum())
        for start in range(0, SHUFFLES, _AT_ONCE):
            shuffled = generator.permuted(np.tile(names, (_AT_ONCE, 1)), axis=1)
            drawn[start : start + _AT_ONCE] += shuffled[:, : len(busy)] @ busy
    return float((1 + (drawn >= found - 1e-9).sum()) / (1 + SHUFFLES))
