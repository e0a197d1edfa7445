"""Random views of images, from which a network learns what stays the same."""

import torch
from torch import Tensor
from torch.nn import functional


def views(images: Tensor, *, flips: bool) -> Tensor:
    """Return another view of each image `(n, C, H, W)`: cropped, turned, moved, brighter or darker, a part of it blank.

    Each image is enlarged by up to a half, turned by up to 15 degrees, moved by up to an eighth of its sides; its contrast
    changes by up to two fifths, and a square of up to two fifths of its sides takes the mean (0 of standardised images).

    Args:
        images: Standardised images.
        flips: Whether half of them are mirrored, which digits and letters do not stand.
    """
    n, device = len(images), images.device
    scale = 1 - torch.rand(n, device=device) / 3
    turn = (torch.rand(n, device=device) - 0.5) * (torch.pi / 6)
    mirror = torch.where(torch.rand(n, device=device) < 0.5, -1.0, 1.0) if flips else torch.ones(n, device=device)
    move = (torch.rand(n, 2, device=device) - 0.5) / 2
    first = torch.stack([scale * turn.cos() * mirror, -scale * turn.sin(), move[:, 0]], dim=1)
    second = torch.stack([scale * turn.sin() * mirror, scale * turn.cos(), move[:, 1]], dim=1)
    grid = functional.affine_grid(torch.stack([first, second], dim=1), list(images.shape), align_corners=False)
    seen = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    contrast = 0.6 + 0.8 * torch.rand(n, 1, 1, 1, device=device)
    brightness = 0.4 * (torch.rand(n, 1, 1, 1, device=device) - 0.5)
    return (seen * contrast + brightness) * _kept(seen)


def masked(images: Tensor, patch: int, share: float) -> Tensor:
    """Return which pixels of each image are hidden, 1 or 0 `(n, 1, H, W)`: whole patches, drawn by chance.

    Args:
        images: Images `(n, C, H, W)`, whose sides are multiples of the patch.
        patch: Side of a patch in pixels.
        share: Share of the patches that are hidden.
    """
    n, _, height, width = images.shape
    drawn = torch.rand(n, (height // patch) * (width // patch), device=images.device)
    hidden = (drawn.argsort(dim=1).argsort(dim=1) < share * drawn.shape[1]).float()
    grid = hidden.view(n, 1, height // patch, width // patch)
    return grid.repeat_interleave(patch, dim=2).repeat_interleave(patch, dim=3)


def _kept(images: Tensor) -> Tensor:
    """Return 0 within a square of each image and 1 elsewhere, `(n, 1, H, W)`."""
    n, _, height, width = images.shape
    side = torch.rand(n, 1, device=images.device) * 0.4
    at = torch.rand(n, 2, device=images.device) * (1 - side)
    down = (torch.arange(height, device=images.device) + 0.5) / height
    across = (torch.arange(width, device=images.device) + 0.5) / width
    inside_rows = (down >= at[:, :1]) & (down < at[:, :1] + side)
    inside_columns = (across >= at[:, 1:]) & (across < at[:, 1:] + side)
    return 1 - (inside_rows[:, None, :, None] & inside_columns[:, None, None, :]).float()
