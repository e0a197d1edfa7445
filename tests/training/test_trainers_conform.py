"""The built-in trainers keep what every trainer promises, and take their settings from an experiment."""

from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression
from torch import nn

from glassbench.contracts.schema import Schema
from glassbench.contracts.trainer import Trainer
from glassbench.errors import SettingsError
from glassbench.experiments.settings import settle
from glassbench.testing.trainers import check_trainer
from glassbench_plugins.training.estimator import EstimatorTrainer
from glassbench_plugins.training.lightning import LightningTrainer


def network(schema: Schema) -> nn.Module:
    return nn.Sequential(nn.Linear(schema.shape[0] or 0, 8), nn.ReLU(), nn.Linear(8, len(schema.target.classes)))


def estimator(schema: Schema) -> Any:
    return LogisticRegression()


@pytest.mark.parametrize(
    ("trainer", "model"),
    [(LightningTrainer(max_epochs=30, learning_rate=0.01, accelerator="cpu"), network), (EstimatorTrainer(), estimator)],
)
def test_trainer_conforms(trainer: Trainer, model: Any) -> None:
    check_trainer(trainer, model)


@pytest.mark.parametrize(
    "given", [{"max_epochs": 0}, {"learning_rate": -1.0}, {"schedule": "square"}, {"warmup": 2.0}, {"batch_size": "many"}]
)
def test_settings_out_of_range_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        settle(LightningTrainer, given, "trainer")


def test_every_setting_is_explained() -> None:
    fields = type(settle(LightningTrainer, {}, "trainer")).model_fields
    assert [name for name, field in fields.items() if not field.description] == []
