"""A small U-Net that is told a time and a class: what diffusion and flow matching learn."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOWEST = 10_000.0
_GROUPS = 8


class Denoiser(nn.Module):
    """From a noisy picture, its time and a class to a picture of the same size.

    The U-Net of Ho, Jain and Abbeel (2020), "Denoising Diffusion Probabilistic Models", without attention: residual blocks with
    group normalisation, shifted and scaled by time and class (Dhariwal and Nichol 2021). A class beyond the last one stands for
    no class.

    Args:
        channels: Channels of a picture.
        classes: How many classes there are.
        widths: Channels at full size and after each halving.
        dropout: Share of a block's numbers set to 0 while training.
    """

    def __init__(self, *, channels: int, classes: int, widths: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        told = 4 * widths[0]
        self.halvings = len(widths) - 1
        self.time = nn.Sequential(nn.Linear(widths[0], told), nn.SiLU(), nn.Linear(told, told))
        self.classes = nn.Embedding(classes + 1, told)
        self.first = nn.Conv2d(channels, widths[0], 3, padding=1)
        before = (widths[0], *widths[:-1])
        self.down = nn.ModuleList([Block(a, b, told, dropout) for a, b in zip(before, widths, strict=True)])
        self.middle = Block(widths[-1], widths[-1], told, dropout)
        self.up = nn.ModuleList([Block(2 * b, a, told, dropout) for a, b in zip(before[::-1], widths[::-1], strict=True)])
        self.last = nn.Sequential(
            nn.GroupNorm(_groups(widths[0]), widths[0]), nn.SiLU(), nn.Conv2d(widths[0], channels, 3, padding=1)
        )
        nn.init.zeros_(self.last[2].weight)  # type: ignore[arg-type]
        self.width = widths[0]

    def forward(self, pictures: Tensor, time: Tensor, classes: Tensor) -> Tensor:
        """From pictures `(n, C, H, W)`, times `(n,)` between 0 and 1 and classes, long `(n,)`, to pictures of the same shape."""
        height, width = pictures.shape[2:]
        multiple = 2**self.halvings
        told = functional.silu(self.time(waves(time, self.width)) + self.classes(classes))
        x = self.first(functional.pad(pictures, (0, -width % multiple, 0, -height % multiple), mode="replicate"))
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else functional.avg_pool2d(x, 2), told)
            kept.append(x)
        x = self.middle(x, told)
        for level, block in enumerate(self.up):
            x = block(torch.cat([x, kept[-1 - level]], dim=1), told)
            if level < self.halvings:
                x = functional.interpolate(x, scale_factor=2.0)
        result: Tensor = self.last(x)
        return result[:, :, :height, :width]


class Block(nn.Module):
    """Two convolutions with a way around them, the second shifted and scaled by what the block is told.

    Args:
        into, out: Channels.
        told: Numbers that say time and class.
        dropout: Share of the numbers set to 0 while training.
    """

    def __init__(self, into: int, out: int, told: int, dropout: float) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.GroupNorm(_groups(into), into), nn.SiLU(), nn.Conv2d(into, out, 3, padding=1))
        self.normal = nn.GroupNorm(_groups(out), out)
        self.shift = nn.Linear(told, 2 * out)
        self.after = nn.Sequential(nn.SiLU(), nn.Dropout(dropout), nn.Conv2d(out, out, 3, padding=1))
        self.around = nn.Conv2d(into, out, 1) if into != out else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """From `(n, into, H, W)` and what is told `(n, told)` to `(n, out, H, W)`."""
        scale, shift = self.shift(told)[:, :, None, None].chunk(2, dim=1)
        result: Tensor = self.after(self.normal(self.before(x)) * (1 + scale) + shift) + self.around(x)
        return result


def waves(time: Tensor, width: int) -> Tensor:
    """Return times `(n,)` between 0 and 1 as sines and cosines of several lengths `(n, width)` (Vaswani et al. 2017)."""
    half = (width + 1) // 2
    rates = torch.exp(-math.log(_SLOWEST) * torch.arange(half, device=time.device) / half)
    angles = 1000 * time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]


def _groups(channels: int) -> int:
    """Return how many groups of channels are normalised: at most eight, of equal size."""
    return math.gcd(channels, _GROUPS)
