"""The built-in trainers keep what every trainer promises, and take their settings from an experiment."""

from typing import Any

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from glassbench import plan
from glassbench.contracts.schema import Schema
from glassbench.contracts.trainer import Trainer
from glassbench.errors import SettingsError
from glassbench.experiments.settings import settle
from glassbench.testing.trainers import check_trainer
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer
from glassbench_plugins.training.untrained import Untrained


def network(schema: Schema) -> nn.Module:
    return nn.Sequential(nn.Linear(schema.shape[0] or 0, 8), nn.ReLU(), nn.Linear(8, len(schema.target.classes)))


def estimator(schema: Schema) -> Any:
    return LogisticRegression()


def knowing(schema: Schema) -> nn.Module:
    """A network that was trained elsewhere: what is above 0 in the first column less the second is of the last class."""
    model = nn.Linear(schema.shape[0] or 0, 2)
    with torch.no_grad():
        model.weight.zero_()
        model.weight[:, :2] = torch.tensor([[-1.0, 1.0], [1.0, -1.0]])
        model.bias.zero_()
    return model


@pytest.mark.parametrize(
    ("trainer", "model"),
    [
        (LightningTrainer(max_epochs=30, learning_rate=0.01, accelerator="cpu"), network),
        (EstimatorTrainer(), estimator),
        (Untrained(), knowing),
    ],
)
def test_trainer_conforms(trainer: Trainer, model: Any) -> None:
    check_trainer(trainer, model)


def test_nothing_is_left_untrained_unless_it_is_asked_for() -> None:
    content = {"name": "x", "dataset": "diabetes", "task": "regression", "model": "mlp"}
    trainer = plan({**content, "dataset": {"use": "diabetes", "target": "value"}}).trainer
    assert trainer is not None
    assert trainer.component.name == "lightning"


@pytest.mark.parametrize(
    "given", [{"max_epochs": 0}, {"learning_rate": -1.0}, {"schedule": "square"}, {"warmup": 2.0}, {"batch_size": "many"}]
)
def test_settings_out_of_range_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        settle(LightningTrainer, given, "trainer")


def test_every_setting_is_explained() -> None:
    fields = type(settle(LightningTrainer, {}, "trainer")).model_fields
    assert [name for name, field in fields.items() if not field.description] == []
