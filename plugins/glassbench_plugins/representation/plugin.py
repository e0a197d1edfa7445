"""The representation plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import ModelSpec, TaskSpec

_HERE = "glassbench_plugins.representation"
_TASKS = ("representation", "anomaly")


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield representation."""
    yield TaskSpec(
        name="representation", summary="Say rows in fewer numbers that restore them", target=f"{_HERE}.task:Representation"
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield encoders."""
    yield ModelSpec(
        name="pca",
        summary="Principal components (scikit-learn)",
        target=f"{_HERE}.pca:pca",
        form="estimator",
        tasks=_TASKS,
        differentiable=True,
    )
    yield ModelSpec(
        name="autoencoder",
        summary="Fully connected layers that restore rows from a short code, denoising on request",
        target=f"{_HERE}.autoencoder:autoencoder",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="variational-autoencoder",
        summary="An autoencoder whose codes follow a normal distribution",
        target=f"{_HERE}.autoencoder:variational_autoencoder",
        tasks=_TASKS,
    )
