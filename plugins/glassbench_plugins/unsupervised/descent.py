"""How a network that has no truth to learn from descends."""

import pytorch_lightning as pl
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.learner import Evaluate, SupervisedLearner
from glassbench.contracts.task import Optimization
from glassbench.errors import FitError


class Objective(nn.Module):
    """A network seen as what it minimises: `objective`, from rows `(n, ...)` to one number each `(n,)`.

    Args:
        model: The network.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        """Return what is minimised, `(n,)`."""
        values: Tensor = self.model.objective(inputs)  # type: ignore[operator]
        return values


def objective_learner(
    model: nn.Module, data: Data, optimization: Optimization, evaluate: Evaluate | None = None
) -> pl.LightningModule:
    """Wrap a network so that it minimises its own objective, and let it look at the training rows before if it wants to.

    Raises:
        FitError: It names none.
    """
    if not callable(getattr(model, "objective", None)):
        raise FitError(
            "this network says nothing it could minimise",
            got=type(model).__name__,
            fix="give it a method `objective(inputs)` that returns one number per row",
        )
    prepare = getattr(model, "prepare", None)
    if callable(prepare) and isinstance(data.train, Split):
        prepare(data.train.batch(slice(None)).inputs[0].numpy())
    return SupervisedLearner(Objective(model), _mean, optimization, evaluate)


def _mean(values: Tensor, batch: Batch) -> Tensor:
    return values.mean()
