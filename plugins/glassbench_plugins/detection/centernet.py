"""CenterNet: objects as points, without anchors."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError, SettingsError
from glassbench.stats.settings_types import Count

STRIDE = 4
"""Pixels between two places at which an object may have its middle."""

_RARE = -2.19
"""The log-odds of an object that a fresh network gives everywhere: a tenth (Lin et al. 2017, "Focal loss")."""


class CenterNet(nn.Module):
    """Says for each place whether an object of each class has its middle there, how large it is, and where exactly.

    Zhou, Wang and Krähenbühl (2019), "Objects as Points", on a small backbone: convolutions that halve the image, then back to a
    quarter of it, with what each size saw added.

    Args:
        schema: Tells channels and classes.
        widths: Channels at a half of the image, a quarter, an eighth, and so on; two at least.
        head: Channels before the last layers.
    """

    def __init__(self, schema: Schema, *, widths: tuple[Count, ...] = (16, 32, 64, 96), head: Count = 32) -> None:
        super().__init__()
        channels, height, width = _image(schema)
        if len(widths) < 2 or min(height, width) < 2 ** len(widths):
            got = f"{height} x {width} pixels, widths {list(widths)}"
            raise SettingsError("two widths at least are needed, each of which halves the image", got=got, where="model.widths")
        self.halvings = len(widths)
        self.down = nn.ModuleList([_Halved(into, out) for into, out in zip([channels, *widths], widths, strict=False)])
        self.side = nn.ModuleList([nn.Conv2d(out, head, 1) for out in widths[1:]])
        self.smooth = nn.ModuleList([_convolved(head, head) for _ in widths[2:]])
        self.heat = nn.Sequential(_convolved(head, head), nn.Conv2d(head, schema.target.outputs, 1))
        self.shape = nn.Sequential(_convolved(head, head), nn.Conv2d(head, 4, 1))
        nn.init.constant_(self.heat[-1].bias, _RARE)  # type: ignore[arg-type]
        self.last_convolution = "heat.0"

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to `(n, classes + 4, H / 4, W / 4)`: log-odds of middles, then width and height in pixels,
        both as logarithms, and how far right and down of the place the middle lies, in places."""
        height, width = images.shape[2:]
        multiple = 2**self.halvings
        features = functional.pad(images, (0, -width % multiple, 0, -height % multiple))
        kept: list[Tensor] = []
        for block in self.down:
            features = block(features)
            kept.append(features)
        joined = self.side[-1](kept[-1])
        for side, smooth, seen in zip(reversed(self.side[:-1]), reversed(self.smooth), kept[-2:0:-1], strict=True):
            joined = smooth(side(seen) + functional.interpolate(joined, scale_factor=2.0, mode="nearest"))
        output = torch.cat([self.heat(joined), self.shape(joined)], dim=1)
        return output[:, :, : -(-height // STRIDE), : -(-width // STRIDE)]


class _Halved(nn.Module):
    """A convolution that halves the image, and one after it, each normalised and rectified.

    Args:
        into, out: Channels.
    """

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_convolved(into, out, stride=2), *_convolved(out, out))

    def forward(self, features: Tensor) -> Tensor:
        """From `(n, into, H, W)` to `(n, out, H / 2, W / 2)`."""
        result: Tensor = self.layers(features)
        return result


def _convolved(into: int, out: int, *, stride: int = 1) -> nn.Sequential:
    layers = nn.Conv2d(into, out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    return nn.Sequential(*layers)


def _image(schema: Schema) -> tuple[int, int, int]:
    shape = schema.shape
    if schema.modality != "image" or len(shape) != 3 or any(size is None for size in shape):
        got = f"{schema.modality} rows of shape {shape}"
        raise FitError("'centernet' needs images of one size", got=got, fix="choose a data set of images, or another model")
    if schema.target.kind != "boxes":
        raise FitError("'centernet' finds boxes", got=f"a target of kind '{schema.target.kind}'")
    channels, height, width = (int(size or 0) for size in shape)
    return channels, height, width
