"""Gradient boosting of quantiles, one booster for each."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor

from glassbench.contracts.exporting import TreeSum
from glassbench.contracts.schema import Schema
from glassbench.export.estimators import estimator_arrays, side_by_side


class QuantileBoosting(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """One `HistGradientBoostingRegressor(loss="quantile")` for each level.

    Boosters know nothing of each other, so their quantiles may cross; who uses them sorts them.

    Args:
        levels: The quantiles, between 0 and 1.
        settings: Settings of every booster.
    """

    def __init__(self, levels: tuple[float, ...], settings: dict[str, Any]) -> None:
        self.levels = levels
        self.settings = settings

    def fit(self, rows: np.ndarray, target: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit a booster for each level to encoded rows `(n, d)` and values `(n,)`, with weights of the rows `(n,)` or none."""
        boosters = (HistGradientBoostingRegressor(loss="quantile", quantile=level, **self.settings) for level in self.levels)
        self.boosters_ = [booster.fit(rows, target, sample_weight) for booster in boosters]
        self.n_iter_ = max(booster.n_iter_ for booster in self.boosters_)
        return self

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """From encoded rows `(n, d)` to quantiles `(n, levels)`."""
        return np.stack([booster.predict(rows) for booster in self.boosters_], axis=1)

    def exported(self, schema: Schema) -> TreeSum:
        """Return the trees of all boosters, with an output for each level."""
        return side_by_side([estimator_arrays(booster, schema) for booster in self.boosters_])
