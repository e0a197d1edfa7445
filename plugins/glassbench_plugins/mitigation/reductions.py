"""Fairlearn's reductions: an estimator that is fitted again and again with other weights, until rates are alike."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from fairlearn.reductions import (
    DemographicParity,
    EqualizedOdds,
    ErrorRateParity,
    ExponentiatedGradient,
    FalsePositiveRateParity,
    GridSearch,
    TruePositiveRateParity,
)
from pydantic import Field
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import has_fit_parameter

from glassbench.contracts.data import Data, Split
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.task import Task
from glassbench.errors import DataError
from glassbench_plugins.mitigation.groups import Groups, chosen_features

Parity = Literal[
    "demographic_parity", "equalized_odds", "true_positive_rate_parity", "false_positive_rate_parity", "error_rate_parity"
]
Bound = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]

_CONSTRAINTS = {
    "demographic_parity": DemographicParity,
    "equalized_odds": EqualizedOdds,
    "true_positive_rate_parity": TruePositiveRateParity,
    "false_positive_rate_parity": FalsePositiveRateParity,
    "error_rate_parity": ErrorRateParity,
}


class ReducedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A mixture of fitted classifiers; its probability is the share of them, by weight, that decides a class.

    Args:
        estimator: The classifier that is fitted with other weights each time.
        constraint: Which rates are made alike.
        bound: The gap allowed on training rows.
        fits: How many times it is fitted at most; the size of the grid.
        grid: Whether to search a grid and keep one classifier, instead of a mixture.
    """

    def __init__(
        self, estimator: Any = None, constraint: str = "equalized_odds", bound: float = 0.02, fits: int = 50, grid: bool = False
    ) -> None:
        self.estimator, self.constraint, self.bound, self.fits, self.grid = estimator, constraint, bound, fits, grid

    def grouped(self, codes: np.ndarray) -> "ReducedClassifier":
        """Take the group of each row that it will be fitted to, int64 `(n,)`."""
        self._codes = codes
        return self

    def fit(self, rows: np.ndarray, target: np.ndarray) -> "ReducedClassifier":
        """Fit to encoded rows `(n, d)` and class indices `(n,)`."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="fairlearn")
            return self._fit(rows, target)

    def _fit(self, rows: np.ndarray, target: np.ndarray) -> "ReducedClassifier":
        constraint = _CONSTRAINTS[self.constraint](difference_bound=self.bound)
        codes = self.__dict__.pop("_codes")
        if self.grid:
            search = GridSearch(clone(self.estimator), constraints=constraint, grid_size=self.fits)
            search.fit(rows, target, sensitive_features=codes)
            self.predictors_, self.weights_ = [search.predictors_[search.best_idx_]], np.ones(1)
        else:
            reduction = ExponentiatedGradient(clone(self.estimator), constraints=constraint, eps=self.bound, max_iter=self.fits)
            reduction.fit(rows, target, sensitive_features=codes)
            kept = [(p, w) for p, w in zip(reduction.predictors_, reduction.weights_, strict=True) if w > 0]
            self.predictors_, self.weights_ = [p for p, _ in kept], np.array([w for _, w in kept], dtype=np.float64)
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        """Return the weighted share of classifiers that decide each class `(n, 2)`; a single one's own probabilities."""
        if len(self.predictors_) == 1 and hasattr(self.predictors_[0], "predict_proba"):
            return np.asarray(self.predictors_[0].predict_proba(rows))
        positive = sum(w * np.asarray(p.predict(rows)) for p, w in zip(self.predictors_, self.weights_, strict=True))
        share = np.clip(positive / self.weights_.sum(), 0, 1)
        return np.column_stack([1 - share, share])

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the class that more of the classifiers decide, by weight."""
        return np.asarray(self.predict_proba(rows)[:, 1] > 0.5, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class ExponentiatedGradientReduction(Mitigation):
    """Fits an estimator again and again with other weights of rows, and mixes the fits so that rates are alike.

    Fairlearn's `ExponentiatedGradient`; where that draws one of the fits for each decision, here the class that most fits
    decide by weight is taken, so that one person is always decided alike. The bound on the gap is exact for draws only.
    Survey weights are not used. Source: Agarwal, Beygelzimer, Dudik, Langford and Wallach (2018), A reductions approach to
    fair classification.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        constraint: Which rates are made alike.
        bound: The gap allowed on training rows.
        fits: How many times the estimator is fitted at most.
    """

    features: tuple[str, ...] | None = None
    constraint: Parity = "equalized_odds"
    bound: Bound = 0.02
    fits: Count = 50

    grid = False
    name = "exponentiated-gradient"

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse an estimator that takes no weights, and features that the data do not have."""
        chosen_features(self.features, data.schema, self.name)
        inner = getattr(model, "estimator", model)
        if not has_fit_parameter(inner, "sample_weight"):
            raise DataError(
                f"the mitigation '{self.name}' fits its estimator with weights of rows",
                got=f"{type(inner).__name__}, whose fit takes no sample_weight",
                available=["group-thresholds", "resampling"],
                fix="choose an estimator with sample_weight, such as logistic-regression or hist-gradient-boosting",
            )

    def wrap(self, estimator: Any, data: Data | None) -> Any:
        """Return the reduction of an estimator."""
        reduced = ReducedClassifier(estimator, self.constraint, self.bound, self.fits, self.grid)
        return reduced if data is None else reduced.grouped(self._groups(data)[1])

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say between which groups which rates were made alike."""
        groups, codes = self._groups(data)
        sizes = "; ".join(f"{groups.words(g)} {int((codes == g).sum()):,}" for g in range(min(len(groups.names), 8)))
        kept = "one of them was kept" if self.grid else "they were mixed by weight"
        return (
            f"The estimator was fitted up to {self.fits} times with other weights of training rows, and {kept}, so that "
            f"{self.constraint.replace('_', ' ')} holds within {self.bound:g} between groups of "
            f"{', '.join(groups.features)} ({sizes})."
        )

    def _groups(self, data: Data) -> tuple[Groups, np.ndarray]:
        train = data.train
        assert isinstance(train, Split)
        assert train.groups is not None
        groups = Groups.of(train.groups, chosen_features(self.features, data.schema, self.name))
        return groups, groups.codes(train.groups)


@dataclass(frozen=True, kw_only=True)
class GridReduction(ExponentiatedGradientReduction):
    """Fits an estimator with each weighting of rows of a grid, and keeps the one with the best trade of error and gap.

    Fairlearn's `GridSearch`. The model is a single estimator with its own probabilities. Survey weights are not used.
    Source: Agarwal, Beygelzimer, Dudik, Langford and Wallach (2018), A reductions approach to fair classification.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        constraint: Which rates are made alike.
        bound: The gap allowed on training rows.
        fits: How many weightings the grid holds.
    """

    fits: Count = 20

    grid = True
    name = "grid-reduction"
