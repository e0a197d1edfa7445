"""The boosting plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import ModelSpec

_HERE = "glassbench_plugins.boosting"
_SUPERVISED = ("classification", "regression")


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield boosters of trees for tables."""
    yield ModelSpec(
        name="lightgbm",
        summary="Gradient boosting of trees by LightGBM: categories as such, early stopping, monotone constraints",
        target=f"{_HERE}.lightgbm_model:lightgbm_model",
        form="estimator",
        tasks=_SUPERVISED,
        extra="lightgbm",
        requires=("lightgbm",),
    )
    yield ModelSpec(
        name="xgboost",
        summary="Gradient boosting of trees by XGBoost: categories as such, early stopping, monotone constraints",
        target=f"{_HERE}.xgboost_model:xgboost_model",
        form="estimator",
        tasks=_SUPERVISED,
        extra="xgboost",
        requires=("xgboost",),
    )
