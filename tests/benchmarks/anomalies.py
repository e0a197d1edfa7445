"""How well unusual rows are told apart: each digit alone against all others, and labelled stretches of series.

`python tests/benchmarks/anomalies.py digits` prints the area under the ROC curve of each model for each digit learnt alone.
`python tests/benchmarks/anomalies.py nab` prints the average precision over the test steps of each series of the Numenta
benchmark that has labelled stretches, beside a rolling z-score's on the same steps: the distance of a value from the mean of the
steps before it, in their standard deviations, with the best of three lengths in hindsight. The first 15 % of a series, which
are free of anomalies by the benchmark's rule, are learnt from (12 %) and set the threshold (3 %).
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import average_precision_score

from glassbench.contracts.trainer import Workspace
from glassbench_plugins.anomalies import ranking
from glassbench_plugins.anomalies.files import series_windows
from glassbench_plugins.anomalies.forest import isolation_forest
from glassbench_plugins.anomalies.outlier_factor import local_outlier_factor
from glassbench_plugins.anomalies.task import Anomaly
from glassbench_plugins.clustering.datasets import digits_table
from glassbench_plugins.density.flow import flow
from glassbench_plugins.representation.autoencoder import autoencoder
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer

NAB = Path(__file__).parents[2].parent / "shared" / "data" / "nab"
LENGTH = 48
WINDOWS = (24, 48, 100)
MODELS = {
    "autoencoder": lambda schema: autoencoder(schema, code=8, hidden=(64,)),
    "flow": lambda schema: flow(schema, layers=4, hidden=32, coupling="affine"),
    "isolation-forest": isolation_forest,
    "local-outlier-factor": lambda schema: local_outlier_factor(schema, neighbours=10),
}
TRAINER = LightningTrainer(max_epochs=150, batch_size=32, learning_rate=0.002, early_stopping=20, threads=1)


def scored(name, data, seed):
    """Return the predictions of a model for the rows of testing."""
    task = Anomaly()
    task.check(data.schema)
    torch.manual_seed(seed)
    model = task.adapt(MODELS[name](data.schema), data.schema)
    trainer = TRAINER if name in ("autoencoder", "flow") else EstimatorTrainer()
    with tempfile.TemporaryDirectory() as folder:
        fitted = trainer.fit(model, task, data, Workspace(seed=seed, folder=Path(folder), record=lambda line: None))
    return task.predict(fitted.model, data.test).frame


def of_digits(names):
    for name in names:
        found = []
        for digit in range(10):
            frame = scored(name, digits_table(1, normal=digit), seed=1)
            found.append(float(ranking.roc_auc(frame, np.ones((1, len(frame))))[0]))
        print(f"{name}: mean {np.mean(found):.3f}, by digit {' '.join(f'{area:.3f}' for area in found)}", flush=True)


def series(name, folder):
    """Return a series as a file on regular steps, its step, and the labelled spans."""
    frame = pd.read_csv(NAB / f"{name}.gz", parse_dates=["timestamp"]).sort_values("timestamp")
    step = frame["timestamp"].diff().mode()[0]
    frame["timestamp"] = frame["timestamp"].dt.floor(step)
    path = Path(folder) / "series.csv"
    frame.drop_duplicates("timestamp").to_csv(path, index=False)
    return str(path), step


def rolling(values, window):
    before = pd.Series(values).shift(1).rolling(window)
    return np.nan_to_num(((values - before.mean()) / (before.std() + 1e-9)).abs().to_numpy())


def of_nab(names):
    spans = json.loads((NAB / "combined_windows.json").read_text())
    labelled = [name for name in spans if spans[name] and (NAB / f"{name}.gz").is_file()]
    found = {name: [] for name in (*names, *WINDOWS)}
    for each in labelled:
        with tempfile.TemporaryDirectory() as folder:
            path, step = series(each, folder)
            unusual = tuple(map(tuple, spans[each]))
            data = series_windows(0, path=path, step=step, unusual=unusual, length=LENGTH, split=(0.12, 0.03, 0.85), gaps="fill")
        truth = data.test.target.numpy()
        windows = data.test.inputs[0].numpy()[:, :, 0]
        values = np.concatenate([windows[0, :-1], windows[:, -1]])
        for window in WINDOWS:
            found[window].append(average_precision_score(truth, rolling(values, window)[-len(truth) :]))
        for name in names:
            found[name].append(average_precision_score(truth, scored(name, data, seed=0)["score"]))
        print(each, *(f"{name} {areas[-1]:.2f}" for name, areas in found.items()), flush=True)
    best = np.max([found[window] for window in WINDOWS], axis=0)
    means = " ".join(f"{name} {np.mean(found[name]):.3f}" for name in names)
    print(f"mean over {len(labelled)} series: {means}, rolling z-score {best.mean():.3f} (best of three lengths each)")


parser = argparse.ArgumentParser()
parser.add_argument("what", choices=["digits", "nab"])
parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
given = parser.parse_args()
(of_digits if given.what == "digits" else of_nab)(given.models)
