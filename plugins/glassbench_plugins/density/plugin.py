"""The density plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import ModelSpec, TaskSpec

_HERE = "glassbench_plugins.density"


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield density estimation."""
    yield TaskSpec(name="density", summary="Say how likely each row is", target=f"{_HERE}.task:Density")


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield densities."""
    yield ModelSpec(
        name="kernel-density",
        summary="A normal density around each training row, the bandwidth by cross-validation",
        target=f"{_HERE}.kernel:kernel_density",
        form="estimator",
        tasks=("density", "anomaly"),
        differentiable=True,
    )
    yield ModelSpec(
        name="flow",
        summary="A normalising flow of spline or affine coupling layers",
        target=f"{_HERE}.flow:flow",
        tasks=("density", "anomaly"),
    )
