"""Made images with any number of shapes in each."""

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.label_columns import LabelColumns, RowLabels
from glassbench_plugins.vision.assembly import Collection, divided
from glassbench_plugins.vision.pictures import InMemory

SHAPES = ("disc", "square", "cross")
_SIDE, _HALF = 28, 4


def shapes(
    seed: int,
    *,
    rows: Count = 1500,
    faint_share: ShareBelowOne = 0.25,
    validation_share: ShareBelowOne = 0.15,
    test_share: ShareBelowOne = 0.3,
    fold: Fold | None = None,
) -> Data:
    """Made images of 28 x 28 pixels in which a disc, a square and a cross may each be seen or not: several labels per image.

    Discs are drawn in the upper half, squares and crosses anywhere, all in noise. In a share of the images, those of the camera
    "old", crosses are faint, so that they are in fact harder to see there: an audit should find that, and nothing of the kind
    for the other shapes.

    Args:
        seed: Seed of the images and the split.
        rows: How many images.
        faint_share: Share of the images from the old camera.
        validation_share: Share of the images for validation.
        test_share: Share of the images for testing.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    if rows < 100:
        raise SettingsError("at least 100 images are needed", got=str(rows), where="dataset.rows")
    chance = np.random.default_rng([seed, 0x5A9E])
    given = (chance.random((rows, len(SHAPES))) < [0.45, 0.35, 0.5]).astype(float)
    old = chance.random(rows) < faint_share
    light = chance.normal(60, 18, (rows, _SIDE, _SIDE))
    for place, name in enumerate(SHAPES):
        strength = np.where(old & (name == "cross"), 25, 130)
        for row in np.flatnonzero(given[:, place]):
            light[row] += strength[row] * _drawn(name, chance)
    images = Collection(
        pictures=InMemory(torch.from_numpy(light.clip(0, 255).round().astype(np.uint8))[:, None]),
        labels=pd.Series(given @ [1, 2, 4]).astype(int).astype(str),
        rows=np.arange(rows),
        target="shapes",
        metadata=pd.DataFrame({"camera": np.where(old, "old", "new")}),
        sensitive=("camera",),
        conditions=("camera",),
        source="made",
        several=RowLabels(columns=LabelColumns(columns=SHAPES, labels=SHAPES, name="shapes"), given=given),
    )
    return divided(images, Division(seed=seed, validation=validation_share, test=test_share, fold=fold)).data()


def _drawn(name: str, chance: np.random.Generator) -> np.ndarray:
    """Return where a shape is `(28, 28)`, at a random place."""
    highest = _SIDE // 2 if name == "disc" else _SIDE - _HALF
    middle = chance.integers(_HALF, [highest - _HALF + 1, _SIDE - _HALF])
    down, across = (np.abs(np.arange(_SIDE) - at) for at in middle)
    near = (down[:, None] <= _HALF) & (across[None, :] <= _HALF)
    if name == "disc":
        return np.asarray(down[:, None] ** 2 + across[None, :] ** 2 <= _HALF**2)
    if name == "cross":
        return np.asarray(near & ((down[:, None] <= 0) | (across[None, :] <= 0)))
    return np.asarray(near & ((down[:, None] == _HALF) | (across[None, :] == _HALF)))
