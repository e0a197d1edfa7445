"""The anomalies plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.anomalies"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield windows of series."""
    yield DatasetSpec(
        name="machine-faults",
        summary="Windows of three sensors of a machine, of which one goes wrong at times (generated)",
        target=f"{_HERE}.machine_faults:machine_faults",
    )
    yield DatasetSpec(
        name="series-windows",
        summary="Windows that slide over any CSV or Parquet file with a time column",
        target=f"{_HERE}.files:series_windows",
    )


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
