"""Small pictures as arrays of colours."""

from collections.abc import Sequence

import numpy as np

from glassbench.contracts.facts import ImageFacts

INK, TOWARDS, AGAINST = np.array([78, 116, 160]), np.array([41, 108, 210]), np.array([212, 98, 26])
"""Colours: of what is shown, of what pushes towards the decision and against it. Each stands out on a light page and a dark."""

_GROUND = 0.35
"""How much of the colour a picture below a map has."""


def shaded(values: np.ndarray) -> np.ndarray:
    """Return values `(height, width)` as one colour, from clear (lowest) to full (highest), `(height, width, 4)` bytes.

    What is clear shows the page, so that a map is dark on a light page and light on a dark one.
    """
    return _bytes(np.broadcast_to(INK, (*values.shape, 3)), _share(values))


def signed_map(values: np.ndarray, below: np.ndarray | None = None) -> np.ndarray:
    """Return signed values `(height, width)` in two colours over a pale picture of `below`, `(height, width, 4)` bytes.

    The strongest hundredth of the values has the full colour, so that one outlier does not pale all others. What is 0 is clear.
    """
    limit = float(np.quantile(np.abs(values), 0.99)) or float(np.abs(values).max()) or 1.0
    strength = np.clip(np.abs(values) / limit, 0, 1)
    colour = np.where(values[..., None] > 0, TOWARDS, AGAINST)
    ground = np.zeros(values.shape) if below is None else _GROUND * _share(below)
    cover = strength + ground * (1 - strength)
    mixed = colour * strength[..., None] + INK * (ground * (1 - strength))[..., None]
    return _bytes(mixed / np.maximum(cover, 1e-9)[..., None], cover)


def _share(values: np.ndarray) -> np.ndarray:
    """Return where values lie between the lowest, 0, and the highest, 1."""
    spread = float(values.max() - values.min())
    return np.asarray((values - values.min()) / spread) if spread > 0 else np.zeros(values.shape)


def _bytes(colour: np.ndarray, cover: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.concatenate([colour, 255 * cover[..., None]], axis=2)), dtype=np.uint8)


def enlarged(colours: np.ndarray, least: int = 256) -> np.ndarray:
    """Return an image whose cells are repeated until its longer side has `least` pixels."""
    factor = max(1, least // max(colours.shape[:2]))
    return colours.repeat(factor, axis=0).repeat(factor, axis=1)


def tiled(lines: Sequence[np.ndarray], facts: ImageFacts | None) -> np.ndarray:
    """Return standardised pictures line by line in their own colours, a pixel apart, `(height, width, 3)` bytes.

    Args:
        lines: Pictures of each line, as many in each, `(k, C, H, W)`.
        facts: How they were standardised.
    """
    return np.concatenate([_line(line, facts) for line in lines], axis=0)


def _line(pictures: np.ndarray, facts: ImageFacts | None) -> np.ndarray:
    if facts is not None:
        mean, std = (np.asarray(ends)[:, None, None] for ends in (facts.mean, facts.std))
        pictures = pictures * std + mean
    light = pictures if pictures.shape[1] == 3 else pictures.mean(axis=1, keepdims=True).repeat(3, axis=1)
    padded = np.pad(np.clip(light, 0, 1), ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=1)
    return np.asarray(np.rint(np.concatenate(list(padded.transpose(0, 2, 3, 1)), axis=1) * 255), dtype=np.uint8)
