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


def fitted(data, model, task, *, epochs, seed, rate=0.003, batch=64):
    trainer = LightningTrainer(
        max_epochs=epochs, batch_size=batch, learning_rate=rate, threads=1, schedule="cosine", keep="last", early_stopping=None
    )
    with TemporaryDirectory() as folder:
        return trainer.fit(model, task, data, Workspace(seed=seed, folder=Path(folder), record=lambda line: None)).model.eval()


@pytest.fixture(scope="session")
def generated():
    """Return a function that trains a generator on data and returns what audits examine."""

    def make(data, *, epochs, seed, factory=Diffusion, judged_by=None, **settings):
        task = PictureGeneration()
        task.check(data.schema)
        torch.manual_seed(seed)
        model = factory(data.schema, **settings)
        if hasattr(model, "fit"):
            model.fit(data.train.inputs[0].numpy(), data.train.target.numpy())
        else:
            model = fitted(data, model, task, epochs=epochs, seed=seed)
        task.use_calibration(task.calibrate(model, judged_by or data))
        predictions = task.predict(model, data.test)
        return Subject(schema=data.schema, predictions=predictions, task=task, model=model, train=data.train, seed=seed)

    return make


@pytest.fixture
def quick_judge(monkeypatch):
    """Train the classifier for a moment only: what is asked does not depend on it."""
    monkeypatch.setattr(judging, "_STEPS", 60)
