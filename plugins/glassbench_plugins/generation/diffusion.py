"""Denoising diffusion under a class: learnt as DDPM, sampled as DDIM."""

import math
from itertools import pairwise

import torch
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, NonNegativeNumber, ShareBelowOne
from glassbench_plugins.generation.conditional import limits
from glassbench_plugins.generation.unet_generator import UNetGenerator

_OFFSET = 0.008


class Diffusion(UNetGenerator):
    """Takes noise out of pictures step by step (Ho, Jain and Abbeel 2020; cosine schedule of Nichol and Dhariwal 2021).

    It learns to tell the noise in a noisy picture of a known class. Sampling is deterministic (DDIM; Song, Meng and Ermon 2021):
    the same noise always becomes the same picture.

    Args:
        schema: Tells the size of the pictures and the classes.
        widths: Channels of the U-Net at full size and after each halving.
        dropout: Share of the numbers in a block set to 0 while training.
        steps: Steps of sampling.
        guidance: How far pictures are pushed towards their class and away from pictures of no class (Ho and Salimans 2022); 0 not
            at all. It makes classes plainer and pictures less varied.
        classless: Share of the training pictures whose class is withheld, without which there is no guidance.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        widths: tuple[Count, ...] = (32, 64),
        dropout: ShareBelowOne = 0.0,
        steps: Count = 50,
        guidance: NonNegativeNumber = 0.3,
        classless: ShareBelowOne = 0.1,
    ) -> None:
        super().__init__(schema, "diffusion", widths=widths, dropout=dropout, steps=steps)
        self.guidance, self.classless = guidance, classless

    def objective(self, pictures: Tensor, classes: Tensor) -> Tensor:
        """Return the mean squared error of the noise told of each picture at a random time `(n,)`."""
        n = len(pictures)
        withheld = torch.rand(n, device=pictures.device) < self.classless
        told = torch.where(withheld, self.size.classes, classes)
        times = torch.rand(n, device=pictures.device)
        return self.wrong(pictures, told, times, torch.randn_like(pictures)) / self.size.pixels

    def sample(self, classes: Tensor, noise: Tensor) -> Tensor:
        """From wanted classes, long `(n,)`, and noise `(n, C, H, W)` to pictures `(n, C, H, W)`."""
        black, white = limits(self.size).to(noise)
        times = torch.linspace(1, 0, self.steps + 1, device=noise.device)
        x = clean = noise
        for now, then in pairwise(times):
            signal, level = _levels(now.expand(len(x)))
            told = self._noise(x, now.expand(len(x)), classes)
            clean = torch.clamp((x - level * told) / signal, black, white)
            told = (x - signal * clean) / level
            signal, level = _levels(then.expand(len(x)))
            x = signal * clean + level * told
        return clean

    def _noise(self, x: Tensor, time: Tensor, classes: Tensor) -> Tensor:
        told: Tensor = self.denoiser(x, time, classes)
        if not self.guidance:
            return told
        plain: Tensor = self.denoiser(x, time, torch.full_like(classes, self.size.classes))
        return told + self.guidance * (told - plain)

    def wrong(self, pictures: Tensor, classes: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """Return the summed squared error of the noise told of each picture at its time `(n,)`."""
        signal, level = _levels(times)
        told: Tensor = self.denoiser(signal * pictures + level * noise, times, classes)
        return (told - noise).square().flatten(1).sum(dim=1)


def _levels(times: Tensor) -> tuple[Tensor, Tensor]:
    """Return how much of a picture and of noise there is at times `(n,)` from 0 (the picture) to 1 (noise), `(n, 1, 1, 1)`."""
    angle = (times + _OFFSET) / (1 + _OFFSET) * (math.pi / 2)
    signal = (torch.cos(angle) / math.cos(_OFFSET / (1 + _OFFSET) * math.pi / 2)).clamp(0.01, 1)[:, None, None, None]
    return signal, (1 - signal.square()).clamp(min=1e-6).sqrt()
