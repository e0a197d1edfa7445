"""How much of a number's variance between candidates of a search each setting explains."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from glassbench.stats.estimate import Estimate

FEWEST = 10
"""Candidates below which a forest says nothing of settings."""

_RESAMPLES = 25
_TREES = 40


def forest_importance(
    settings: Sequence[Mapping[str, Any]], values: np.ndarray, level: float = 0.95, seed: int = 0
) -> dict[str, Estimate]:
    """Return the share of the variance that each setting explains alone, as a random forest sees it; empty for few candidates.

    It is the functional analysis of variance of Hutter, Hoos and Leyton-Brown (2014): the variance of the forest's mean
    prediction over a setting's values, all other settings averaged over the candidates, over the variance of all its predictions.
    The interval comes from forests of resampled candidates.

    Args:
        settings: The candidates, each with the same keys.
        values: The number of each `(candidates,)`.
        level: Confidence level.
        seed: Seed of resampling and forests.
    """
    if len(settings) < FEWEST or float(np.std(values)) == 0:
        return {}
    names = list(settings[0])
    coded = np.stack([_coded([one[name] for one in settings]) for name in names], axis=1)
    generator = np.random.default_rng([seed, 0x1A907])
    found = [_shares(coded, values, np.arange(len(values)), seed)]
    for number in range(_RESAMPLES):
        found.append(_shares(coded, values, generator.integers(len(values), size=len(values)), seed + number + 1))
    shares = np.array(found)
    low, high = np.quantile(shares[1:], [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return {
        name: Estimate.of(value, min(low[i], value), max(high[i], value), level=level, n=len(values))
        for i, (name, value) in enumerate(zip(names, shares[0], strict=True))
    }


def _shares(coded: np.ndarray, values: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    forest = RandomForestRegressor(n_estimators=_TREES, min_samples_leaf=2, random_state=seed).fit(coded[rows], values[rows])
    total = float(np.var(forest.predict(coded)))
    if total == 0:
        return np.zeros(coded.shape[1])
    mains = []
    for column in range(coded.shape[1]):
        levels, counts = np.unique(coded[:, column], return_counts=True)
        grid = np.repeat(coded[None], len(levels), axis=0)
        grid[:, :, column] = levels[:, None]
        means = forest.predict(grid.reshape(-1, coded.shape[1])).reshape(len(levels), -1).mean(axis=1)
        centre = np.average(means, weights=counts)
        mains.append(float(np.average((means - centre) ** 2, weights=counts)))
    return np.minimum(1.0, np.array(mains) / total)


def _coded(values: Sequence[Any]) -> np.ndarray:
    """Return a setting's values as numbers: as they are, or by the order in which they first come."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return np.array(values, dtype=float)
    told = [json.dumps(value, sort_keys=True) for value in values]
    return np.array([list(dict.fromkeys(told)).index(one) for one in told], dtype=float)
