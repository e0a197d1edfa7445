"""The generation plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import ModelSpec, TaskSpec

_HERE = "glassbench_plugins.generation"
_TASKS = ("generation",)


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield the generation of pictures."""
    yield TaskSpec(
        name="generation",
        summary="Generate images of a wanted class",
        target=f"{_HERE}.task:PictureGeneration",
        predicts="class",
        usual=False,
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield generators."""
    yield ModelSpec(
        name="diffusion",
        summary="Denoising diffusion under a class with a small U-Net: learnt as DDPM, sampled as DDIM",
        target=f"{_HERE}.diffusion:Diffusion",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="flow-matching",
        summary="Flow matching under a class with a small U-Net",
        target=f"{_HERE}.flow_matching:FlowMatching",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="conditional-vae",
        summary="A variational autoencoder of fully connected layers under a class",
        target=f"{_HERE}.vae:ConditionalVae",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="class-mixture",
        summary="A Gaussian mixture along principal components for each class",
        target=f"{_HERE}.mixture:ClassMixture",
        form="estimator",
        differentiable=True,
        tasks=_TASKS,
    )
