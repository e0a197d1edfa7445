"""Images before they are divided: in memory or on disk, with what was measured of them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Lazy
from glassbench.storage.files import content_hash
from glassbench_plugins.vision.duplicates import prints
from glassbench_plugins.vision.files import Form, read_image
from glassbench_plugins.vision.properties import measured
from glassbench_plugins.vision.scaling import Scaling, moments

_AT_ONCE = 4096


class Pictures(Protocol):
    """Images of one size.

    Attributes:
        shape: Channels, height and width.
        moments: Mean and mean square of each image and channel `(n, C, 2)`.
        properties: What was measured of each image, a column per property.
        prints: A fingerprint of each image `(n,)`.
    """

    @property
    def shape(self) -> tuple[int, int, int]: ...  # noqa: D102

    @property
    def moments(self) -> np.ndarray: ...  # noqa: D102

    @property
    def properties(self) -> pd.DataFrame: ...  # noqa: D102

    @property
    def prints(self) -> np.ndarray: ...  # noqa: D102

    def inputs(self, rows: np.ndarray, scaling: Scaling) -> tuple[Tensor, ...] | Lazy:
        """Return the images at `rows` as a model sees them."""
        ...


@dataclass(frozen=True, eq=False)
class InMemory:
    """Images held in memory.

    Args:
        pixels: Bytes `(n, C, H, W)`.
    """

    pixels: Tensor

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        _, channels, height, width = self.pixels.shape
        return channels, height, width

    @cached_property
    def moments(self) -> np.ndarray:
        """Mean and mean square of each image and channel `(n, C, 2)`."""
        return np.concatenate([moments(part) for part in torch.split(self.pixels, _AT_ONCE)])

    @cached_property
    def properties(self) -> pd.DataFrame:
        """What was measured of each image."""
        return measured(self.pixels)

    @cached_property
    def prints(self) -> np.ndarray:
        """A fingerprint of each image `(n,)`."""
        return prints(self.pixels)

    def inputs(self, rows: np.ndarray, scaling: Scaling) -> tuple[Tensor, ...]:
        """Return the images at `rows`, float32 `(k, C, H, W)`."""
        return (scaling(self.pixels[torch.as_tensor(rows)]),)


@dataclass(frozen=True, eq=False, kw_only=True)
class OnDisk:
    """Images read whenever they are asked for.

    Args:
        paths: Their files.
        form: What they are brought to.
        moments: Mean and mean square of each image and channel `(n, C, 2)`.
        properties: What was measured of each image.
        prints: A fingerprint of each image `(n,)`.
    """

    paths: tuple[Path, ...]
    form: Form
    moments: np.ndarray
    properties: pd.DataFrame
    prints: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.form.shape

    def inputs(self, rows: np.ndarray, scaling: Scaling) -> Lazy:
        """Return the images at `rows`, read one by one."""
        return ImagesOnDisk(tuple(self.paths[row] for row in rows), self.form, scaling)


class ImagesOnDisk:
    """Images that stay on disk, read and scaled one at a time.

    Args:
        paths: Their files.
        form: What they are brought to.
        scaling: What makes numbers of their bytes.
    """

    def __init__(self, paths: tuple[Path, ...], form: Form, scaling: Scaling) -> None:
        self.paths = paths
        self.form = form
        self.scaling = scaling

    def fingerprint(self) -> str:
        """Return the SHA-256 of all files' content, one after the other."""
        return content_hash(self.paths)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Read one image, float32 `(C, H, W)`."""
        return (self.scaling(torch.from_numpy(read_image(self.paths[index], self.form))),)
