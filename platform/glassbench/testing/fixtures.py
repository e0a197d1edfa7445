"""Small data, a small task and a small trained subject whose truth is known."""

from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError

Kind = Literal["class", "value"]


def toy_data(kind: Kind = "class", *, classes: int = 2, rows: int = 240, width: int = 4, seed: int = 0) -> Data:
    """Return a table whose target depends on its first two columns alone.

    Args:
        kind: Whether the target is a class or a value.
        classes: Number of classes.
        rows: Rows over all splits; half train, a quarter each validation and test.
        width: Columns, standard normal.
        seed: Seed of the rows.

    The sensitive feature `side` has the groups `left` and `right` and is independent of everything.
    """
    generator = np.random.default_rng(seed)
    inputs = torch.as_tensor(generator.normal(size=(rows, width)), dtype=torch.float32)
    score = inputs[:, 0] - inputs[:, 1]
    edges = torch.quantile(score, torch.arange(1, classes) / classes)
    target = torch.bucketize(score, edges) if kind == "class" else score
    groups = pd.DataFrame({"side": generator.choice(["left", "right"], rows)})
    names = tuple(f"x{i}" for i in range(width))
    raw = pd.DataFrame(inputs.numpy(), columns=list(names))
    whole = Split(inputs=(inputs,), rows=np.arange(rows), target=target, groups=groups, raw=raw)
    schema = Schema(
        modality="table",
        shape=(width,),
        target=_target(kind, classes),
        features=tuple(Feature(name=name, columns=(i,)) for i, name in enumerate(names)),
        sensitive=("side",),
    )
    order = generator.permutation(rows)
    half, quarter = rows // 2, rows // 4
    parts = [whole.take(part) for part in (order[:half], order[half : half + quarter], order[half + quarter :])]
    return Data(schema=schema, train=parts[0], validation=parts[1], test=parts[2], source="generated")


def toy_model(schema: Schema, *, width: int = 8) -> nn.Module:
    """Return a small network for a toy schema."""
    inputs = int(schema.shape[0] or 1)
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, schema.target.outputs))


class ToyTask(Task):
    """Classes by cross-entropy or values by squared error; nothing more.

    Args:
        kind: Which of the two.
    """

    def __init__(self, *, kind: Kind = "class") -> None:
        self.kind: PredictionKind = Classes() if kind == "class" else Values()
        self._target = kind
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The share of right decisions, or the mean squared error."""
        if self._target == "value":
            return (Metric(name="squared_error", compute=_squared_error, higher_is_better=False),)
        return (Metric(name="accuracy", compute=_accuracy, rate=True),)

    def check(self, schema: Schema) -> None:
        """Keep the schema."""
        if schema.target.kind != self._target:
            raise DataError(f"this toy task learns a {self._target}", got=schema.target.kind)
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap the network."""
        return SupervisedLearner(model, self.loss, optimization)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss of a batch."""
        if batch.target.is_floating_point():
            return functional.mse_loss(output.squeeze(-1), batch.target)
        return functional.cross_entropy(output, batch.target)

    def row_loss(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the loss of each row."""
        if batch.target.is_floating_point():
            return functional.mse_loss(output.squeeze(-1), batch.target, reduction="none")
        return functional.cross_entropy(output, batch.target, reduction="none")

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Decide every row."""
        assert self._schema is not None
        output, target = forward_all(model, source), self._schema.target
        columns: dict[str, Any] = {"row": source.rows}
        if target.kind == "value":
            values = output.squeeze(-1).double().numpy()
            columns |= {"y_true": source.target.double().numpy()} if source.target is not None else {}
            columns |= {"y_pred": values, "score": values}
            target_index = torch.zeros(len(output), dtype=torch.long)
        else:
            names, target_index = np.array(target.classes), output.argmax(1)
            columns |= {"y_true": names[source.target.numpy()]} if source.target is not None else {}
            columns |= {"y_pred": names[target_index.numpy()]}
            columns |= {f"score.{n}": p for n, p in zip(names, output.double().softmax(1).T.numpy(), strict=True)}
        columns |= {f"group.{name}": source.groups[name].to_numpy() for name in self._schema.sensitive}
        return Predictions(frame=pd.DataFrame(columns), source=source, target_index=target_index)

    def attribution_output(self, output: Tensor) -> Tensor:
        """Return logits as they are, values as one column."""
        return output if output.ndim > 1 else output[:, None]


def toy_subject(kind: Kind = "class", *, classes: int = 2, rows: int = 240, seed: int = 0, steps: int = 60) -> Subject:
    """Return a subject: a small network trained on `toy_data` in a plain loop.

    Args:
        kind, classes, rows, seed: As `toy_data` takes them.
        steps: Full-batch steps of Adam.
    """
    data = toy_data(kind, classes=classes, rows=rows, seed=seed)
    assert isinstance(data.train, Split)
    assert isinstance(data.test, Split)
    task = ToyTask(kind=kind)
    task.check(data.schema)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = toy_model(data.schema)
    history = descend(model, task, data.train, steps)
    predictions = task.predict(model.eval(), data.test)
    return Subject(
        schema=data.schema,
        predictions=predictions,
        task=task,
        model=model,
        train=data.train,
        history=tuple({"epoch": i, "step": i + 1, "train_loss": loss} for i, loss in enumerate(history)),
        seed=seed,
    )


class Descended(Protocol):
    """What has a loss to descend: a toy task, or the learner of a task."""

    @property
    def loss(self) -> Callable[[Any, Batch], Tensor]:
        """From an output and its batch to the loss of each row `(n,)`, or their mean, a scalar."""
        ...


def descend(model: nn.Module, task: Descended, split: Split, steps: int, learning_rate: float = 0.05) -> list[float]:
    """Train a network on a whole split at a time; return the loss before each step."""
    batch, losses = split.batch(slice(None)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    model.train()
    for _ in range(steps):
        loss = task.loss(model(*batch.inputs), batch).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    model.zero_grad(set_to_none=True)
    return losses


def _target(kind: Kind, classes: int) -> Target:
    if kind == "value":
        return Target(name="y", kind="value")
    names = ("no", "yes") if classes == 2 else tuple(f"class {i}" for i in range(classes))
    return Target(name="y", kind="class", classes=names, positive="yes" if classes == 2 else None)


def _accuracy(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    right = (frame["y_true"] == frame["y_pred"]).to_numpy(dtype=float)
    return np.asarray(weights @ right / weights.sum(axis=1))


def _squared_error(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    errors = (frame["y_true"] - frame["y_pred"]).to_numpy(dtype=float) ** 2
    return np.asarray(weights @ errors / weights.sum(axis=1))
