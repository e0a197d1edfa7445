"""Limits of numbers that only resampling can tell anything of: a plugin's own metric."""

from collections.abc import Callable

import numpy as np

from glassbench.stats.inference import Inference, studentized, undefined
from glassbench.stats.intervals import CELLS
from glassbench.stats.sampling import Sampling, Spread

BLOCKS = 200
"""The most blocks of rows that are left out in turn to see how skewed a number's contributions are."""

ROWS = 10_000
"""The most rows that are resampled; with more, a random part is, and the spread narrowed to fit (Politis and Romano 1994)."""

Statistic = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""From weights `(b, n)` and the rows they are of (positions, None for all) to values `(b,)`."""


def resampled(
    statistic: Statistic,
    sampling: Sampling,
    generator: np.random.Generator,
    *,
    lowest: float = -np.inf,
    highest: float = np.inf,
    replicates: int = 1000,
) -> Inference:
    """Return a number with studentized limits: its standard error from resamples, its skewness from leaving out blocks of rows.

    Args:
        statistic: The number under weights of rows.
        sampling: How the rows were sampled.
        generator: Source of the resamples.
        lowest, highest: What the number can never lie beyond.
        replicates: How many resamples.
    """
    value = float(statistic(sampling.weight[None], None)[0])
    if not np.isfinite(value):
        return undefined(sampling.n)
    part, rows = sampling, None
    if sampling.binomial and len(sampling.weight) > ROWS and bool((sampling.weight == 1).all()):
        rows = np.sort(generator.choice(len(sampling.weight), ROWS, replace=False))
        part = sampling.part(rows)
    draws = np.concatenate([statistic(weights, rows) for weights in part.resampled(replicates, generator)])
    known = draws[np.isfinite(draws)]
    if len(known) * 2 < len(draws):
        return Inference(value=value, error=np.nan, n=sampling.n, limits=lambda z: (np.nan, np.nan))
    units = part.n
    error = float(known.std() * (units / max(units - 1, 1)) ** 0.5 * (units / sampling.n) ** 0.5)
    skewness = _skewness(statistic, part, rows, generator)
    own = {"df": sampling.freedom, "effective": sampling.effective} if sampling.survey else {}
    spread = Spread(error=error, skewness=skewness, units=sampling.n, **own)
    return studentized(value, spread, sampling, lowest=lowest, highest=highest)


def _skewness(statistic: Statistic, sampling: Sampling, rows: np.ndarray | None, generator: np.random.Generator) -> float:
    """Return the skewness of what one row or cluster adds to a number, by the jackknife over blocks of them (Efron 1987)."""
    left = sampling.left_out(generator, min(BLOCKS, max(2, CELLS // max(len(sampling.weight), 1))))
    values = statistic(left, rows)
    values = values[np.isfinite(values)]
    added = values.mean() - values if len(values) else values
    spread = float(added.std()) if len(added) > 2 else 0.0
    if spread <= 1e-12 * max(1.0, float(np.abs(values).max(initial=0))):
        return 0.0
    return float((added**3).mean() / spread**3 * (sampling.n / len(left)) ** 0.5)
