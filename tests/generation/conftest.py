"""Small generators, trained as an experiment trains them, and what audits get of them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from glassbench import Subject, Workspace
from glassbench_plugins.generation import judge as judging
from glassbench_plugins.generation.diffusion import Diffusion
from glassbench_plugins.generation.task import PictureGeneration
from glassbench_plugins.training.lightning import LightningTrainer


class Drawing(torch.nn.Module):
    """A generator that draws from pictures it holds: with held-out ones a perfect one, with training pictures a copying one."""

    noise_shape = (1,)

    def __init__(self, split):
        super().__init__()
        self.pictures, self.target = split.inputs[0], split.target

    def sample(self, classes, noise):
        chance = torch.special.ndtr(noise[:, 0])
        ours = [(self.target == wanted).nonzero()[:, 0] for wanted in classes]
        return self.pictures[torch.stack([rows[int(share * len(rows))] for rows, share in zip(ours, chance, strict=True)])]


def fitted(data, model, task, *, epochs, seed, rate=0.003, batch=64):
    trainer = LightningTrainer(
        max_epochs=epochs, batch_size=batch, learning_rate=rate, threads=1, schedule="cosine", keep="last", early_stopping=None
    )
    with TemporaryDirectory() as folder:
        return trainer.fit(model, task, data, Workspace(seed=seed, folder=Path(folder), record=lambda line: None)).model.eval()


def examined(data, model, task, seed):
    """Return what audits get of a model."""
    task.use_calibration(task.calibrate(model, data))
    predictions = task.predict(model, data.test)
    return Subject(schema=data.schema, predictions=predictions, task=task, model=model, train=data.train, seed=seed)


@pytest.fixture(scope="session")
def generated():
    """Return a function that trains a generator on data and returns what audits get of it."""

    def make(data, *, epochs, seed, factory=Diffusion, rate=0.003, **settings):
        task = PictureGeneration()
        task.check(data.schema)
        torch.manual_seed(seed)
        model = fitted(data, factory(data.schema, **settings), task, epochs=epochs, seed=seed, rate=rate)
        return examined(data, model, task, seed)

    return make


@pytest.fixture
def examined_by_task():
    """Return the function that returns what audits get of a model."""
    return examined


@pytest.fixture
def quick_judge(monkeypatch):
    """Train the classifier for a moment only, where nothing depends on it."""
    monkeypatch.setattr(judging, "_STEPS", 5)


@pytest.fixture(scope="session")
def drawn():
    """Return a function that returns what audits get of a generator that draws from a split."""

    def make(data, split, seed=0):
        task = PictureGeneration()
        task.check(data.schema)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(judging, "_STEPS", 150)
            return examined(data, Drawing(split).eval(), task, seed)

    return make
