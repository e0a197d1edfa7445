"""What CenterNet descends, and how its output is read as boxes."""

import torch
from torch import Tensor
from torch.nn import functional

from glassbench_plugins.detection.centernet import STRIDE
from glassbench_plugins.detection.targets import there

_LARGEST = 12.0
"""The largest logarithm of a side that is read; larger ones would overflow."""


def center_losses(output: Tensor, target: Tensor, size_weight: float) -> Tensor:
    """Return the loss of each picture `(n,)`: the focal loss of its middles, and the distances of sizes and offsets at them.

    Middles are learnt by the penalty-reduced focal loss of Law and Deng (2018), "CornerNet", on Gaussian bumps as wide as the
    boxes; sizes as the logarithms of sides.

    Args:
        output: `(n, classes + 4, h, w)`.
        target: Boxes `(n, most, 5)`.
        size_weight: What sizes and offsets count.
    """
    classes = output.shape[1] - 4
    held = there(target)
    count = held.sum(dim=1).clamp(min=1)
    bumps, rows, columns = _bumps(target, held, classes, output.shape[2], output.shape[3])
    chance = torch.sigmoid(output[:, :classes].float()).clamp(1e-4, 1 - 1e-4)
    middle = bumps == 1
    near = torch.log(chance) * (1 - chance) ** 2 * middle
    far = torch.log(1 - chance) * chance**2 * (1 - bumps) ** 4 * ~middle
    focal = -(near + far).sum(dim=(1, 2, 3)) / count
    pictures = torch.arange(len(target), device=output.device)[:, None]
    said = output[pictures, classes:, rows, columns]
    wanted = _shapes(target, rows, columns)
    apart = functional.smooth_l1_loss(said, wanted, beta=0.1, reduction="none").sum(dim=2) * held
    return focal + size_weight * apart.sum(dim=1) / count


def read_boxes(output: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the likeliest boxes of each picture: places whose score none of their eight neighbours exceeds.

    Args:
        output: `(n, classes + 4, h, w)`.
        most: How many.

    Returns:
        Corners in pixels `(n, k, 4)`, classes `(n, k)`, scores `(n, k)`, and the places `(n, k, 3)`: class, row and column.
    """
    classes, (height, width) = output.shape[1] - 4, output.shape[2:]
    scores = torch.sigmoid(output[:, :classes].double())
    peaks = scores * (functional.max_pool2d(scores, 3, stride=1, padding=1) == scores)
    best = peaks.flatten(1).topk(min(most, classes * height * width), dim=1)
    kinds, places = best.indices // (height * width), best.indices % (height * width)
    rows, columns = places // width, places % width
    pictures = torch.arange(len(output), device=output.device)[:, None]
    shape = output[pictures, classes:, rows, columns].double()
    sides = shape[..., :2].clamp(max=_LARGEST).exp()
    middles = (torch.stack([columns, rows], dim=2) + shape[..., 2:]) * STRIDE
    corners = torch.cat([middles - sides / 2, middles + sides / 2], dim=2)
    return corners, kinds, best.values, torch.stack([kinds, rows, columns], dim=2)


def _bumps(target: Tensor, held: Tensor, classes: int, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return a bump around each middle `(n, classes, h, w)`, and the rows and columns of the middles, each `(n, most)`."""
    middles = (target[..., :2] + target[..., 2:4]) / 2 / STRIDE
    sides = (target[..., 2:4] - target[..., :2]).clamp(min=1) / STRIDE
    columns = middles[..., 0].long().clamp(0, width - 1)
    rows = middles[..., 1].long().clamp(0, height - 1)
    spread = (sides / 6).clamp(min=0.5)
    across = (torch.arange(width, device=target.device) - columns[..., None]) / spread[..., :1]
    down = (torch.arange(height, device=target.device) - rows[..., None]) / spread[..., 1:]
    each = torch.exp(-(down[..., :, None] ** 2 + across[..., None, :] ** 2) / 2) * held[..., None, None]
    of = [torch.where((target[..., 4] == k)[..., None, None], each, 0.0).amax(dim=1) for k in range(classes)]
    return torch.stack(of, dim=1), rows, columns


def _shapes(target: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return what is learnt at each middle `(n, most, 4)`: logarithms of width and height, and the offset in places."""
    sides = (target[..., 2:4] - target[..., :2]).clamp(min=1).log()
    middles = (target[..., :2] + target[..., 2:4]) / 2 / STRIDE
    return torch.cat([sides, middles - torch.stack([columns, rows], dim=2)], dim=2)
