"""What more training rows would bring: a power law through the numbers at several sizes, and how far it can be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from glassbench.stats.estimate import Estimate

_DRAWS = 200
_STEEPEST = 3.0


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """A number as `limit + scale * rows ** -exponent`.

    Args:
        limit: What it comes to with any number of rows.
        scale: How far from the limit it starts; its sign says from which side.
        exponent: How fast it comes near, 0 or above.
    """

    limit: float
    scale: float
    exponent: float

    def at(self, rows: float) -> float:
        """Return the number with so many training rows."""
        return float(self.limit + self.scale * rows**-self.exponent)


def fitted_power_law(rows: np.ndarray, values: np.ndarray, errors: np.ndarray) -> PowerLaw | None:
    """Return the power law nearest to numbers, weighted by their standard errors; None with fewer than four sizes.

    The form is that of learning curves (Hestness et al. 2017; Viering and Loog 2022): it describes many, and promises nothing
    beyond the largest size. Of each exponent the limit and the scale follow by least squares.

    Args:
        rows: Training rows `(sizes,)`.
        values: Numbers `(sizes,)`.
        errors: Their standard errors `(sizes,)`; the smallest positive one stands for 0.
    """
    if len(set(rows.tolist())) < 4:
        return None
    floor = errors[errors > 0].min(initial=math.inf)
    weights = 1 / np.maximum(errors, floor if math.isfinite(floor) else 1.0)

    def solved(exponent: float) -> tuple[np.ndarray, float]:
        design = np.stack([np.ones_like(rows), (rows / rows.max()) ** -exponent], axis=1)
        found = np.linalg.lstsq(design * weights[:, None], values * weights, rcond=None)[0]
        return found, float((((design @ found - values) * weights) ** 2).sum())

    best = optimize.minimize_scalar(lambda exponent: solved(exponent)[1], bounds=(0.01, _STEEPEST), method="bounded")
    limit, scale = solved(float(best.x))[0]
    return PowerLaw(limit=float(limit), scale=float(scale * rows.max() ** best.x), exponent=float(best.x))


def gain_of_more_rows(
    rows: Sequence[float],
    values: Sequence[float],
    errors: Sequence[float],
    times: float = 2.0,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate | None:
    """Return by how much the number would change with more rows than the most that were tried; None with fewer than four sizes.

    The interval comes from fitting again to numbers drawn around those measured with their standard errors (parametric
    bootstrap). It supposes that the power law holds beyond what was tried.

    Args:
        rows: Training rows.
        values: Numbers.
        errors: Their standard errors.
        times: How many times the most rows.
        level: Confidence level.
        seed: Seed of the draws.
    """
    sizes, found, spread = (np.asarray(each, dtype=float) for each in (rows, values, errors))
    law = fitted_power_law(sizes, found, spread)
    if law is None:
        return None

    def gain(fit: PowerLaw) -> float:
        return fit.at(times * sizes.max()) - fit.at(sizes.max())

    generator = np.random.default_rng([seed, 0x5153E])
    drawn = [fitted_power_law(sizes, generator.normal(found, spread), spread) for _ in range(_DRAWS)]
    gains = [gain(one) for one in drawn if one is not None]
    low, high = np.quantile(gains, [0.5 - level / 2, 0.5 + level / 2])
    value = gain(law)
    return Estimate.of(value, min(float(low), value), max(float(high), value), level=level, n=len(sizes))
