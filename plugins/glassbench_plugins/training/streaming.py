"""Training rows that are read part by part while a network learns."""

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from glassbench.contracts.data import Batch, Split, Streamed
from glassbench.contracts.learner import epoch_seed
from glassbench.errors import DataError
from glassbench_plugins.training.batches import TrainingRows


class StreamedRows:
    """The parts of a stream, one after the other; the next one is read while the network learns from the last.

    What Lightning takes for an epoch is a part: after each one the network is judged, and the state that a stopped training goes
    on from can be saved.

    Args:
        stream: The rows.
        batch_size: Rows per forward pass and process.
        accumulate: Forward passes per optimizer step.
        seed: Seed of all orders.
        epochs: How often all rows are gone through.
    """

    def __init__(self, stream: Streamed, *, batch_size: int, accumulate: int, seed: int, epochs: int) -> None:
        self.stream, self.epochs = stream, epochs
        self.batch_size, self.accumulate, self.seed = batch_size, accumulate, seed
        self.epoch, self.number, self.read = 0, 0, 0
        self.ended = False
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="rows")
        self._next: Future[Split | None] | None = None

    def __iter__(self) -> Iterator[Batch]:
        """Yield the chunks of the part whose turn it is, each of whole optimizer steps."""
        part = self._taken()
        if part is None:
            raise DataError("the training rows ended before the first", got="0 rows", where="dataset")
        self.read += len(part)
        self._next = self._reader.submit(self.stream.part, self.seed, self.epoch, self.number + 1)
        seed = epoch_seed(self.seed, self.epoch)
        rows = TrainingRows(part, batch_size=self.batch_size, accumulate=self.accumulate, seed=seed)
        rows.set_epoch(self.number)
        yield from rows

    def advance(self) -> None:
        """Go to the next part, or to the next epoch behind the last; `ended` says that there is none.

        Raises:
            DataError: The stream held other rows than it promised.
        """
        if self._taken(ahead=1) is not None:
            self.number += 1
            return
        if self.stream.rows not in (None, self.read):
            raise DataError(
                "the training rows are not as many as were promised",
                got=f"{self.read:,} rows in epoch {self.epoch}, {self.stream.rows:,} promised",
                where="dataset",
                fix="make the stream say how many rows it has, or none where it does not know (rows = None)",
            )
        self._next = None
        self.epoch, self.number, self.read = self.epoch + 1, 0, 0
        self.ended = self.epoch >= self.epochs

    def close(self) -> None:
        """Read no further."""
        self._reader.shutdown(wait=True, cancel_futures=True)

    def _taken(self, ahead: int = 0) -> Split | None:
        if self._next is None:
            self._next = self._reader.submit(self.stream.part, self.seed, self.epoch, self.number + ahead)
        return self._next.result()


class StreamPlace(Checkpoint):
    """Goes from part to part, ends the training behind the last epoch, and keeps the place in the training state.

    Args:
        rows: The parts.
    """

    def __init__(self, rows: StreamedRows) -> None:
        self.rows = rows

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Choose the part that comes next."""
        self.rows.advance()
        trainer.should_stop = trainer.should_stop or self.rows.ended

    def state_dict(self) -> dict[str, Any]:
        """Return the place."""
        return {name: getattr(self.rows, name) for name in ("epoch", "number", "read", "ended")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to the place where the training was stopped."""
        for name, value in state_dict.items():
            setattr(self.rows, name, value)

    def facts(self, kept: int | None) -> dict[str, Any]:
        """Return how far a training came through the rows, and which part was the best (`kept`), in place of epochs."""
        rows = {} if self.rows.stream.rows is None else {"rows": self.rows.stream.rows, "parts": self.rows.stream.parts}
        return {"epochs": self.rows.epoch, "best_epoch": None, "best_part": kept, **rows}


def most_steps(stream: Streamed, rows_per_step: int, epochs: int, max_steps: int | None) -> int:
    """Return how many optimizer steps a training takes at most.

    Args:
        stream: The rows.
        rows_per_step: Rows that an optimizer step takes over all processes.
        epochs: How often all rows are gone through.
        max_steps: The steps after which a training ends all the same, or None.

    Raises:
        DataError: Neither the stream nor the settings say.
    """
    if stream.rows is None or stream.parts is None:
        if max_steps is None:
            fix = "set trainer.max_steps"
            raise DataError("how many rows there are to train on shows at their end only", where="trainer.max_steps", fix=fix)
        return max_steps
    # Each part may end with a step of fewer rows.
    steps = epochs * (math.ceil(stream.rows / rows_per_step) + stream.parts)
    return steps if max_steps is None else min(steps, max_steps)
