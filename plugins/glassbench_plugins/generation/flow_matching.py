"""Flow matching under a class: noise flows along straight lines into pictures."""

import torch
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.generation.conditional import limits
from glassbench_plugins.generation.unet_generator import UNetGenerator


class FlowMatching(UNetGenerator):
    """Learns the direction from noise to pictures at every point between (Lipman et al. 2023; Liu, Gong and Liu 2023).

    Between a picture and noise lies a straight line; the network learns its direction. Sampling follows the directions from noise
    on, in equal steps of Heun's method.

    Args:
        schema: Tells the size of the pictures and the classes.
        widths: Channels of the U-Net at full size and after each halving.
        dropout: Share of the numbers in a block set to 0 while training.
        steps: Steps of sampling, each of which asks the network twice.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        widths: tuple[Count, ...] = (32, 64),
        dropout: ShareBelowOne = 0.0,
        steps: Count = 20,
    ) -> None:
        super().__init__(schema, "flow-matching", widths=widths, dropout=dropout, steps=steps)

    def objective(self, pictures: Tensor, classes: Tensor) -> Tensor:
        """Return the mean squared error of the direction at a random point of each picture's line `(n,)`."""
        times = torch.rand(len(pictures), device=pictures.device)
        return self.wrong(pictures, classes, times, torch.randn_like(pictures)) / self.size.pixels

    def sample(self, classes: Tensor, noise: Tensor) -> Tensor:
        """From wanted classes, long `(n,)`, and noise `(n, C, H, W)` to pictures `(n, C, H, W)`."""
        x, length = noise, 1 / self.steps
        for step in range(self.steps):
            now, then = (torch.full((len(x),), (step + k) * length, device=x.device) for k in (0, 1))
            first: Tensor = self.denoiser(x, now, classes)
            second: Tensor = self.denoiser(x + length * first, then, classes)
            x = x + length * (first + second) / 2
        black, white = limits(self.size).to(noise)
        return torch.clamp(x, black, white)

    def wrong(self, pictures: Tensor, classes: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """Return the summed squared error of the direction told of each picture at its time `(n,)`."""
        part = times[:, None, None, None]
        told: Tensor = self.denoiser((1 - part) * noise + part * pictures, times, classes)
        return (told - (pictures - noise)).square().flatten(1).sum(dim=1)
