"""The U-Net: a class for every pixel."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError, SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne


class UNet(nn.Module):
    """Contracts an image, expands it again, and joins what both have at each size.

    The layout of Ronneberger, Fischer and Brox (2015), "U-Net: Convolutional Networks for Biomedical Image Segmentation", with
    padded convolutions and batch normalisation, so that masks are as large as images. Images of any size fit: they are padded
    by repeating their edges.

    Args:
        schema: Tells channels and classes.
        width: Channels at full size; each halving doubles them.
        depth: How often the image is halved.
        dropout: Share of the channels at the smallest size set to 0 while training.

    Attributes:
        last_convolution: The layer of Grad-CAM: the convolutions at full size before the last.
    """

    def __init__(self, schema: Schema, *, width: Count = 16, depth: Count = 3, dropout: ShareBelowOne = 0.0) -> None:
        super().__init__()
        channels, height, wide = _image(schema)
        if min(height, wide) < 2**depth:
            got = f"{height} x {wide} pixels, halved {depth} times"
            raise SettingsError("halving the image must leave a pixel", got=got, where="model.depth")
        widths = [width * 2**level for level in range(depth + 1)]
        self.depth = depth
        self.down = nn.ModuleList([_Twice(into, out) for into, out in zip([channels, *widths], widths, strict=False)])
        self.pools = nn.ModuleList([nn.MaxPool2d(2) for _ in range(depth)])
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList([nn.ConvTranspose2d(into, out, 2, stride=2) for into, out in pairs])
        self.joined = nn.ModuleList([_Twice(2 * out, out) for _, out in pairs])
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(width, schema.target.outputs, 1)
        self.last_convolution = f"joined.{depth - 1}"

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to logits `(n, classes, H, W)`."""
        height, width = images.shape[2:]
        multiple = 2**self.depth
        features = functional.pad(images, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            features = block(features if level == 0 else self.pools[level - 1](features))
            kept.append(features)
        features = self.dropout(features)
        for up, join, skip in zip(self.up, self.joined, kept[-2::-1], strict=True):
            features = join(torch.cat([skip, up(features)], dim=1))
        logits: Tensor = self.head(features)
        return logits[:, :, :height, :width]


class _Twice(nn.Module):
    """Two convolutions of 3 x 3, each normalised and rectified.

    Args:
        into, out: Channels.
    """

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(into, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """From `(n, into, H, W)` to `(n, out, H, W)`."""
        result: Tensor = self.layers(features)
        return result


def _image(schema: Schema) -> tuple[int, int, int]:
    shape = schema.shape
    if schema.modality != "image" or len(shape) != 3 or any(size is None for size in shape):
        got = f"{schema.modality} rows of shape {shape}"
        raise FitError("'unet' needs images of one size", got=got, fix="choose a data set of images, or another model")
    if schema.target.kind != "mask":
        raise FitError("'unet' gives pixels classes", got=f"a target of kind '{schema.target.kind}'")
    channels, height, width = (int(size or 0) for size in shape)
    return channels, height, width
