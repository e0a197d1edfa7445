"""Thirty rows with stated probabilities, for tests of calibration."""

import numpy as np


def stated_rows() -> tuple[np.random.Generator, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the generator for further draws, and of 30 rows in nine clusters: cluster, bin, probability, outcome, weight."""
    chance = np.random.default_rng(8)
    clusters = np.repeat(np.arange(9), [1, 4, 2, 5, 3, 3, 6, 2, 4])
    member = chance.integers(0, 3, 30)
    member[clusters == 8] = 3  # a bin that one cluster alone is in
    stated = chance.uniform(0.1, 0.9, 30)
    came = (np.where(chance.random(30) < 0.7, chance.random(9)[clusters], chance.random(30)) < stated).astype(float)
    return chance, clusters, member, stated, came, chance.uniform(0.5, 2, 30)
