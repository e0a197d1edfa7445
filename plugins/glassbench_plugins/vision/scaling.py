"""From bytes to the numbers a model sees."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_FLAT = 1e-6


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Standardises each channel, after bringing bytes to 0 to 1.

    Args:
        mean: Mean of each channel over the training images.
        std: Standard deviation of each.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, pixels: Tensor) -> Tensor:
        """From bytes `(..., C, H, W)` to float32 of the same shape."""
        mean, std = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in (self.mean, self.std))
        return (pixels.float() / 255 - mean) / std


def moments(pixels: Tensor) -> np.ndarray:
    """Return the mean and the mean square, between 0 and 1, of each image and channel `(n, C, 2)`."""
    flat = pixels.flatten(2).double() / 255
    return torch.stack([flat.mean(dim=2), flat.square().mean(dim=2)], dim=2).numpy()


def fit_scaling(of_each: np.ndarray) -> Scaling:
    """Return the scaling for images with these moments `(n, C, 2)`; a channel that never varies is only centred."""
    mean, square = of_each.mean(axis=0).T
    std = np.sqrt(np.maximum(square - mean**2, 0))
    std = np.where(std < _FLAT, 1.0, std)
    return Scaling(mean=tuple(float(m) for m in mean), std=tuple(float(s) for s in std))
