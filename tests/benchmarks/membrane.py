"""Membranes in electron microscopy: the U-Net against a random forest on classic filter features, as ilastik does.

    python tests/benchmarks/membrane.py forest FOLDER     # Dice of the membranes by the forest, on the last 6 pictures
    python tests/benchmarks/membrane.py experiment FOLDER # writes FOLDER/membrane.yaml; run it with `glassbench run`

FOLDER holds `image/` and `label/`, 30 pictures each, unpacked from `membrane.zip`.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

SCALES = (0.7, 1.0, 1.6, 3.5, 5.0)
HELD_OUT = range(24, 30)
PIXELS_EACH = 4000


def features(image):
    """Return smoothed light, edges, Laplacian, eigenvalues of Hessian and structure tensor by scale `(pixels, features)`."""
    light = image.astype(np.float32) / 255
    found = [light]
    for scale in SCALES:
        smooth = ndimage.gaussian_filter(light, scale)
        found += [smooth, ndimage.gaussian_gradient_magnitude(light, scale), ndimage.gaussian_laplace(light, scale)]
        found += eigenvalues(*(ndimage.gaussian_filter(light, scale, order=order) for order in ((2, 0), (1, 1), (0, 2))))
        down, across = np.gradient(smooth)
        found += eigenvalues(*(ndimage.gaussian_filter(part, scale / 2) for part in (down**2, down * across, across**2)))
    return np.stack(found, axis=-1).reshape(-1, len(found))


def eigenvalues(first, mixed, second):
    """Return both eigenvalues of symmetric matrices of 2 x 2, the larger first."""
    middle, apart = (first + second) / 2, np.sqrt(((first - second) / 2) ** 2 + mixed**2)
    return [middle + apart, middle - apart]


def read(folder, number):
    image, label = (np.asarray(Image.open(folder / part / f"{number}.png")) for part in ("image", "label"))
    return image, label == 0


def forest(folder):
    chance, rows, truths = np.random.default_rng(1), [], []
    started = time.process_time()
    for number in range(24):
        image, membrane = read(folder, number)
        chosen = chance.choice(membrane.size, PIXELS_EACH, replace=False)
        rows.append(features(image)[chosen])
        truths.append(membrane.ravel()[chosen])
    model = RandomForestClassifier(100, min_samples_leaf=5, random_state=1, n_jobs=1)
    model.fit(np.concatenate(rows), np.concatenate(truths))
    counts = np.zeros(3)
    for number in HELD_OUT:
        image, membrane = read(folder, number)
        said = model.predict(features(image)).astype(bool).reshape(membrane.shape)
        counts += (said & membrane).sum(), said.sum(), membrane.sum()
    dice = 2 * counts[0] / (counts[1] + counts[2])
    print(json.dumps({"forest_dice": dice, "pixels": PIXELS_EACH * 24, "cpu_seconds": time.process_time() - started}))


def experiment(folder):
    names = [f"{number}.png" for number in range(30)]
    parts = ["test" if number in HELD_OUT else "train" for number in range(30)]
    pd.DataFrame({"file": names, "part": parts}).to_csv(folder / "parts.csv", index=False)
    dataset = {
        "use": "mask-folder", "path": str(folder), "images": "image", "masks": "label", "colour": False,
        "classes": {0: "membrane", 255: "cell"}, "metadata": str(folder / "parts.csv"),
        "split": {"by": "column", "column": "part", "validation": 0}, "sensitive": ["brightness", "contrast"],
    }  # fmt: skip
    trainer = {
        "use": "lightning", "max_epochs": 32, "batch_size": 3, "learning_rate": 0.005, "schedule": "cosine", "warmup": 0.05,
        "keep": "last", "threads": 1,
    }  # fmt: skip
    whole = {
        "name": "membrane", "seed": 1, "dataset": dataset,
        "task": {"use": "segmentation", "background": "cell", "crop": 160, "flips": "all"},
        "model": {"use": "unet", "width": 8, "depth": 3}, "trainer": trainer, "audits": {"performance": {}},
    }  # fmt: skip
    (folder / "membrane.yaml").write_text(json.dumps(whole, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("forest", "experiment"))
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    {"forest": forest, "experiment": experiment}[given.what](given.folder)
