"""An attack that needs no gradients: random search on the corners of what may be changed."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

FIRST, LAST = 0.5, 0.05
"""Share of the numbers of a row that a step draws anew, at the first and at the last step."""


def random_search(
    score: Callable[[Tensor, Tensor], Tensor],
    rows: Tensor,
    reach: Tensor,
    generator: np.random.Generator,
    *,
    steps: int,
    restarts: int,
    enough: float = np.inf,
) -> Tensor:
    """Return rows changed by at most `reach` in every number so that their score is as high as was found.

    After the Square attack (Andriushchenko et al. 2020): every number lies at an end of what is allowed; each step draws the ends
    of some numbers anew, neighbouring ones in images, series and sound, and is kept where the score does not fall.

    Args:
        score: From changed rows `(k, ...)` and their positions `(k,)` to what the attack raises `(k,)`.
        rows: The rows as they are `(n, ...)`.
        reach: The most that a number may change, broadcasts over rows; 0 where nothing may change.
        generator: Source of what is drawn.
        steps: Steps of each start.
        restarts: How often to start anew from random ends; the best start of each row counts.
        enough: A score beyond which a row is left alone.
    """
    everything = torch.arange(len(rows))
    best, found = rows.clone(), score(rows, everything)
    for _ in range(restarts):
        signs = _signs(generator, rows)
        here = score(rows + signs * reach, everything)
        for step in range(steps):
            left = torch.nonzero(torch.maximum(here, found) <= enough)[:, 0]
            if not len(left):
                break
            share = FIRST * (LAST / FIRST) ** (step / max(steps - 1, 1))
            drawn = torch.where(_region(generator, rows[left], share), _signs(generator, rows[left]), signs[left])
            reached = score(rows[left] + drawn * reach, left)
            kept = reached >= here[left]
            signs[left[kept]], here[left[kept]] = drawn[kept], reached[kept]
        better = here > found
        best[better], found[better] = (rows + signs * reach)[better], here[better]
    return best


def _signs(generator: np.random.Generator, rows: Tensor) -> Tensor:
    return torch.as_tensor(generator.choice([-1.0, 1.0], size=tuple(rows.shape)), dtype=rows.dtype)


def _region(generator: np.random.Generator, rows: Tensor, share: float) -> Tensor:
    """Return which numbers of each row a step draws anew, bool: single columns, stretches of steps, or squares of an image."""
    if rows.ndim == 2:
        chosen = torch.as_tensor(generator.random(tuple(rows.shape)) < share)
        chosen[torch.arange(len(rows)), torch.as_tensor(generator.integers(0, rows.shape[1], len(rows)))] = True
        return chosen
    axes = (1,) if rows.ndim == 3 else (rows.ndim - 2, rows.ndim - 1)
    sides = [max(1, round(rows.shape[axis] * share ** (1 / len(axes)))) for axis in axes]
    starts = [generator.integers(0, rows.shape[axis] - side + 1, len(rows)) for axis, side in zip(axes, sides, strict=True)]
    inside = torch.ones(rows.shape, dtype=torch.bool)
    for axis, side, start in zip(axes, sides, starts, strict=True):
        places = torch.arange(rows.shape[axis])[None, :] - torch.as_tensor(start)[:, None]
        shape = [len(rows) if a == 0 else rows.shape[axis] if a == axis else 1 for a in range(rows.ndim)]
        inside &= ((places >= 0) & (places < side)).reshape(shape)
    return inside
