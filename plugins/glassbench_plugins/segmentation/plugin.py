"""The segmentation plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.segmentation"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield made pictures with masks, and the way to files."""
    yield DatasetSpec(
        name="textured-shapes",
        summary="Made images of plain and striped discs with masks; one camera shows them faintly",
        target=f"{_HERE}.textured_shapes:textured_shapes",
        targets=("mask",),
    )
    yield DatasetSpec(
        name="mask-folder",
        summary="A folder of images and a folder of masks, whose pixels are classes",
        target=f"{_HERE}.mask_folder:mask_folder",
        targets=("mask",),
        encoder=f"{_HERE}.encoder:MaskEncoder",
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield semantic segmentation."""
    yield TaskSpec(
        name="segmentation",
        summary="Give every pixel of an image a class",
        target=f"{_HERE}.task:Segmentation",
        predicts="mask",
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield the U-Net."""
    yield ModelSpec(
        name="unet",
        summary="U-Net: contracts and expands an image, with skips between equal sizes",
        target=f"{_HERE}.unet:UNet",
        tasks=("segmentation",),
    )
