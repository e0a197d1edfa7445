"""What can be measured of any image, so that a set without people still shows where a model is worse."""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.toolkit.cells.groups import band_names

PropertyName = Literal["brightness", "contrast", "sharpness"]
_LUMA = torch.tensor([0.299, 0.587, 0.114])
_AT_ONCE = 4096
_LEVELS = ("low", "middle", "high")


def luminance(pixels: Tensor) -> Tensor:
    """Return the luminance `(n, H, W)` between 0 and 1 of images `(n, C, H, W)` of bytes (ITU-R BT.601)."""
    scaled = pixels.float() / 255
    if pixels.shape[1] == 3:
        return torch.einsum("nchw,c->nhw", scaled, _LUMA)
    return scaled.mean(dim=1)


def brightness(light: Tensor) -> Tensor:
    """Return the mean luminance `(n,)`."""
    return light.mean(dim=(1, 2))


def contrast(light: Tensor) -> Tensor:
    """Return the standard deviation of the luminance `(n,)` (Peli 1990, Contrast in complex images)."""
    return light.flatten(1).std(dim=1, correction=0)


def sharpness(light: Tensor) -> Tensor:
    """Return the standard deviation of the Laplacian `(n,)`; 0 for images under three pixels across.

    Pech-Pacheco et al. (2000), Diatom autofocusing in brightfield microscopy.
    """
    if min(light.shape[1:]) < 3:
        return torch.zeros(len(light))
    middle = light[:, 1:-1, 1:-1]
    around = light[:, :-2, 1:-1] + light[:, 2:, 1:-1] + light[:, 1:-1, :-2] + light[:, 1:-1, 2:]
    return (around - 4 * middle).flatten(1).std(dim=1, correction=0)


PROPERTIES: Mapping[PropertyName, Callable[[Tensor], Tensor]] = {
    "brightness": brightness,
    "contrast": contrast,
    "sharpness": sharpness,
}


def measured(pixels: Tensor) -> pd.DataFrame:
    """Return every property of images `(n, C, H, W)` of bytes, a column each."""
    parts = [luminance(part) for part in torch.split(pixels, _AT_ONCE)]
    return pd.DataFrame(
        {name: torch.cat([measure(light) for light in parts]).double().numpy() for name, measure in PROPERTIES.items()}
    )


def terciles(values: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the band of each value as text `(n,)`: below, between and above the terciles of the values at `train`.

    Edges are rounded to three significant digits, as the names of the bands give them; where terciles coincide there
    are fewer bands.
    """
    cuts = np.quantile(values[train], [1 / 3, 2 / 3])
    edges = tuple(sorted({float(f"{cut:.3g}") for cut in cuts}))
    levels = _LEVELS if len(edges) == 2 else _LEVELS[::2]
    names = np.array(
        [f"{level} ({band})" for level, band in zip(levels, band_names(edges, whole=False), strict=True)], dtype=object
    )
    return np.asarray(names[np.searchsorted(edges, values, side="right")])
