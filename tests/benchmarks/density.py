"""Held-out log-likelihood of the flow against scikit-learn's mixture and kernel density, side by side on the same rows.

`python tests/benchmarks/density.py moons etth1 --seeds 1 2 3` prints one line per set, seed and model, in nats of the
standardised columns, then how far the flow is from the better peer on the same rows, with the standard error of that difference.
The peers are fitted to the training and validation rows, the flow to the training rows alone, with the validation rows to stop
by. The bandwidth is chosen on 10,000 of the rows, as a multiple of Scott's rule, and used with all of them.
Columns whose values lie on a lattice get uniform noise of its step added first, for all models alike, since a density of a
lattice is unbounded. For the moons the true density is printed too.
"""

import argparse
import tempfile
import time
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from glassbench.contracts.trainer import Workspace
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data
from glassbench_plugins.clustering.datasets import moons
from glassbench_plugins.density.flow import flow
from glassbench_plugins.density.task import Density
from glassbench_plugins.training.lightning import LightningTrainer

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SEARCHED = 10_000
EPOCHS_AND_RATES = {"moons": (60, 0.004), "etth1": (40, 0.002), "vic_elec": (30, 0.003)}
"""Of the flow's training, chosen by validation rows: of the moons of seeds 1 to 3, of the tables of seed 1."""
MANY_MOONS = (25, 0.003)
"""The same for more moons than 10,000, chosen on those of seeds 31 and 32 by how far the truth was."""
TABLES = {
    "etth1": ("weather_power/ETTh1.csv.gz", ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]),
    "pollution": ("weather_power/pollution.csv.gz", ["pm2.5", "DEWP", "TEMP", "PRES", "Iws"]),
    "vic_elec": ("weather_power/vic_elec.csv.gz", ["Demand", "Temperature"]),
    "adult": ("adult/train.csv.gz", ["age", "fnlwgt", "education_num", "hours_per_week"]),
}


def data_of(name, seed, rows):
    if name == "moons":
        return moons(seed, rows=rows, validation_share=0.1)
    path, columns = TABLES[name]
    frame = pd.read_csv(SHARED / path)[columns].dropna().astype(float)
    generator = np.random.default_rng(seed)
    frame = frame.apply(lambda column: column + step_of(column.to_numpy()) * generator.uniform(-0.5, 0.5, len(column)))
    return table_data(frame, Columns(), Division(seed=seed, validation=0.05, test=0.2))


def step_of(values):
    """Return the step of the lattice that values lie on: the usual gap between neighbours; 0 where values hardly ever repeat."""
    distinct = np.unique(values)
    return np.median(np.diff(distinct)) if len(distinct) < len(values) / 2 else 0.0


def true_density(points):
    """Return the log-density at points `(n, 2)` of scikit-learn's half moons with normal noise of 0.1, as a sum along both."""
    angles = (np.arange(1_000) + 0.5) * np.pi / 1_000
    upper = np.column_stack([np.cos(angles), np.sin(angles)])
    ridge = np.concatenate([upper, [1.0, 0.5] - upper])
    squared = cdist(points, ridge, "sqeuclidean")
    return logsumexp(-squared / (2 * 0.1**2), axis=1) - np.log(len(ridge) * 2 * np.pi * 0.1**2)


def of_flow(name, data, seed):
    task = Density()
    task.check(data.schema)
    epochs, rate = MANY_MOONS if name == "moons" and len(data.train) > 10_000 else EPOCHS_AND_RATES.get(name, (40, 0.002))
    trainer = LightningTrainer(
        max_epochs=epochs,
        batch_size=256,
        learning_rate=rate,
        schedule="cosine",
        warmup=0.1,
        gradient_clip=1.0,
        early_stopping=None,
        threads=1,
    )
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(seed=seed, folder=Path(folder), record=lambda line: None)
        torch.manual_seed(seed)
        fitted = trainer.fit(flow(data.schema), task, data, workspace)
    return task.predict(fitted.model, data.test).frame["score"].to_numpy(), fitted.facts["best_epoch"]


def of_mixture(rows, held_out, seed):
    found = [GaussianMixture(k, random_state=seed, max_iter=300).fit(rows) for k in range(1, 21)]
    best = min(found, key=lambda mixture: mixture.bic(rows))
    return best.score_samples(held_out), best.n_components


def of_kernel(rows, held_out, seed):
    part = rows[np.random.default_rng(seed).permutation(len(rows))[:SEARCHED]]
    factors = np.geomspace(0.05, 1.5, 16)
    search = GridSearchCV(KernelDensity(), {"bandwidth": scott(part) * factors}, cv=3).fit(part)
    width = search.best_params_["bandwidth"] * scott(rows) / scott(part)
    return KernelDensity(bandwidth=width).fit(rows).score_samples(held_out), width


def scott(rows):
    """Return the bandwidth of Scott's rule for standardised rows `(n, d)`."""
    return len(rows) ** (-1 / (rows.shape[1] + 4))


def of_truth(data, held_out):
    scale, centre = (np.array([getattr(code, what) for code in data.encoder.inputs]) for what in ("std", "mean"))
    return true_density(held_out * scale + centre) + np.log(scale).sum(), len(held_out)


def fits(name, data, seed):
    """Yield each model's name, how many rows it is fitted to, and how to fit it and tell the held-out rows' log-densities."""
    learnt = np.concatenate([part.inputs[0].double().numpy() for part in (data.train, data.validation)])
    held_out = data.test.inputs[0].double().numpy()
    yield "mixture", len(learnt), partial(of_mixture, learnt, held_out, seed)
    yield "kernel", len(learnt), partial(of_kernel, learnt, held_out, seed)
    yield "flow", len(data.train), partial(of_flow, name, data, seed)
    if name == "moons":
        yield "truth", 0, partial(of_truth, data, held_out)


def main(names, seeds, models, moons_rows):
    for name, seed in product(names, seeds):
        found = {}
        for model, rows, fit in fits(name, data_of(name, seed, moons_rows), seed):
            if model in models:
                started = time.process_time()
                found[model], chosen = fit()
                took = time.process_time() - started
                value = found[model].mean()
                print(f"{name} seed {seed} {model}: {value:.3f} nats ({chosen:.4g}; {rows} rows, {took:.0f} s)", flush=True)
        compare(f"{name} seed {seed}", found)


def compare(what, found):
    """Print how far the flow is above the better peer, row by row, with the standard error."""
    peers = [model for model in found if model in ("mixture", "kernel")]
    if "flow" in found and peers:
        best = max(peers, key=lambda model: found[model].mean())
        gap = found["flow"] - found[best]
        print(f"{what}: the flow is {gap.mean():+.4f} nats from the {best}, +- {gap.std() / len(gap) ** 0.5:.4f}", flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("names", nargs="*", default=["moons", *TABLES])
parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
parser.add_argument("--models", nargs="+", default=["mixture", "kernel", "flow", "truth"])
parser.add_argument("--moons", type=int, default=10_000, help="rows of the moons, a fifth of them held out")
given = parser.parse_args()
main(given.names, given.seeds, given.models, given.moons)
