"""A monotone spline of rational quadratics, and the logarithm of its slope."""

import math

import torch
from torch import Tensor
from torch.nn import functional

LEAST = 1e-3
"""Smallest width, height and slope of a bin."""


def spline(x: Tensor, shape: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    """Map numbers through monotone splines on [-bound, bound]; outside they stay what they are.

    Durkan, Bekasov, Murray and Papamakarios (2019), "Neural Spline Flows": rational quadratic bins, slope 1 at the ends.

    Args:
        x: Numbers, any shape `(...)`.
        shape: What widths, heights and slopes of the k bins come from, `(..., 3 k - 1)`.
        bound: Where the spline ends.

    Returns:
        The images and the logarithms of the slopes, each `(...)`.
    """
    bins = (shape.shape[-1] + 1) // 3
    widths, left = _knots(shape[..., :bins], bound)
    heights, low = _knots(shape[..., bins : 2 * bins], bound)
    # softplus of this constant, plus the least slope, is 1: a spline of zeros is the identity.
    slopes = LEAST + functional.softplus(shape[..., 2 * bins :] + math.log(math.expm1(1 - LEAST)))
    slopes = functional.pad(slopes, (1, 1), value=1.0)
    inside = x.abs() < bound
    kept = torch.where(inside, x, torch.zeros_like(x))
    index = (kept[..., None] >= left[..., 1:]).sum(dim=-1, keepdim=True).clamp(max=bins - 1)

    def at(values: Tensor) -> Tensor:
        return values.gather(-1, index)[..., 0]

    width, height, start, floor = at(widths), at(heights), at(left), at(low)
    first, second, steep = at(slopes), at(slopes[..., 1:]), height / width
    t = (kept - start) / width
    turn = t * (1 - t)
    below = steep + (first + second - 2 * steep) * turn
    image = floor + height * (steep * t**2 + first * turn) / below
    slope = steep**2 * (second * t**2 + 2 * steep * turn + first * (1 - t) ** 2) / below**2
    return torch.where(inside, image, x), torch.where(inside, slope.log(), torch.zeros_like(x))


def _knots(raw: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    """Return the sizes of bins that fill [-bound, bound], and where each starts."""
    bins = raw.shape[-1]
    sizes = 2 * bound * (LEAST + (1 - LEAST * bins) * raw.softmax(dim=-1))
    starts = functional.pad(sizes.cumsum(dim=-1)[..., :-1], (1, 0)) - bound
    return sizes, starts
