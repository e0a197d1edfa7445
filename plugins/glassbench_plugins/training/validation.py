"""What the Lightning trainer refuses, and why."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import nn

from glassbench.errors import FitError
from glassbench_plugins.training.callbacks import LAST
from glassbench_plugins.training.finished import another_model


def as_network(model: Any) -> nn.Module:
    """Return the model if this trainer can train it.

    Raises:
        FitError: It is no network, or made for the other Lightning package.
    """
    _refuse_other_lightning(model)
    if isinstance(model, nn.Module):
        return model
    raise FitError(
        "the lightning trainer trains networks",
        got=type(model).__name__,
        available=["torch.nn.Module"],
        fix="set trainer.use to estimator for a scikit-learn estimator",
    )


def as_learner(learner: Any) -> pl.LightningModule:
    """Return a task's learner if Lightning can train it.

    Raises:
        FitError: It is no LightningModule, or one of the other Lightning package.
    """
    _refuse_other_lightning(learner)
    if isinstance(learner, pl.LightningModule):
        return learner
    raise FitError("a task's learner is a LightningModule", got=type(learner).__name__)


def _refuse_other_lightning(thing: Any) -> None:
    """Refuse what derives from `lightning.pytorch`: the same code whose classes are strangers here."""
    foreign = [base for base in type(thing).__mro__ if base.__module__.split(".")[0] == "lightning"]
    if foreign:
        raise FitError(
            "this model is made for the package 'lightning'; Glassbench trains with 'pytorch_lightning'",
            got=f"{type(thing).__name__}, which derives from {foreign[0].__module__}.{foreign[0].__name__}",
            fix="import pytorch_lightning instead of lightning.pytorch where the model is defined",
        )


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn what Lightning and PyTorch say within a `with` block into errors that name the setting to change.

    Raises:
        FitError: A setting does not fit the machine or the model.
        RunError: The training state to go on from is of another model.
    """
    try:
        yield
    except MisconfigurationException as error:
        raise FitError("Lightning cannot train with these settings", got=str(error)) from error
    except RuntimeError as error:
        if "Error(s) in loading state_dict" in str(error):
            raise another_model(LAST, error) from error
        if "does not have a deterministic implementation" in str(error):
            raise FitError(
                "the model uses an operation that has no deterministic form on this device",
                got=str(error).split(".")[0],
                fix="set trainer.deterministic to false; results then differ slightly from run to run",
            ) from error
        if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise FitError(
                "torch.compile cannot compile this network here",
                got=str(error).split("\n")[0],
                fix="set trainer.compile to false",
            ) from error
        raise
