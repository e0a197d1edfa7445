"""Deep clustering: its parts by hand, what it resumes, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest
import torch

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema
from glassbench.contracts.trainer import Workspace
from glassbench.errors import FitError
from glassbench.toolkit.table.table import NOTHING
from glassbench_plugins.clustering import agreement
from glassbench_plugins.clustering.datasets import blobs
from glassbench_plugins.clustering.deep import deep_clustering
from glassbench_plugins.clustering.deep_learner import sharper, together
from glassbench_plugins.clustering.graph import mutual_neighbours
from glassbench_plugins.clustering.task import Clustering
from glassbench_plugins.training.lightning import LightningTrainer
from glassbench_plugins.vision.drift import Drift

SETTINGS = {"clusters": 3, "code": 2, "hidden": (32,)}


class Killed(BaseException):
    """Stands for a kill: nothing in a trainer catches it."""


def fit(data, folder, *, death=None, epochs=8, learning_rate=0.001, **settings):
    def record(line):
        if line["epoch"] == death:
            raise Killed

    task = Clustering()
    task.check(data.schema)
    torch.manual_seed(1)
    model = deep_clustering(data.schema, **(SETTINGS | settings))
    trainer = LightningTrainer(max_epochs=epochs, learning_rate=learning_rate, threads=1, checkpoint_every=0.0)
    return task, trainer.fit(model, task, data, Workspace(seed=5, folder=Path(folder), record=record))


def test_blobs_are_found_in_rows_never_seen(tmp_path):
    data = blobs(2)
    task, fitted = fit(data, tmp_path, epochs=60, learning_rate=0.005, code=5)
    frame = task.predict(fitted.model, data.test).frame
    assert agreement.adjusted_rand_index(frame, np.ones((1, len(frame))))[0] > 0.95
    assert fitted.facts["best_epoch"] is None


@pytest.mark.parametrize("death", [2, 6])
def test_a_training_killed_before_or_after_there_are_centres_ends_as_one_that_was_not(death, tmp_path):
    data = blobs(2, rows=200)
    _, whole = fit(data, tmp_path / "whole")
    with pytest.raises(Killed):
        fit(data, tmp_path / "killed", death=death)
    _, resumed = fit(data, tmp_path / "killed")
    pairs = zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_soft_assignment_is_students():
    model = deep_clustering(blobs(1, rows=100).schema, **SETTINGS)
    codes = torch.randn(5, 2)
    near = 1 / (1 + torch.cdist(codes, model.centres) ** 2)
    torch.testing.assert_close(model.near(codes).softmax(dim=1), near / near.sum(dim=1, keepdim=True))


def test_sharper_by_hand():
    soft = torch.tensor([[0.8, 0.2], [0.6, 0.4]])
    weight = torch.tensor([[0.64 / 1.4, 0.04 / 0.6], [0.36 / 1.4, 0.16 / 0.6]])
    torch.testing.assert_close(sharper(soft), weight / weight.sum(dim=1, keepdim=True))


def test_neighbours_are_drawn_together_and_others_kept_apart():
    near, far = torch.tensor([[0.0], [5.0]]), torch.tensor([[5.0], [0.0]])
    assert float(together(near, near)) < float(together(near, far))


def test_only_mutual_neighbours_count():
    rows = np.array([[0.0], [0.1], [0.2], [9.0]])
    found = [set(row.tolist()) for row in mutual_neighbours(rows, 2)]
    assert found == [{1, 2}, {0, 2}, {0, 1}, {2}]


def test_a_drift_continues_edges_and_rests_in_evaluation():
    images = torch.full((4, 1, 8, 8), 0.7)
    torch.testing.assert_close(Drift()(images), images)
    ramp = torch.arange(8.0).expand(4, 1, 8, 8)
    moved = Drift(1 / 8)(ramp)
    assert bool(((moved - ramp).abs() <= 1 + 1e-4).all())
    assert not torch.equal(moved, ramp)
    assert torch.equal(Drift().eval()(ramp), ramp)


@pytest.mark.parametrize("settings", [{"clusters": 0}, {"warmup": 1.0}, {"augment": "shift"}])
def test_settings_that_cannot_be(settings):
    with pytest.raises(FitError):
        deep_clustering(blobs(1, rows=100).schema, **settings)


@pytest.mark.parametrize(
    ("rows", "said"),
    [(np.arange(4.0).reshape(2, 2), "more clusters than training rows"), (np.ones((20, 2)), "than different training rows")],
)
def test_more_clusters_than_rows(rows, said, tmp_path):
    split = Split((torch.as_tensor(rows, dtype=torch.float32),), np.arange(len(rows)))
    data = Data(schema=Schema(modality="table", shape=(2,), target=NOTHING), train=split, test=split)
    with pytest.raises(FitError, match=said):
        fit(data, tmp_path)
