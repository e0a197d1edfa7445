"""The anomalies plugin's hooks."""

from collections.abc import Iterable

from glassbench.hookspecs import hookimpl
from glassbench.specs import ModelSpec, TaskSpec

_HERE = "glassbench_plugins.anomalies"


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield anomaly detection."""
    yield TaskSpec(name="anomaly", summary="Flag rows unlike those that were learnt from", target=f"{_HERE}.task:Anomaly")


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield what tells unusual rows apart."""
    yield ModelSpec(
        name="isolation-forest",
        summary="Random trees that cut unusual rows off early (scikit-learn)",
        target=f"{_HERE}.forest:isolation_forest",
        form="estimator",
        tasks=("anomaly",),
        differentiable=False,
    )
    yield ModelSpec(
        name="local-outlier-factor",
        summary="How much thinner a row's surroundings are than its neighbours' (scikit-learn)",
        target=f"{_HERE}.outlier_factor:local_outlier_factor",
        form="estimator",
        tasks=("anomaly",),
        differentiable=False,
    )
