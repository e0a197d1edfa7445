"""A tiny learning problem for the trainers."""

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.task import Optimization, Predictions, Task


class TinyTask(Task):
    """Classification with nothing but a loss and an accuracy."""

    kind = Classes()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return ()

    def check(self, schema: Schema) -> None:
        pass

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> SupervisedLearner:
        return SupervisedLearner(model, self.loss, optimization, self.evaluate)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        return nn.functional.cross_entropy(output, batch.target)

    def evaluate(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        return {"accuracy": float((outputs.argmax(-1) == targets).double().mean())}

    def predict(self, model: nn.Module, source: object) -> Predictions:
        raise NotImplementedError

    def attribution_output(self, output: Tensor) -> Tensor:
        return output


def tiny_split(n: int, seed: int) -> Split:
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return Split((x,), np.arange(n), (x[:, 0] + x[:, 1] > 0).long())


def tiny_data(n: int = 300, validation: int = 100) -> Data:
    schema = Schema(
        modality="table",
        shape=(4,),
        target=Target(name="y", kind="class", classes=("no", "yes"), positive="yes"),
        features=tuple(Feature(name=f"x{i}", columns=(i,)) for i in range(4)),
    )
    held_out = tiny_split(validation, 1) if validation else None
    return Data(schema=schema, train=tiny_split(n, 0), validation=held_out, test=tiny_split(50, 2))


def tiny_net(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
