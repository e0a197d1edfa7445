"""Pictures whose background agrees with what they show: plain training decides by the background, group-DRO less so."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import glassbench

SIDE = 16
DISC = (np.add.outer((np.arange(5) - 2) ** 2, (np.arange(5) - 2) ** 2) <= 4).astype(float)
CROSS = np.clip(np.eye(5) + np.eye(5)[::-1], 0, 1)


def birds(folder: Path, rows: int, seed: int, agreeing: float = 0.95) -> dict[str, Any]:
    """Write pictures of a faint disc or cross anywhere in noise, on a dark or light ground that agrees with it in most pictures.

    Returns:
        What the data set is told. Pictures to judge by show every pair of shape and ground equally often.
    """
    chance = np.random.default_rng(seed)
    part = np.array(["train", "validation", "test"])[chance.choice(3, rows, p=[0.5, 0.2, 0.3])]
    shape = chance.integers(0, 2, rows)
    agrees = chance.random(rows) < np.where(part == "test", 0.5, agreeing)
    ground = np.where(agrees, shape, 1 - shape)
    light = np.where(ground == 1, 130.0, 90.0)[:, None, None] + chance.normal(0, 14, (rows, SIDE, SIDE))
    for row, (down, across) in enumerate(chance.integers(0, SIDE - 4, (rows, 2))):
        light[row, down : down + 5, across : across + 5] += 30 * (CROSS if shape[row] else DISC)
    files = [f"{row}.png" for row in range(rows)]
    for name, pixels in zip(files, light.clip(0, 255).astype(np.uint8), strict=True):
        Image.fromarray(pixels).save(folder / name)
    columns = {"file": files, "label": np.array(["gull", "robin"])[shape], "ground": np.array(["land", "water"])[ground]}
    pd.DataFrame({**columns, "part": part}).to_csv(folder.parent / "pictures.csv", index=False)
    return {
        "use": "image-folder",
        "path": str(folder),
        "metadata": str(folder.parent / "pictures.csv"),
        "split": {"by": "column", "column": "part"},
        "sensitive": ["ground"],
        "size": SIDE,
        "colour": False,
    }


def accuracies(dataset: dict[str, Any], mitigations: list[Any], seed: int, runs: Path) -> "pd.Series[float]":
    """Return the accuracy of each pair of shape and ground."""
    trainer = {"use": "lightning", "max_epochs": 25, "learning_rate": 0.005, "threads": 1, "batch_size": 64}
    experiment = {
        "name": "birds",
        "seed": seed,
        "dataset": dataset,
        "task": "classification",
        "model": {"use": "cnn", "widths": [8, 16]},
        "trainer": {**trainer, "early_stopping": None},
        "mitigations": mitigations,
        "audits": ["performance"],
    }
    rows = pd.read_parquet(glassbench.run(experiment, runs=runs).folder / "predictions.parquet")
    right = rows["y_true"].astype(str) == rows["y_pred"].astype(str)
    by: pd.Series[float] = right.groupby([rows["y_true"].astype(str), rows["group.ground"].astype(str)]).mean()
    return by


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_worst_group_of_pictures_gains_ten_points(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    dataset = birds(folder, 3000, seed)
    plain, fair = (accuracies(dataset, used, seed, tmp_path) for used in ([], [{"use": "group-dro", "step": 0.05}]))
    print(seed, plain.round(3).to_dict(), fair.round(3).to_dict())
    assert len(plain) == 4
    assert fair.min() >= plain.min() + 0.1


@pytest.mark.slow
def test_nothing_is_gained_where_the_ground_says_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    dataset = birds(folder, 3000, 0, agreeing=0.5)
    plain, fair = (accuracies(dataset, used, 0, tmp_path) for used in ([], [{"use": "group-dro", "step": 0.05}]))
    assert abs(fair.min() - plain.min()) < 0.1
