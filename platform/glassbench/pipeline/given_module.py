"""The experiment of a LightningModule that was given from Python: what stands in it for the module and its loaders."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from glassbench.contracts.trainer import Trainer
from glassbench.errors import ExperimentError, FitError
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.plan import Plan
from glassbench.external.components import BATCHES, MODULE

_OWN = ("optimizer", "learning_rate", "weight_decay", "momentum", "schedule", "warmup", "batch_size", "accumulate", "workers")
"""Settings of the trainer that the module or its loaders decide."""

_TRAINER = {"use": "lightning", "devices": 1, "keep": "last", "early_stopping": None, "deterministic": False}
"""Trained as Lightning's own trainer does, unless the experiment says otherwise."""


def settings_of_batches(document: Document) -> dict[str, Any]:
    """Return what the experiment says of the given rows under `dataset`.

    Raises:
        ExperimentError: It names a data set or a model.
    """
    content = document.content
    dataset = dict(content.get("dataset") or {}) if isinstance(content.get("dataset"), Mapping | None) else {"use": "one"}
    if dataset.get("use", BATCHES) != BATCHES:
        fix = "leave dataset.use out; classes, positive, favourable, features and unit may stay"
        raise ExperimentError("rows are given from Python, so the experiment names no data set", where="dataset.use", fix=fix)
    if content.get("model") not in (None, {"use": MODULE}):
        raise ExperimentError(
            "the model is given from Python, so the experiment names none", where="model", fix="leave model out"
        )
    return {key: value for key, value in dataset.items() if key != "use"}


def with_given(document: Document, task: str) -> Document:
    """Return an experiment that names the stand-ins of the module and its rows, and how Lightning trains.

    Args:
        document: The experiment.
        task: The task to learn where the experiment names none.

    Raises:
        ExperimentError: It sets what the module or its loaders decide.
    """
    content = document.content
    trainer = content.get("trainer") or {}
    asked = dict(trainer) if isinstance(trainer, Mapping) else {"use": trainer}
    decided = [name for name in _OWN if name in asked]
    if decided:
        raise ExperimentError(
            f"the module and its loaders decide `{decided[0]}`",
            where=f"trainer.{decided[0]}",
            fix="set it in configure_optimizers or in the DataLoader, and leave it out here",
        )
    chosen = {
        "dataset": {"use": BATCHES, **settings_of_batches(document)},
        "task": content.get("task", task),
        "model": {"use": MODULE},
        "trainer": {**_TRAINER, **asked},
    }
    return replace(document, content={**content, **chosen})


def check_one_process(plan: Plan) -> None:
    """Refuse a training of a module given from Python that would spread over processes, which do not have it.

    Raises:
        FitError: It would.
    """
    if plan.trainer is not None and cast(Trainer, plan.trainer.make()).several_processes:
        fix = "set trainer.devices to 1"
        raise FitError("a module given from Python is trained in this process alone", where="trainer.devices", fix=fix)
