"""Made images of plain and striped discs, with masks."""

from typing import Literal

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.segmentation.masked_images import MaskedImages
from glassbench_plugins.vision.annotated import divided
from glassbench_plugins.vision.pictures import InMemory

CLASSES = ("background", "plain", "striped")
Sensitive = Literal["camera", "brightness", "object_size"]
_SIDE, _CORE = 48, 3
_RADII = (5, 9)


def textured_shapes(
    seed: int,
    *,
    rows: Count = 240,
    faint_share: ShareBelowOne = 0.3,
    faintness: ShareBelowOne = 0.88,
    sensitive: tuple[Sensitive, ...] = ("camera", "object_size"),
    validation_share: ShareBelowOne = 0.15,
    test_share: ShareBelowOne = 0.35,
    fold: Fold | None = None,
) -> Data:
    """Made images of 48 x 48 pixels with two or three discs each, plain or striped, in noise; masks give every pixel a class.

    A disc is striped all over by its mask, but shows stripes only in its core, 7 x 7 pixels: what tells the two classes apart
    lies there. The images of the camera "old", a share of them, show discs and stripes faintly, so that they are in fact harder
    to segment: an audit should find that.

    Args:
        seed: Seed of the images and the split.
        rows: How many images.
        faint_share: Share of the images from the old camera.
        faintness: By how much its images are fainter: 0 for as strong as those of the new one.
        sensitive: Features to audit by: the camera, and measured brightness and mean size of the discs.
        validation_share: Share of the images for validation.
        test_share: Share of the images for testing.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    if rows < 40:
        raise SettingsError("at least 40 images are needed", got=str(rows), where="dataset.rows")
    chance = np.random.default_rng([seed, 0x7E57])
    old = chance.random(rows) < faint_share
    light = chance.normal(70, 12, (rows, _SIDE, _SIDE))
    masks = np.zeros((rows, _SIDE, _SIDE), dtype=np.int16)
    for row in range(rows):
        strength = (1 - faintness) if old[row] else 1.0
        for down, across, radius, striped in _discs(chance):
            there, core = drawn_disc(down, across, radius), core_of(down, across)
            light[row] += strength * 70 * there
            if striped:
                stripes = np.where(np.arange(_SIDE)[:, None] % 2 == 0, 50, -50)
                light[row] += strength * stripes * core
            masks[row][there] = 2 if striped else 1
    images = MaskedImages(
        pictures=InMemory(torch.from_numpy(light.clip(0, 255).round().astype(np.uint8))[:, None]),
        masks=torch.from_numpy(masks),
        classes=CLASSES,
        rows=np.arange(rows),
        background=CLASSES[0],
        metadata=pd.DataFrame({"camera": np.where(old, "old", "new")}),
        sensitive=tuple(sensitive),
        conditions=("camera",),
        source="made",
        name="texture",
    )
    division = Division(seed=seed, validation=validation_share, test=test_share, fold=fold, words="at random")
    return divided(images, division).data()


def drawn_disc(down: int, across: int, radius: int) -> np.ndarray:
    """Return where a disc lies, bool `(48, 48)`."""
    rows, columns = np.arange(_SIDE)[:, None] - down, np.arange(_SIDE)[None] - across
    return np.asarray(rows**2 + columns**2 <= radius**2)


def core_of(down: int, across: int) -> np.ndarray:
    """Return where the core of a disc lies, bool `(48, 48)`."""
    rows, columns = (np.abs(np.arange(_SIDE) - at) <= _CORE for at in (down, across))
    return np.asarray(rows[:, None] & columns[None])


def _discs(chance: np.random.Generator) -> list[tuple[int, int, int, bool]]:
    """Return discs that do not overlap: places of their middles, radii, and whether they are striped."""
    found: list[tuple[int, int, int, bool]] = []
    for _ in range(40):
        radius = int(chance.integers(_RADII[0], _RADII[1] + 1))
        down, across = chance.integers(radius + 1, _SIDE - radius - 1, 2).tolist()
        if all((down - d) ** 2 + (across - a) ** 2 > (radius + r + 2) ** 2 for d, a, r, _ in found):
            found.append((down, across, radius, bool(chance.random() < 0.5)))
        if len(found) == 3:
            break
    return found
