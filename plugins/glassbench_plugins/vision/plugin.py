"""The vision plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec

_HERE = "glassbench_plugins.vision"
_TASKS = ("classification", "multilabel")


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield the digits that come with scikit-learn, and the way to files."""
    yield DatasetSpec(
        name="digits",
        summary="1797 handwritten digits of 8 x 8 pixels (scikit-learn)",
        target=f"{_HERE}.digits:digits",
        targets=("class",),
    )
    yield DatasetSpec(
        name="shapes",
        summary="Made images with any number of three shapes: several labels per image",
        target=f"{_HERE}.shapes:shapes",
        targets=("labels",),
    )
    yield DatasetSpec(
        name="image-folder",
        summary="A folder of images, by class or with a table of metadata",
        target=f"{_HERE}.folder:image_folder",
        encoder=f"{_HERE}.encoder:ImageEncoder",
        inspector=f"{_HERE}.inspecting:inspect_images",
        folders=(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"),
    )
    yield DatasetSpec(
        name="idx",
        summary="Images in the IDX files of MNIST and its relatives",
        target=f"{_HERE}.idx:idx",
        targets=("class",),
    )
    yield DatasetSpec(
        name="npz",
        summary="Images in one NumPy archive, laid out as MedMNIST's",
        target=f"{_HERE}.npz:npz",
        targets=("class",),
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks for images."""
    yield ModelSpec(
        name="cnn",
        summary="Blocks of convolution and pooling",
        target=f"{_HERE}.cnn:Cnn",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="pretraining",
        summary="A cnn or vit that learns without labels: contrastive, or by filling in hidden patches",
        target=f"{_HERE}.pretraining:Pretraining",
        tasks=("representation",),
    )
    yield ModelSpec(
        name="resnet",
        summary="Residual network: ResNet-18, or a small one",
        target=f"{_HERE}.resnet:ResNet",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="vit",
        summary="Vision transformer",
        target=f"{_HERE}.vit:VisionTransformer",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="timm",
        summary="A network of timm by name, with weights that others trained or with none",
        target=f"{_HERE}.timm_model:TimmModel",
        tasks=_TASKS,
        extra="timm",
        requires=("timm",),
    )
