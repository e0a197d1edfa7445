"""Pictures on disk and texts are cleaned as tables are: planted copies are dropped, planted wrong labels changed."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import glassbench
from glassbench.cli.app import invoke

ROWS, LEARNT, WRONG, COPIES = 700, 450, 40, 12
TRAINER = {"use": "lightning", "max_epochs": 3, "accelerator": "cpu"}
PLANTED = np.arange(0, 10 * WRONG, 10)
"""Training rows whose label is planted wrong."""
COPIED = np.arange(ROWS - COPIES, ROWS)
"""Test rows in whose place copies of training rows stand."""
SOURCES = np.arange(1, 10 * COPIES, 10)


def parts() -> np.ndarray:
    place = np.arange(ROWS)
    return np.where(place < LEARNT, "train", np.where(place < LEARNT + 80, "val", "test"))


def mislabelled(labels: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return labels with copies' own, and the planted rows' turned to the next class."""
    names, found = sorted(set(labels)), np.array(labels, dtype=object)
    found[COPIED] = found[SOURCES]
    found[PLANTED] = [names[(names.index(one) + 1) % len(names)] for one in found[PLANTED]]
    return found


def pictures(folder: Path) -> dict[str, Any]:
    pixels, digits = load_digits(n_class=4, return_X_y=True)
    pixels, digits = pixels[:ROWS], digits[:ROWS]
    pixels[COPIED] = pixels[SOURCES]
    (folder / "pictures").mkdir()
    for at, one in enumerate(pixels):
        Image.fromarray((one.reshape(8, 8) * 15).astype(np.uint8)).save(folder / "pictures" / f"{at}.png")
    table = pd.DataFrame({"file": [f"{at}.png" for at in range(ROWS)], "part": parts()})
    table.assign(label=mislabelled([f"d{one}" for one in digits])).to_csv(folder / "labels.csv", index=False)
    own = {"use": "image-folder", "path": str(folder / "pictures"), "metadata": str(folder / "labels.csv"), "size": 8}
    return {"dataset": {**own, "colour": False, "keep": "disk"}, "model": "cnn"}


def texts(folder: Path) -> dict[str, Any]:
    chance = np.random.default_rng(0)
    words = {"good": ["fine", "lovely", "great", "warm"], "bad": ["dull", "poor", "awful", "cold"]}
    labels = chance.choice(["good", "bad"], ROWS)
    said = [" ".join([*chance.choice(words[one], 5), *chance.choice([f"w{k}" for k in range(200)], 6)]) for one in labels]
    said[-COPIES:] = [said[at] for at in SOURCES]
    table = pd.DataFrame({"said": said, "label": mislabelled(labels), "part": parts()})
    table.to_csv(folder / "texts.csv", index=False)
    own = {"use": "text-table", "path": str(folder / "texts.csv"), "text": "said", "target": "label"}
    return {"dataset": own, "model": "gru"}


@pytest.mark.slow
@pytest.mark.parametrize("made", [pictures, texts])
def test_copies_are_dropped_and_wrong_labels_changed_whatever_rows_are(
    made: Callable[[Path], dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = made(tmp_path)
    split = {"by": "column", "column": "part"}
    content = {"name": "rows", "task": "classification", "trainer": TRAINER, "audits": ["performance", "data"], **own}
    content["dataset"]["split"] = split
    before = glassbench.run(content, runs=tmp_path / "runs")
    assert invoke(["clean", str(before.folder), "--to", str(tmp_path / "cleaning")]) == 0
    lines = pd.read_csv(tmp_path / "cleaning" / "cleaning.csv", dtype=str)
    relabelled = lines[lines["action"] == "relabel"]
    assert (lines["action"] == "drop").sum() == COPIES
    right = relabelled["row"].str.removesuffix(".png").astype(int).isin(PLANTED).sum()
    assert right > 0.8 * len(relabelled) > 0.5 * WRONG
    capsys.readouterr()
    invoke(["clean", str(before.folder), "--apply", str(tmp_path / "cleaning" / "cleaning.yaml"), "--json"])
    told = json.loads(capsys.readouterr().out)
    after = glassbench.load_run(tmp_path / "runs" / told["cleaned"])
    assert next(m for m in after.measures if m.name == "data.leakage").value == 0
    changed = json.loads((after.folder / "provenance.json").read_text())["cleaning"]
    assert changed["version"]
