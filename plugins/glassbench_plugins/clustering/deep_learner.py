"""How deep clustering learns: neighbours first, then centres."""

from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from sklearn.cluster import KMeans
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

from glassbench.contracts.data import Batch, Split
from glassbench.contracts.learner import build_optimizer, build_schedule, steps
from glassbench.contracts.task import Optimization
from glassbench.errors import FitError
from glassbench_plugins.clustering.graph import mutual_neighbours
from glassbench_plugins.unsupervised.grown import flat

_REPULSIONS = 5
"""Rows each row is kept away from for each neighbour it is drawn to, as UMAP has it."""
_TINY = 1e-3
_STARTS = 20
_CHUNK = 4096


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What the parts of the loss count for beside the neighbours.

    Args:
        reconstruction: The reconstruction error, as a share of the rows' variance.
        sharpening: The distance to the sharper assignment.
    """

    reconstruction: float
    sharpening: float


class Clusterable(Protocol):
    """A network that codes rows and has centres among the codes."""

    centres: nn.Parameter
    placed: Tensor
    augment: nn.Module | None
    neighbours: int
    weights: Weights
    warmup: float

    def encode(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to codes `(n, m)`."""
        ...

    def decode(self, codes: Tensor) -> Tensor:
        """From codes `(n, m)` to rows `(n, d)`."""
        ...

    def near(self, codes: Tensor) -> Tensor:
        """From codes `(n, m)` to log-densities up to a constant around each centre `(n, clusters)`."""
        ...


class DeepLearner(pl.LightningModule):
    """Trains a clustering network; all it knows beside the weights follows from them, so that it resumes at any epoch.

    Args:
        model: The network, a `Clusterable`.
        rows: The training rows.
        optimization: How to descend.
    """

    def __init__(self, model: nn.Module, rows: Split, optimization: Optimization) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model
        self.optimization = optimization
        self._rows = rows.batch(slice(None)).inputs[0]
        vectors = flat(self._rows.numpy())
        self._near = torch.as_tensor(mutual_neighbours(vectors, self.parts.neighbours))
        self._variance = max(float(vectors.var()), 1e-12)
        self._target: Tensor | None = None
        self._losses: list[Tensor] = []

    @property
    def parts(self) -> Clusterable:
        """The network by the parts that learn."""
        model: Clusterable = self.model  # type: ignore[assignment]
        return model

    def configure_optimizers(self) -> torch.optim.Optimizer | OptimizerLRSchedulerConfig:
        """Return the optimizer and its per-step schedule, if there is one."""
        optimizer = build_optimizer(self.model, self.optimization)
        schedule = build_schedule(optimizer, self.optimization)
        return optimizer if schedule is None else {"optimizer": optimizer, "lr_scheduler": schedule}

    def on_train_epoch_start(self) -> None:
        """Place the centres once the warm-up is over; from then on, say what the epoch's assignments are drawn towards."""
        self._losses = []
        if self.global_step < self.parts.warmup * self.optimization.total_steps:
            return
        codes = self._codes()
        if not bool(self.parts.placed):
            self._place(codes)
        self._target = sharper(self.parts.near(codes).softmax(dim=1)).detach()

    def training_step(self, chunk: Batch, _: int) -> None:
        """Take the optimizer steps of a chunk of rows.

        Raises:
            FitError: The loss is no longer a finite number.
        """
        optimizer, schedule = self.optimizers(), self.lr_schedulers()
        assert isinstance(optimizer, LightningOptimizer)
        left = max(self.optimization.total_steps - self.global_step, 0)
        for batches in islice(steps(chunk, self.optimization), left):
            optimizer.zero_grad()
            for batch in batches:
                loss = self.loss(batch)
                self.manual_backward(loss / len(batches))
                self._losses.append(loss.detach())
            optimizer.step()
            if isinstance(schedule, LambdaLR):
                schedule.step()
        if self._losses and not bool(torch.stack(self._losses).isfinite().all()):
            raise FitError(
                "the training loss is no longer a finite number",
                got=f"epoch {self.current_epoch}",
                fix="lower trainer.learning_rate, or set trainer.gradient_clip (1.0 is usual)",
            )

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip the gradient."""
        if self.optimization.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.optimization.gradient_clip)

    def on_train_epoch_end(self) -> None:
        """Log the epoch's mean training loss."""
        if self._losses:
            self.log("train_loss", torch.stack(self._losses).mean())

    def validation_step(self, batch: Batch, _: int) -> None:
        """Log the share of the variance of validation rows that is lost, which says whether codes still hold what rows are."""
        rows = batch.inputs[0]
        lost = functional.mse_loss(self.parts.decode(self.parts.encode(rows)), rows.flatten(1)) / self._variance
        self.log("validation_variance_lost", lost, batch_size=len(rows))

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of a batch: its rows restored, each drawn to a neighbour and kept from other rows' neighbours."""
        model, positions = self.parts, batch.positions.cpu()
        pick = self._near[positions, torch.randint(self._near.shape[1], (len(positions),))]
        rows = self._changed(torch.cat([batch.inputs[0], self._rows[pick].to(batch.inputs[0])]))
        codes = model.encode(rows)
        own, other = codes.chunk(2)
        lost = functional.mse_loss(model.decode(own), rows[: len(own)].flatten(1)) / self._variance
        total: Tensor = model.weights.reconstruction * lost + together(own, other)
        if self._target is not None:
            target = self._target[batch.positions]
            total = total + model.weights.sharpening * functional.kl_div(
                model.near(own).log_softmax(dim=1), target, reduction="batchmean"
            )
            return total
        return total + 0 * model.centres.sum()  # before they are placed, their gradient is 0

    def _changed(self, rows: Tensor) -> Tensor:
        if self.parts.augment is None:
            return rows
        changed: Tensor = self.parts.augment(rows)
        return changed

    def _codes(self) -> Tensor:
        with torch.no_grad():
            return torch.cat([self.parts.encode(part.to(self.device)) for part in torch.split(self._rows, _CHUNK)])

    def _place(self, codes: Tensor) -> None:
        found = KMeans(len(self.parts.centres), n_init=_STARTS, random_state=np.random.randint(2**31)).fit(codes.cpu().numpy())
        with torch.no_grad():
            self.parts.centres.copy_(torch.as_tensor(found.cluster_centers_))
        self.parts.placed.fill_(True)


def together(own: Tensor, other: Tensor) -> Tensor:
    """Return how far codes `(n, m)` are from their neighbours' `(n, m)`, and how near to other rows' neighbours.

    The cross-entropy of UMAP, with Student's t distribution for how likely two codes are neighbours.
    """
    squared = ((own[:, None] - other) ** 2).sum(dim=-1)
    drawn = torch.log1p(squared.diagonal()).mean()
    if len(own) < 2:
        return drawn
    apart = ~torch.eye(len(own), dtype=torch.bool, device=own.device)
    kept = (torch.log1p(squared) - torch.log(squared + _TINY))[apart].mean()
    return drawn + _REPULSIONS * kept


def sharper(soft: Tensor) -> Tensor:
    """Return assignments `(n, k)` that are surer than the given ones, and count every cluster alike (Xie et al. 2016)."""
    weight = soft**2 / soft.sum(dim=0).clamp(min=1e-12)
    return weight / weight.sum(dim=1, keepdim=True)
