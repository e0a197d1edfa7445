"""What generators of pictures under a class share: their protocol, their picture size, their learner."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization
from glassbench.errors import FitError


@runtime_checkable
class Generator(Protocol):
    """A model that turns noise into pictures of a wanted class, the same noise always into the same picture.

    Called on pictures `(n, C, H, W)` it returns how well each fits each class, scores `(n, classes)`.

    Attributes:
        noise_shape: Shape of the noise of one picture.
    """

    @property
    def noise_shape(self) -> tuple[int, ...]: ...  # noqa: D102

    def sample(self, classes: Tensor, noise: Tensor) -> Tensor:
        """From wanted classes, long `(n,)`, and standard normal noise `(n, *noise_shape)` to pictures `(n, C, H, W)`."""
        ...


class PictureSize(NamedTuple):
    """What a generator must know of the pictures.

    Args:
        channels, height, width: Size of one picture.
        classes: How many classes there are.
        black, white: What black and white pixels are after standardising, one number per channel.
    """

    channels: int
    height: int
    width: int
    classes: int
    black: tuple[float, ...]
    white: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, self.height, self.width

    @property
    def pixels(self) -> int:
        """Numbers of one picture."""
        return self.channels * self.height * self.width


def picture_size(schema: Schema, model: str) -> PictureSize:
    """Return the size of pictures of classes.

    Raises:
        FitError: The rows are no pictures of one size, or have no class.
    """
    shape = schema.shape
    if schema.modality != "image" or len(shape) != 3 or any(size is None for size in shape):
        got = f"{schema.modality} rows of shape {shape}"
        raise FitError(f"'{model}' generates images of one size", got=got, fix="choose a data set of images, or set its size")
    if schema.target.kind != "class":
        got = f"a target of kind '{schema.target.kind}'"
        raise FitError(
            f"'{model}' generates images of a class", got=got, fix="choose a data set whose images have one class each"
        )
    channels, height, width = (int(size or 0) for size in shape)
    facts = schema.facts_of(ImageFacts) or ImageFacts(mean=(0.0,) * channels, std=(1.0,) * channels)
    ends = [tuple((end - mean) / std for mean, std in zip(facts.mean, facts.std, strict=True)) for end in (0.0, 1.0)]
    return PictureSize(channels, height, width, len(schema.target.classes), *ends)


class _Untouched(nn.Module):
    """Hands pictures on as they are, so that a loss can ask the network about them and their classes together.

    Args:
        model: The network.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the pictures."""
        return pictures


def conditional_learner(model: nn.Module, optimization: Optimization) -> pl.LightningModule:
    """Wrap a network so that it minimises its own objective of pictures and their classes.

    Raises:
        FitError: It names none.
    """
    objective: Any = getattr(model, "objective", None)
    if not callable(objective):
        raise FitError(
            "this network says nothing it could minimise",
            got=type(model).__name__,
            available=["diffusion", "flow-matching", "conditional-vae"],
            fix="give it a method `objective(pictures, classes)` that returns one number per picture",
        )

    def loss(pictures: Tensor, batch: Batch) -> Tensor:
        each: Tensor = objective(pictures, batch.target)
        return each

    return SupervisedLearner(_Untouched(model), loss, optimization)


def limits(size: PictureSize) -> Tensor:
    """Return what black and white are for each channel, `(2, C, 1, 1)`, to keep pictures within."""
    return torch.tensor([size.black, size.white], dtype=torch.float32)[:, :, None, None]
