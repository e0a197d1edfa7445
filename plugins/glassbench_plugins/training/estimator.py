"""The trainer of what is fitted to all rows at once."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import has_fit_parameter
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.estimator import EstimatorModule, HeldOutRows, SelfFitting
from glassbench.contracts.task import Task
from glassbench.contracts.trainer import Fitted, Trainer, Workspace
from glassbench.errors import DataError, FitError
from glassbench_plugins.training.reproducible import reproducible


@dataclass(frozen=True, kw_only=True)
class EstimatorTrainer(Trainer):
    """Fits a scikit-learn estimator, or a network that fits itself, to the encoded training rows with its own `fit`."""

    def fit(self, model: Any, task: Task, data: Data, workspace: Workspace) -> Fitted:
        """Fit `model` and return it wrapped as a network.

        A scikit-learn estimator does not see the validation split: if it stops early, it holds out rows of its own. What else
        fits itself may ask for it (`SelfFitting.fit`). Fitting is one step, so a killed fit starts over and ends with the same
        numbers. What the estimator warned of is among the facts.

        Raises:
            FitError: The model is no estimator, or cannot be fitted to these rows.
            DataError: There are no training rows, or they are not one table in memory.
        """
        _check(model)
        inputs, target = training_arrays(data, any_shape=isinstance(model, nn.Module))
        with reproducible(workspace.seed, deterministic=False), warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            seconds = _fit(model, inputs, target, _asked_for(model, data, workspace))
        facts = {
            "rows": len(inputs),
            "iterations": _iterations(model),
            "device": "cpu",
            "stopped": "the estimator ended its own fit",
            "seconds": round(seconds, 3),
            "warnings": sorted({str(warning.message).split("\n")[0] for warning in said}),
        }
        return Fitted(model=_as_network(model, data).eval(), facts=facts | _own_facts(model) | _weighing(model, data.train))


def training_arrays(data: Data, *, any_shape: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the encoded training rows `(n, d)` and their truth `(n,)`: class indices or values, None where there is
    none.

    Args:
        data: The data.
        any_shape: Whether rows may have any shape instead of being a table's.

    Raises:
        DataError: There are no rows, or they are not one table in memory.
    """
    train = data.train
    if data.stream is not None:
        raise DataError(
            "an estimator is fitted to all rows at once, and these are read part by part",
            got=f"{data.stream.rows:,} rows" if data.stream.rows else "rows without a known end",
            fix="choose a network, or a data set that is read into memory",
        )
    if not isinstance(train, Split) or not isinstance(train.inputs, tuple):
        raise DataError("an estimator is fitted to rows in memory", got=type(train).__name__, fix="choose a network instead")
    if len(train) == 0:
        raise DataError("there are no rows to train on", got="0 rows")
    if len(train.inputs) != 1 or (train.inputs[0].ndim != 2 and not any_shape):
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in train.inputs)
        raise DataError("an estimator is fitted to one table", got=f"inputs of shape {shapes}", fix="choose a network")
    return train.inputs[0].numpy(), None if train.target is None else train.target.numpy()


def _weights(model: Any, train: Any) -> np.ndarray | None:
    """Return the weights of training rows with a mean of 1 `(n,)`; None where they have none or the model takes none."""
    weighted = isinstance(train, Split) and train.weights is not None and has_fit_parameter(model, "sample_weight")
    return train.weights / train.weights.mean() if weighted else None


def _asked_for(model: Any, data: Data, workspace: Workspace) -> dict[str, Any]:
    """Return the further arguments that the model's `fit` names; no weights where rows have none."""
    if not isinstance(model, nn.Module):
        weights = _weights(model, data.train)
        return {} if weights is None else {"sample_weight": weights}
    offered = {
        "sample_weight": _weights(model, data.train),
        "validation": _held_out(data.validation),
        "record": workspace.record,
        "seed": workspace.seed,
        "groups": data.train.groups if isinstance(data.train, Split) else None,
    }
    return {name: value for name, value in offered.items() if has_fit_parameter(model, name)}


def _held_out(split: Any) -> HeldOutRows | None:
    """Return the validation rows whose truth is known; None where there are none in memory."""
    if not isinstance(split, Split) or not isinstance(split.inputs, tuple) or split.target is None:
        return None
    target = split.target.numpy()
    known = target >= 0 if target.dtype.kind == "i" else np.isfinite(target)
    weights = None if split.weights is None else split.weights[known] / split.weights[known].mean()
    return HeldOutRows(split.inputs[0].numpy()[known], target[known], weights) if known.any() else None


def _weighing(model: Any, train: Any) -> dict[str, str]:
    """Return whether the fit weighed rows; nothing where they have no weights."""
    if not isinstance(train, Split) or train.weights is None:
        return {}
    taken = _weights(model, train) is not None
    return {"weights": "the fit weighed each row" if taken else f"not used: {type(model).__name__} takes no sample_weight"}


def _fit(model: Any, inputs: np.ndarray, target: np.ndarray | None, further: Mapping[str, Any]) -> float:
    started = time.perf_counter()
    try:
        model.fit(inputs, target, **further)
    except ValueError as error:
        raise FitError(f"{type(model).__name__} cannot be fitted to these rows", got=str(error)) from error
    return time.perf_counter() - started


def _check(model: Any) -> None:
    estimator = hasattr(model, "fit") and hasattr(model, "predict") and not isinstance(model, nn.Module)
    if not estimator and not (isinstance(model, nn.Module) and isinstance(model, SelfFitting)):
        raise FitError(
            "the estimator trainer fits scikit-learn estimators",
            got=type(model).__name__,
            available=["an object with fit(x, y) and predict(x)", "a module with fit(rows) and facts"],
            fix="set trainer.use to lightning for a network",
        )


def _as_network(model: Any, data: Data) -> nn.Module:
    """Return an estimator wrapped as a network, a network as it is."""
    if isinstance(model, nn.Module):
        return model
    classes = len(data.schema.target.classes) if data.schema.target.kind == "class" else None
    return EstimatorModule(model, classes=classes)


def _own_facts(model: Any) -> dict[str, Any]:
    return dict(model.facts) if isinstance(model, nn.Module) and isinstance(model, SelfFitting) else {}


def _iterations(model: Any) -> int | None:
    """Return how many iterations an iterative estimator took, or None."""
    iterations = getattr(model, "n_iter_", None)
    return None if iterations is None else int(np.max(iterations))
