"""Small pictures as arrays of colours."""

from collections.abc import Sequence

import numpy as np

from glassbench.contracts.facts import ImageFacts

INK, TOWARDS, AGAINST = np.array([24, 28, 32]), np.array([23, 78, 166]), np.array([194, 80, 12])
"""Colours: of what is shown, of what pushes towards the decision and against it."""


def shaded(values: np.ndarray) -> np.ndarray:
    """Return values `(height, width)` as shades from white (lowest) to ink (highest), `(height, width, 3)` bytes."""
    spread = float(values.max() - values.min())
    share = (values - values.min()) / spread if spread > 0 else np.zeros_like(values)
    return _mixed(np.full(3, 255), INK, share)


def signed_map(values: np.ndarray, below: np.ndarray | None = None) -> np.ndarray:
    """Return signed values `(height, width)` in two colours over a pale picture of `below`, `(height, width, 3)` bytes.

    The strongest hundredth of the values has the full colour, so that one outlier does not pale all others.
    """
    limit = float(np.quantile(np.abs(values), 0.99)) or float(np.abs(values).max()) or 1.0
    strength = np.clip(np.abs(values) / limit, 0, 1)[..., None]
    colour = np.where(values[..., None] > 0, TOWARDS, AGAINST)
    ground = np.full((*values.shape, 3), 255.0) if below is None else 255 - (255 - shaded(below).astype(float)) * 0.25
    return np.asarray(ground * (1 - strength) + colour * strength, dtype=np.uint8)


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


def _mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return np.asarray(first + (second - first) * share[..., None], dtype=np.uint8)
