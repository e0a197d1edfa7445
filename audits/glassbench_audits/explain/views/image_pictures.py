"""Images and their maps as small pictures."""

import numpy as np
from torch import Tensor

from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.png import png
from glassbench.contracts.schema import Schema
from glassbench_audits.drawing.raster import enlarged, shaded, signed_map

_MAP, _GAP, _BAR = 192, 10, 14
"""Pixels along a map's longer side, between it and its bar of shades, and across that bar."""

LARGEST = 96
"""Pixels along the longer side of a picture; larger images are shown smaller, so that a report keeps its size."""


def image_png(schema: Schema, image: Tensor) -> str:
    """Return an image `(C, H, W)`, as the model saw it, in its own colours."""
    values = seen(schema, image)
    if len(values) != 3:
        grey = np.clip(values.mean(axis=0), 0, 1)[..., None]
        return png(_bytes(np.repeat(grey, 3, axis=2)))
    return png(_bytes(np.clip(values.transpose(1, 2, 0), 0, 1)))


def map_png(schema: Schema, image: Tensor, held: np.ndarray) -> str:
    """Return a map `(H, W)`, laid over a pale image `(C, H, W)`: blue where it is above 0, orange below."""
    ground = reduced(1 - seen(schema, image).mean(axis=0))
    return png(signed_map(reduced(held), ground))


def shade_png(held: np.ndarray) -> str:
    """Return a map `(H, W)` alone, stronger for more, with a bar of its shades at the right."""
    shades = enlarged(shaded(reduced(held)), _MAP)
    ramp = shaded(np.linspace(1, 0, len(shades))[:, None])
    gap = np.zeros((len(shades), _GAP, shades.shape[2]), dtype=np.uint8)
    return png(np.concatenate([shades, gap, ramp.repeat(_BAR, axis=1)], axis=1))


def seen(schema: Schema, image: Tensor) -> np.ndarray:
    """Return an image `(C, H, W)` before it was standardised, between 0 and 1; without mean and std it is spread over them."""
    values = image.detach().double().numpy()
    facts = schema.facts_of(ImageFacts)
    if facts is not None:
        return np.asarray(values * np.asarray(facts.std)[:, None, None] + np.asarray(facts.mean)[:, None, None])
    spread = values.max() - values.min()
    return np.asarray((values - values.min()) / spread if spread > 0 else np.zeros_like(values))


def reduced(values: np.ndarray) -> np.ndarray:
    """Return values `(H, W, ...)` averaged over blocks until the longer side is at most `LARGEST`."""
    block = -(-max(values.shape[:2]) // LARGEST)
    if block == 1:
        return values
    height, width = (max(1, side // block) for side in values.shape[:2])
    cut = values[: height * block, : width * block]
    blocks = cut.reshape(height, -1, width, cut.shape[1] // width, *values.shape[2:])
    return np.asarray(blocks.mean(axis=(1, 3)))


def _bytes(colours: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(reduced(colours) * 255), dtype=np.uint8)
