"""Made images of scattered shapes, with a box around each."""

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.detection.boxed_images import BoxedImages
from glassbench_plugins.vision.annotated import divided
from glassbench_plugins.vision.pictures import InMemory

CLASSES = ("disc", "square", "cross")
_SIDE = 64


def scattered_shapes(
    seed: int,
    *,
    rows: Count = 300,
    faint_share: ShareBelowOne = 0.3,
    faintness: ShareBelowOne = 0.9,
    validation_share: ShareBelowOne = 0.15,
    test_share: ShareBelowOne = 0.3,
    fold: Fold | None = None,
) -> Data:
    """Made images of 64 x 64 pixels with one to five shapes each, discs, squares and crosses of 8 to 20 pixels, in noise.

    What shows a shape lies within its box alone, so explanations of a box should point there. The images of the camera "old", a
    share of them, show all shapes faintly, so that they are in fact harder to find: an audit should find that.

    Args:
        seed: Seed of the images and the split.
        rows: How many images.
        faint_share: Share of the images from the old camera.
        faintness: By how much its images are fainter: 0 for as strong as those of the new one.
        validation_share: Share of the images for validation.
        test_share: Share of the images for testing.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    if rows < 40:
        raise SettingsError("at least 40 images are needed", got=str(rows), where="dataset.rows")
    chance = np.random.default_rng([seed, 0xB0E5])
    old = chance.random(rows) < faint_share
    light = chance.normal(70, 12, (rows, _SIDE, _SIDE))
    boxes = []
    for row in range(rows):
        found = _placed(chance)
        for left, top, right, bottom, kind in found:
            strength = 90 * ((1 - faintness) if old[row] else 1.0)
            light[row, top:bottom, left:right] += strength * drawn(CLASSES[kind], right - left)
        boxes.append(np.array(found, dtype=np.float32).reshape(-1, 5))
    images = BoxedImages(
        pictures=InMemory(torch.from_numpy(light.clip(0, 255).round().astype(np.uint8))[:, None]),
        boxes=tuple(boxes),
        classes=CLASSES,
        rows=np.arange(rows),
        metadata=pd.DataFrame({"camera": np.where(old, "old", "new")}),
        sensitive=("camera",),
        conditions=("camera",),
        source="made",
        name="shape",
    )
    division = Division(seed=seed, validation=validation_share, test=test_share, fold=fold, words="at random")
    return divided(images, division).data()


def drawn(name: str, side: int) -> np.ndarray:
    """Return where a shape lies in its box, bool `(side, side)`."""
    apart = np.arange(side) - (side - 1) / 2
    if name == "disc":
        return np.asarray(apart[:, None] ** 2 + apart[None] ** 2 <= (side / 2) ** 2)
    if name == "cross":
        return np.asarray((np.abs(apart[:, None]) < side / 6) | (np.abs(apart[None]) < side / 6))
    return np.asarray(np.maximum(np.abs(apart[:, None]), np.abs(apart[None])) > side / 2 - 3)


def _placed(chance: np.random.Generator) -> list[tuple[int, int, int, int, int]]:
    """Return shapes that do not overlap: left, top, right and bottom edge, and the class."""
    found: list[tuple[int, int, int, int, int]] = []
    wanted = int(chance.integers(1, 6))
    for _ in range(60):
        side = int(chance.integers(8, 21))
        left, top = chance.integers(0, _SIDE - side + 1, 2).tolist()
        free = all(left >= r + 1 or left + side + 1 <= a or top >= b + 1 or top + side + 1 <= t for a, t, r, b, _ in found)
        if free:
            found.append((left, top, left + side, top + side, int(chance.integers(len(CLASSES)))))
        if len(found) == wanted:
            break
    return found
