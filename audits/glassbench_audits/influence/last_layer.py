"""What each row's loss asks of the model's last layer."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch
from glassbench.contracts.task import Task

PASS_ROWS = 1024


class NoLastLayer(Exception):
    """The model does not end in a linear layer over rows; the message says what was found."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Traces:
    """Gradients of each row's loss in the weights of the last layer, as the two factors they are an outer product of.

    Args:
        given: What the layer is given, with a 1 for its bias, float64 `(n, d + 1)`.
        asked: The gradient of the loss in what the layer gives, float64 `(n, k)`.
        loss: Each row's loss `(n,)`.
    """

    given: np.ndarray
    asked: np.ndarray
    loss: np.ndarray

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.loss)

    def take(self, index: np.ndarray) -> "Traces":
        """Return the rows at `index`."""
        return Traces(given=self.given[index], asked=self.asked[index], loss=self.loss[index])

    def influence(self, others: "Traces") -> np.ndarray:
        """Return the inner products `(n, m)` of these rows' gradients with those of others.

        A step down one row's loss lowers the other's by as much (TracIn; Pruthi et al. 2020, Estimating training data
        influence by tracing gradient descent). Positive: a row argues for the other; negative: against it.
        """
        products: np.ndarray = (self.asked @ others.asked.T) * (self.given @ others.given.T)
        return products

    def own(self) -> np.ndarray:
        """Return each row's influence on itself `(n,)`: large where it stands against what the others ask for."""
        squares: np.ndarray = (self.asked**2).sum(axis=1) * (self.given**2).sum(axis=1)
        return squares


def traces(model: nn.Module, task: Task, batches: list[Batch]) -> Traces:
    """Return the gradients of rows' losses, as the task measures them (`Task.row_loss`).

    Args:
        model: The fitted network, left as it is.
        task: Says how large each row's loss is.
        batches: Rows with their truth.

    Raises:
        NoLastLayer: The layer called last is not linear over rows, or the task has no loss per row.
    """
    parts = [_traced(model, task, batch) for batch in batches]
    given, asked, loss = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Traces(given=np.column_stack([given, np.ones(len(given))]), asked=asked, loss=loss)


def _traced(model: nn.Module, task: Task, batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    layer = _called_last(model, batch)
    seen: dict[str, Tensor] = {}

    def cut(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        seen["given"], seen["output"] = args[0].detach(), output.detach().requires_grad_()
        return seen["output"]

    with torch.enable_grad(), layer.register_forward_hook(cut):
        losses = task.row_loss(model(*batch.inputs), batch)
        if losses is None:
            raise NoLastLayer("its task has no loss per row")
        (asked,) = torch.autograd.grad(losses.sum(), seen["output"], allow_unused=True)
    if asked is None or asked.ndim != 2:
        raise NoLastLayer("its last linear layer does not give one vector per row")
    return seen["given"].double().numpy(), asked.double().numpy(), losses.detach().double().numpy()


def _called_last(model: nn.Module, batch: Batch) -> nn.Module:
    called: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, args, output: called.append(module))
        for module in model.modules()
        if isinstance(module, nn.Linear)
    ]
    try:
        with torch.no_grad():
            model(*(tensor[:2] for tensor in batch.inputs))
    finally:
        for hook in hooks:
            hook.remove()
    if not called:
        raise NoLastLayer("it has no linear layer")
    return called[-1]
