"""The trainer of networks: PyTorch Lightning, resumable and quiet."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeGuard

import pytorch_lightning as pl
import torch
from pydantic import Field
from pytorch_lightning.callbacks import Callback, EarlyStopping
from pytorch_lightning.utilities.model_helpers import is_overridden
from torch import nn

from glassbench.contracts.data import Data, Split, Streamed
from glassbench.contracts.own_training import OwnTraining
from glassbench.contracts.task import Optimization, Task
from glassbench.contracts.trainer import Fitted, Trainer, Workspace
from glassbench.errors import DataError, FitError
from glassbench_plugins.training.batches import HeldOutRows, TrainingRows, steps_per_epoch
from glassbench_plugins.training.callbacks import LAST, WATCHED, KeepBest, RecordHistory, Reseed, ResumePoint, StopAtStep
from glassbench_plugins.training.checkpoint import SafetensorsIO
from glassbench_plugins.training.finished import read_finished, write_finished
from glassbench_plugins.training.own_training import KeepRandomState, begin_with_same_weights, release
from glassbench_plugins.training.progress import ShowProgress
from glassbench_plugins.training.quiet import interruptible, quiet
from glassbench_plugins.training.reproducible import reproducible
from glassbench_plugins.training.streaming import StreamedRows, StreamPlace, most_steps
from glassbench_plugins.training.validation import as_learner, as_network, readable_errors

Precision = Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true"]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Amount = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class LightningTrainer(Trainer):
    """Trains a network by gradient descent.

    Args:
        accelerator: Where to train: `auto` picks a GPU when there is one; `cpu`, `gpu`, `cuda`, `mps`, ...
        devices: How many devices, which ones, or `auto` for all of the accelerator.
        strategy: How several devices share the work: `auto`, `ddp`, `fsdp`, ...
        precision: Number format of the computation.
        max_epochs: Passes over the training rows, at most.
        max_steps: Optimizer steps, at most; None leaves it to `max_epochs`.
        batch_size: Rows per forward pass and process.
        accumulate: Forward passes per optimizer step.
        optimizer: Name of the optimizer.
        learning_rate: Peak step size.
        weight_decay: Decoupled for `adamw`, L2 otherwise.
        momentum: For `sgd`.
        schedule: Course of the step size over all steps that `max_epochs` and `max_steps` allow.
        warmup: Share of these steps over which the step size rises from 0.
        gradient_clip: Largest norm of the gradient; None does not clip.
        early_stopping: Epochs without a smaller validation loss after which training ends; None never ends it early.
        keep: Which weights to keep: those with the smallest validation loss, the ones it begins with included, or the last.
            Without validation rows, the last.
        deterministic: Refuse operations whose result changes from one call to the next.
        compile: Compile the network with `torch.compile`.
        workers: Processes that read rows from disk; rows in memory need none.
        threads: CPU threads; None leaves the number to PyTorch. Small networks are fastest with 1.
        checkpoint_every: Seconds between two savings of the training state, at least.
    """

    accelerator: str = "auto"
    devices: int | str | list[int] = "auto"
    strategy: str = "auto"
    precision: Precision = "32-true"
    max_epochs: Count = 100
    max_steps: Count | None = None
    batch_size: Count = 64
    accumulate: Count = 1
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Positive = 1e-3
    weight_decay: Amount = 0.0
    momentum: Amount = 0.9
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    warmup: Share = 0.0
    gradient_clip: Positive | None = None
    early_stopping: Count | None = 10
    keep: Literal["best", "last"] = "best"
    deterministic: bool = True
    compile: bool = False
    workers: Annotated[int, Field(ge=0)] = 0
    threads: Count | None = None
    checkpoint_every: Amount = 30.0

    @property
    def several_processes(self) -> bool:
        """Whether Lightning will start a process per device."""
        if self.strategy not in ("auto", "single_device"):
            return True
        if self.devices in ("auto", "-1", -1):
            return self.accelerator in ("auto", "gpu", "cuda") and torch.cuda.device_count() > 1
        count = str(self.devices)
        return isinstance(self.devices, list) or (count.isdigit() and int(count) > 1)

    @property
    def asking_device(self) -> str:
        """The GPU where it trained on one; else the CPU."""
        return "cuda" if self.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available() else "cpu"

    def with_epochs(self, epochs: int) -> Trainer:
        """Return the same trainer with another `max_epochs`; `max_steps` does not end it earlier."""
        return replace(self, max_epochs=epochs, max_steps=None)

    def fit(self, model: Any, task: Task, data: Data, workspace: Workspace) -> Fitted:
        """Train `model` in place and return it with the kept weights.

        A task whose learner brings a `train_dataloader` of its own (interaction instead of rows) gets no loaders from
        here; `Optimization.total_steps` is then `max_steps`, or `max_epochs` where that is None.

        Raises:
            FitError: The model is no network, the loss is not finite, or a setting does not fit the machine.
            DataError: There are no training rows.
            RunError: The state left in the workspace cannot be read, or none can be written.
        """
        network = as_network(model)
        finished = read_finished(network, workspace.folder)
        if finished is not None:
            return finished
        with (
            quiet(),
            interruptible(),
            reproducible(workspace.seed, deterministic=self.deterministic, threads=self.threads),
            _compiled(network, self.compile),
            readable_errors(),
        ):
            fitted = self._fit(network, task, data, workspace)
        return fitted

    def _fit(self, model: nn.Module, task: Task, data: Data, workspace: Workspace) -> Fitted:
        own = isinstance(model, OwnTraining)
        stream = self._stream(data, workspace.seed)
        callbacks = self._callbacks(data, workspace, None if stream is None else StreamPlace(stream), own=own)
        trainer = self._trainer(callbacks, workspace)
        optimization = Optimization() if own else self._optimization(data, trainer.world_size, workspace.seed)
        learner = as_learner(model.module if isinstance(model, OwnTraining) else task.learner(model, data, optimization))
        if isinstance(model, OwnTraining):
            begin_with_same_weights(learner, workspace.folder)
            trainer.fit(learner, datamodule=model.datamodule, ckpt_path=_left_state(workspace))
            release(learner, model.datamodule)
        else:
            train, held_out = self._loaders(learner, data, workspace.seed)
            with closing(stream) if stream is not None else nullcontext():
                trainer.fit(learner, stream or train, held_out, ckpt_path=_left_state(workspace))
        best = next((c for c in callbacks if isinstance(c, KeepBest) and c.weights), None)
        if best is not None:
            learner.load_state_dict(best.weights)
        facts = self._facts(trainer, learner, best) | _weighing(data.train, learner)
        facts |= {} if stream is None else StreamPlace(stream).facts(None if best is None else best.epoch)
        fitted = Fitted(model=model.cpu().eval(), facts=facts, callbacks=tuple(_import_path(c) for c in _callbacks(trainer)))
        if trainer.is_global_zero:
            write_finished(fitted, workspace.folder)
        return fitted

    def _trainer(self, callbacks: list[Callback], workspace: Workspace) -> pl.Trainer:
        return pl.Trainer(
            accelerator=self.accelerator,
            devices=self.devices,
            strategy=self.strategy,
            precision=self.precision,
            # Lightning counts parts of a stream, which ends by itself.
            max_epochs=-1 if any(isinstance(one, StreamPlace) for one in callbacks) else self.max_epochs,
            callbacks=callbacks,
            plugins=[SafetensorsIO()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            # What a training begins with is judged too; a resumed one has that behind it.
            num_sanity_val_steps=-1 if self.keep == "best" and _left_state(workspace) is None else 0,
            default_root_dir=workspace.folder,
        )

    def _callbacks(self, data: Data, workspace: Workspace, place: StreamPlace | None, *, own: bool = False) -> list[Callback]:
        # A learner that brings its own data may log a validation loss without validation rows.
        watched = own or not isinstance(data.train, Split) or _has_rows(data.validation)
        chosen: list[Callback | None] = [
            KeepRandomState() if own else Reseed(workspace.seed),
            StopAtStep(self.max_steps) if self.max_steps else None,
            self._early_stopping(1 if data.stream is None else data.stream.parts or 1) if watched else None,
            RecordHistory(workspace, "epoch" if place is None else "part"),
            KeepBest() if watched and self.keep == "best" else None,
            ShowProgress(*self._shown(data.stream)) if workspace.interactive else None,
            place,
            ResumePoint(workspace.folder / LAST, self.checkpoint_every),
        ]
        return [callback for callback in chosen if callback is not None]

    def _shown(self, stream: Streamed | None) -> tuple[int | None, str]:
        """Return how many lines of progress there will be at most, None where nobody knows, and what each stands for."""
        if stream is None:
            return self.max_epochs, "epoch"
        return None if stream.parts is None else self.max_epochs * stream.parts, "part"

    def _early_stopping(self, parts: int) -> EarlyStopping | None:
        """Return what ends the training; `parts` times an epoch the network is judged."""
        if self.early_stopping is None:
            return None
        # Not strict: a learner with data of its own need not log a validation loss.
        return EarlyStopping(WATCHED, patience=self.early_stopping * parts, strict=False, check_on_train_epoch_end=True)

    def _optimization(self, data: Data, world: int, seed: int) -> Optimization:
        return Optimization(
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            schedule=self.schedule,
            warmup=self.warmup,
            gradient_clip=self.gradient_clip,
            batch_size=self.batch_size,
            accumulate=self.accumulate,
            total_steps=self._total_steps(data, world),
            seed=seed,
        )

    def _total_steps(self, data: Data, world: int) -> int:
        train = data.train
        if data.stream is not None:
            return most_steps(data.stream, self.batch_size * self.accumulate * world, self.max_epochs, self.max_steps)
        if not isinstance(train, Split):
            return self.max_steps or self.max_epochs
        each = steps_per_epoch(len(train), self.batch_size, self.accumulate, world)
        if each == 0:
            raise DataError("there are no rows to train on", got=f"{len(train)} rows for {world} processes")
        return min(each * self.max_epochs, self.max_steps or each * self.max_epochs)

    def _stream(self, data: Data, seed: int) -> StreamedRows | None:
        if data.stream is None:
            return None
        return StreamedRows(
            data.stream, batch_size=self.batch_size, accumulate=self.accumulate, seed=seed, epochs=self.max_epochs
        )

    def _loaders(self, learner: pl.LightningModule, data: Data, seed: int) -> tuple[TrainingRows | None, HeldOutRows | None]:
        if is_overridden("train_dataloader", learner):
            return None, None
        if not isinstance(data.train, Split):
            raise FitError(
                "the task's learner brings no data of its own, and the data set yields no rows",
                got=type(data.train).__name__,
                fix="choose a task that learns by interaction, or a data set of rows",
            )
        train = TrainingRows(data.train, batch_size=self.batch_size, accumulate=self.accumulate, seed=seed, workers=self.workers)
        if not _has_rows(data.validation):
            return train, None
        return train, HeldOutRows(data.validation, batch_size=self.batch_size, workers=self.workers)

    def _facts(self, trainer: pl.Trainer, learner: pl.LightningModule, best: KeepBest | None) -> dict[str, Any]:
        return {
            "epochs": _epochs(trainer),
            "steps": trainer.global_step,
            "stopped": getattr(learner, "ended", None) or self._stopped(trainer),
            "best_epoch": None if best is None else best.epoch,
            "device": str(trainer.strategy.root_device),
            "processes": trainer.world_size,
            "precision": trainer.precision,
            "parameters": sum(p.numel() for p in learner.parameters()),
            **_trained(learner),
            "batch_size": self.batch_size * self.accumulate * trainer.world_size,
            "threads": torch.get_num_threads(),
        }

    def _stopped(self, trainer: pl.Trainer) -> str:
        if any(isinstance(c, EarlyStopping) and c.wait_count >= c.patience for c in _callbacks(trainer)):
            return f"the validation loss did not improve for {self.early_stopping} epochs"
        if self.max_steps is not None and trainer.global_step >= self.max_steps:
            return f"it reached the {self.max_steps} steps of max_steps"
        if _epochs(trainer) >= self.max_epochs:
            return f"it reached the {self.max_epochs} epochs of max_epochs"
        return "a callback ended it"


def _trained(learner: pl.LightningModule) -> dict[str, int]:
    """Return how many parameters learnt; nothing where all did."""
    learnt = [p.numel() for p in learner.parameters() if p.requires_grad]
    return {} if len(learnt) == len(list(learner.parameters())) else {"trained_parameters": sum(learnt)}


def _weighing(train: Any, learner: pl.LightningModule) -> dict[str, str]:
    """Return whether the loss weighed rows; nothing where they have no weights."""
    if not isinstance(train, Split) or train.weights is None:
        return {}
    used = getattr(learner, "weighs", False) and not is_overridden("train_dataloader", learner)
    return {"weights": "each row's loss was weighed" if used else "not used: this task gives no loss per row"}


def _left_state(workspace: Workspace) -> str | None:
    """Return where an interrupted training left its state, None where there was none."""
    last = workspace.folder / LAST
    return str(last) if last.exists() else None


def _has_rows(split: object) -> TypeGuard[Split]:
    return isinstance(split, Split) and len(split) > 0


def _epochs(trainer: pl.Trainer) -> int:
    """Return how many epochs were gone through; Lightning's own count lags behind after some resumptions, or is of parts."""
    if streamed := next((one for one in _callbacks(trainer) if isinstance(one, StreamPlace)), None):
        return streamed.rows.epoch
    progress: dict[str, int] = trainer.fit_loop.epoch_progress.current.state_dict()
    return progress["processed"]


def _callbacks(trainer: pl.Trainer) -> list[Callback]:
    """Return the callbacks that take part, also those that other packages brought."""
    return list(vars(trainer)["callbacks"])


def _import_path(callback: Callback) -> str:
    return f"{type(callback).__module__}.{type(callback).__qualname__}"


@contextmanager
def _compiled(model: nn.Module, wanted: bool) -> Iterator[None]:
    """Run the model through `torch.compile` within a `with` block; it stays the same object with the same names."""
    if wanted:
        model.compile()
    try:
        yield
    finally:
        model._compiled_call_impl = None
