"""Random changes of images while training, on whole batches."""

from typing import Literal

import torch
from torch import Tensor, nn

Augment = Literal["none", "shift", "shift-and-flip"]
_SHARE = 8


class Augmentation(nn.Module):
    """Moves each image by some pixels, and mirrors it perhaps; in evaluation mode it changes nothing.

    Args:
        augment: Which changes: none, `shift` up to an eighth of each side (edges are continued), `shift-and-flip` mirrors
            half of the images too, which digits and letters do not stand.
        height, width: Size of the images.
    """

    def __init__(self, augment: Augment, height: int, width: int) -> None:
        super().__init__()
        self.shifts = (max(1, height // _SHARE), max(1, width // _SHARE)) if augment != "none" else (0, 0)
        self.flips = augment == "shift-and-flip"

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to images of the same shape."""
        if not self.training or self.shifts == (0, 0):
            return images
        n, _, height, width = images.shape
        rows = _places(n, height, self.shifts[0], images.device)
        columns = _places(n, width, self.shifts[1], images.device)
        if self.flips:
            mirrored = torch.rand(n, 1, device=images.device) < 0.5
            columns = torch.where(mirrored, width - 1 - columns, columns)
        which = torch.arange(n, device=images.device)[:, None, None]
        moved = images.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
        return moved.permute(0, 3, 1, 2).contiguous()


def _places(n: int, length: int, most: int, device: torch.device) -> Tensor:
    """Return where each pixel along an axis is taken from `(n, length)`, within the image."""
    shift = torch.randint(-most, most + 1, (n, 1), device=device)
    return (torch.arange(length, device=device) + shift).clamp(0, length - 1)
