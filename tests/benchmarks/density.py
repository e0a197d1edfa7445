"""Held-out log-likelihood of the flow against scikit-learn's mixture and kernel density, side by side on the same rows.

`python tests/benchmarks/density.py moons etth1 --seeds 1 2 3` prints one line per set, seed and model, in nats of the
standardised columns. The peers are fitted to the training and validation rows, the flow to the training rows alone, with the
validation rows to stop by.
Columns of whole numbers get uniform noise of their step added first, since a density of a lattice is unbounded.
"""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from glassbench.trainer import Workspace
from glassbench_plugins.clustering.datasets import moons
from glassbench_plugins.density.flow import flow
from glassbench_plugins.density.task import Density, log_likelihood
from glassbench_plugins.tabular.splits import Division
from glassbench_plugins.tabular.table import Columns, table_data
from glassbench_plugins.training.lightning import LightningTrainer

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
ROWS = 10_000
TABLES = {
    "etth1": ("weather_power/ETTh1.csv.gz", ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]),
    "pollution": ("weather_power/pollution.csv.gz", ["pm2.5", "DEWP", "TEMP", "PRES", "Iws"]),
    "vic_elec": ("weather_power/vic_elec.csv.gz", ["Demand", "Temperature"]),
    "adult": ("adult/train.csv.gz", ["age", "fnlwgt", "education_num", "hours_per_week"]),
}


def data_of(name, seed):
    if name == "moons":
        return moons(seed, rows=ROWS, validation_share=0.1)
    path, columns = TABLES[name]
    frame = pd.read_csv(SHARED / path)[columns].dropna()
    frame = frame.sample(min(ROWS, len(frame)), random_state=seed).reset_index(drop=True).astype(float)
    whole = [column for column in columns if (frame[column] % 1 == 0).all()]
    frame[whole] += np.random.default_rng(seed).uniform(-0.5, 0.5, (len(frame), len(whole)))
    return table_data(frame, Columns(), Division(seed=seed, validation=0.1, test=0.2))


def of_flow(data, seed):
    task = Density()
    task.check(data.schema)
    trainer = LightningTrainer(
        max_epochs=60, batch_size=256, learning_rate=0.001, schedule="cosine", early_stopping=None, threads=1
    )
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(seed=seed, folder=Path(folder), record=lambda line: None)
        torch.manual_seed(seed)
        fitted = trainer.fit(flow(data.schema), task, data, workspace)
    frame = task.predict(fitted.model, data.test).frame
    return log_likelihood(frame, np.ones((1, len(frame))))[0], fitted.facts["best_epoch"]


def of_mixture(rows, held_out, seed):
    found = [GaussianMixture(k, random_state=seed, max_iter=300).fit(rows) for k in range(1, 21)]
    best = min(found, key=lambda mixture: mixture.bic(rows))
    return best.score(held_out), best.n_components


def of_kernel(rows, held_out):
    scott = len(rows) ** (-1 / (rows.shape[1] + 4))
    grid = {"bandwidth": scott * np.geomspace(0.05, 1.5, 12)}
    search = GridSearchCV(KernelDensity(), grid, cv=3).fit(rows)
    return search.best_estimator_.score(held_out) / len(held_out), search.best_params_["bandwidth"]


def fits(data, seed):
    """Yield each model's name, the number of rows it is fitted to, and how to fit and judge it."""
    learnt = np.concatenate([part.inputs[0].double().numpy() for part in (data.train, data.validation)])
    held_out = data.test.inputs[0].double().numpy()
    yield "flow", len(data.train), partial(of_flow, data, seed)
    yield "mixture", len(learnt), partial(of_mixture, learnt, held_out, seed)
    yield "kernel", len(learnt), partial(of_kernel, learnt, held_out)


def main(names, seeds, models):
    for name in names:
        for seed in seeds:
            for model, rows, fit in fits(data_of(name, seed), seed):
                if model not in models:
                    continue
                started = time.process_time()
                value, chosen = fit()
                took = time.process_time() - started
                print(f"{name} seed {seed} {model}: {value:.3f} nats ({chosen:.4g}; {rows} rows, {took:.0f} s)", flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("names", nargs="*", default=["moons", *TABLES])
parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
parser.add_argument("--models", nargs="+", default=["flow", "mixture", "kernel"])
given = parser.parse_args()
main(given.names, given.seeds, given.models)
