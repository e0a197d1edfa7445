"""The detection plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.detection"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield made pictures with boxes, and the ways to files."""
    yield DatasetSpec(
        name="scattered-shapes",
        summary="Made images of discs, squares and crosses with boxes; one camera shows them faintly",
        target=f"{_HERE}.scattered_shapes:scattered_shapes",
        targets=("boxes",),
    )
    yield DatasetSpec(
        name="voc",
        summary="Images with boxes in the folders and XML files of Pascal VOC",
        target=f"{_HERE}.files:voc",
        targets=("boxes",),
        encoder=f"{_HERE}.encoder:BoxEncoder",
    )
    yield DatasetSpec(
        name="coco",
        summary="Images with boxes in a JSON file of COCO's form",
        target=f"{_HERE}.files:coco",
        targets=("boxes",),
        encoder=f"{_HERE}.encoder:BoxEncoder",
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield detection."""
    yield TaskSpec(
        name="detection",
        summary="Find the objects of an image: a box and a class for each",
        target=f"{_HERE}.task:Detection",
        predicts="boxes",
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield CenterNet."""
    yield ModelSpec(
        name="centernet",
        summary="Objects as points: middles, sizes and offsets, without anchors",
        target=f"{_HERE}.centernet:CenterNet",
        tasks=("detection",),
    )
