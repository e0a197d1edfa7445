"""What flows from a data set to a model: Schema, Split, Data."""

from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.errors import DataError, shorten


class Batch(NamedTuple):
    """Rows on their way through a model.

    Args:
        inputs: What the model is called with, each `(n, ...)`.
        target: The truth `(n, ...)`, long for classes and tokens, float for values; an empty tensor when unknown.
        positions: Row positions in the split `(n,)`.
        weight: What each row counts in a loss, with a mean of 1 over the split, float32 `(n,)`; None where rows count alike.
    """

    inputs: tuple[Tensor, ...]
    target: Tensor
    positions: Tensor
    weight: Tensor | None = None


@runtime_checkable
class Lazy(Protocol):
    """Inputs that stay on disk, or packed: indexing one row yields the tensors a model is called with, without the batch axis."""

    def __len__(self) -> int:
        """Number of rows."""
        ...

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Read one row."""
        ...


@runtime_checkable
class Fingerprinted(Protocol):
    """Inputs on disk, or episodes, that say what they are made from."""

    def fingerprint(self) -> str:
        """Return a text that changes with what is read: the content of files, the definition of an environment."""
        ...


class Strata(Protocol):
    """Columns by which a data set can count rows once more that it counted where they are."""

    def counted(self, most: int) -> Mapping[str, pd.DataFrame]:
        """Return how the rows spread over the values of each further column that has 2 to `most` of them.

        Each frame has one line per row and value that meet: `row` (the row's position in the split), `value` (text, absent where
        missing) and `count` (rows of the data, whole numbers that add up to the row's frequency).

        Raises:
            DataError: The rows cannot be read again, or are others by now.
        """
        ...


@dataclass(frozen=True, eq=False)
class Split:
    """Rows that belong together: those to learn from, or those to be judged by.

    Args:
        inputs: In memory a tuple of tensors `(n, ...)`, sliced into batches; or `Lazy` rows, on disk or `Packed`, read one by
            one.
        rows: Row ids `(n,)`, unique within the data set.
        target: Truth `(n, ...)`, or None where there is none; -1 for a class and NaN for a value that is not known, in rows to be
            judged by alone.
        groups: One string column per sensitive feature `(n, sensitive)`; absent values read "missing".
        raw: The rows as a person knows them, in their own units, or None.
        frequency: How many rows of the data each stands for, whole numbers `(n,)`, where equal rows were counted; None where each
            stands for itself.
        weights: Survey or sample weights of the rows, float64 `(n,)`, in any unit, 0 or above and not all 0; None where rows
            count alike. They are no counts: `frequency` is.
        clusters: Names of what each row belongs to `(n,)`, such as a person with several rows; None where rows are independent.
        beside: Columns that came with the rows and are neither inputs, nor the truth, nor sensitive, as text `(n, columns)`:
            numbers of rows and persons, dates, remarks. Nothing learns from them. None where there are none.
        strata: Further columns that counted rows can be counted by, or None; not known of a part of the rows.
    """

    inputs: tuple[Tensor, ...] | Lazy
    rows: np.ndarray
    target: Tensor | None = None
    groups: pd.DataFrame | None = None
    raw: pd.DataFrame | None = None
    frequency: np.ndarray | None = None
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    beside: pd.DataFrame | None = None
    strata: Strata | None = None

    def __post_init__(self) -> None:
        """Refuse parts that disagree about how many rows there are."""
        parts = {"rows": len(self.rows)}
        if isinstance(self.inputs, tuple):
            parts |= {f"inputs[{i}]": len(tensor) for i, tensor in enumerate(self.inputs)}
        else:
            parts["inputs"] = len(self.inputs)
        optional: dict[str, Sized | None] = {"target": self.target, "groups": self.groups, "raw": self.raw}
        optional |= {"frequency": self.frequency, "weights": self.weights, "clusters": self.clusters, "beside": self.beside}
        parts |= {name: len(part) for name, part in optional.items() if part is not None}
        if len(set(parts.values())) > 1:
            raise DataError("a split's parts differ in length", got=str(parts))
        if self.weights is not None:
            _check_weights(self.weights, self.frequency)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def total(self) -> int:
        """Number of rows of the data that these stand for."""
        return len(self) if self.frequency is None else int(self.frequency.sum())

    def batch(self, index: Tensor | slice) -> Batch:
        """Return the rows at `index` (a slice or a long tensor `(k,)`)."""
        positions = torch.arange(len(self))[index] if isinstance(index, slice) else index
        target = torch.empty(0) if self.target is None else self.target[index]
        weight = None if self.unit_weights is None else self.unit_weights[index]
        if isinstance(self.inputs, tuple):
            return Batch(tuple(tensor[index] for tensor in self.inputs), target, positions, weight)
        rows = [self.inputs[int(i)] for i in positions]
        return Batch(tuple(torch.stack(parts) for parts in zip(*rows, strict=True)), target, positions, weight)

    @cached_property
    def unit_weights(self) -> Tensor | None:
        """The weights with a mean of 1, float32 `(n,)`."""
        return None if self.weights is None else torch.as_tensor(self.weights / self.weights.mean(), dtype=torch.float32)

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all rows in order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self.batch(slice(start, start + size))

    def take(self, index: np.ndarray) -> "Split":
        """Return the split of the rows at `index` (integers `(k,)`), inputs in memory."""
        positions = torch.as_tensor(np.asarray(index, dtype=np.int64))
        return replace(
            self,
            inputs=self.batch(positions).inputs,
            rows=self.rows[index],
            target=None if self.target is None else self.target[positions],
            groups=None if self.groups is None else self.groups.iloc[index].reset_index(drop=True),
            raw=None if self.raw is None else self.raw.iloc[index].reset_index(drop=True),
            frequency=None if self.frequency is None else self.frequency[index],
            weights=None if self.weights is None else self.weights[index],
            clusters=None if self.clusters is None else self.clusters[index],
            beside=None if self.beside is None else self.beside.iloc[index].reset_index(drop=True),
            strata=None,
        )


def _check_weights(weights: np.ndarray, frequency: np.ndarray | None) -> None:
    """Raise `DataError` where numbers are no weights."""
    if frequency is not None:
        raise DataError("rows have both weights and counts", fix="leave one of the two out")
    if weights.dtype.kind not in "iuf" or not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError("weights are finite numbers, 0 or above", got=shorten([str(w) for w in weights if not w >= 0], 5))
    if len(weights) and not weights.any():
        raise DataError("all weights are 0", got=f"{len(weights)} rows", fix="give a row that counts a weight above 0")


@runtime_checkable
class Streamed(Protocol):
    """Training rows that are read part by part, in an order made anew for each epoch.

    A trainer asks for the parts of an epoch one after the other and trains on the rows of each in random order, so the rows of a
    part are what is shuffled. A run that was stopped goes on at the part it had reached: the same three numbers always give the
    same rows.

    Attributes:
        rows: Training rows of an epoch; None where that shows at its end only.
        parts: Parts of an epoch; None likewise.
    """

    @property
    def rows(self) -> int | None:
        """Training rows of an epoch, or None."""
        ...

    @property
    def parts(self) -> int | None:
        """Parts of an epoch, or None."""
        ...

    def part(self, seed: int, epoch: int, number: int) -> Split | None:
        """Return part `number` of an epoch, both counted from 0, with inputs and truths in memory; None behind the last part.

        Raises:
            DataError: The rows cannot be read.
        """
        ...

    def fingerprint(self) -> str:
        """Return a text that changes with what is read."""
        ...


@runtime_checkable
class Episodes(Protocol):
    """What a data set yields instead of rows when a model learns by interaction."""

    def make(self, seed: int) -> Any:
        """Return a fresh Gymnasium environment, seeded."""
        ...


@runtime_checkable
class Renderable(Protocol):
    """Episodes that can be looked at."""

    def render(self, rows: pd.DataFrame, frames: int) -> list[np.ndarray]:
        """Play an episode again from its predictions and return some of its frames, each `(height, width, 3)` bytes.

        Raises:
            DataError: It cannot be drawn; the message says why.
        """
        ...


class Encoder(Protocol):
    """Turns raw rows into the inputs a model was trained on; its state is fitted on the training split only."""

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw rows; the truth and the groups come along where their columns are present.

        Raises:
            DataError: A column is missing or a value cannot be read.
        """
        ...

    def to_json(self) -> dict[str, Any]:
        """Return everything `from_json` needs, as plain JSON values."""
        ...

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        ...


Action = Literal["left out", "converted", "missing", "rows left out", "detected", "divided", "cleaned"]


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """What was done while data were read, beyond taking them as they stand.

    Args:
        action: `left out` (a column that is no input), `converted` (cells that read as something else than they say), `missing`
            (cells that count as missing), `rows left out`, `detected` (how a file is written, where nobody said),
            `divided` (which rows are learnt from and which are judged), `cleaned` (rows that the experiment's cleaning drops or
            relabels).
        sentence: What was done and why, for a person, without the column's name.
        column: The column concerned; None for rows or a whole file.
        count: How many columns, cells or rows are concerned; None where that has no meaning.
        examples: A few texts as they stood.
    """

    action: Action
    sentence: str
    column: str | None = None
    count: int | None = None
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The sentence, with the column before it."""
        return f"{self.column}: {self.sentence}" if self.column is not None else self.sentence


@dataclass(frozen=True, eq=False, kw_only=True)
class Data:
    """A data set ready for training and judging.

    Args:
        schema: What the rows are.
        train, validation, test: The splits, made before any statistic was computed. Episodes take their place where
            a model learns by interaction. Validation may be None.
        encoder: Turns raw rows into inputs later, or None.
        notes: What else a reader must know about the data.
        source: Where the data comes from, for the report.
        treatments: What was left out, converted or detected while the data were read.
        split: How rows were divided, to be said behind "divided": "at random, stratified by the target", "by time: ..."; of
            episodes how they were judged. Empty where nobody knows.
        stream: All training rows where they do not fit into memory, `Streamed`; `train` then is a random sample of them, which
            audits look at. None where `train` holds them all.
    """

    schema: Schema
    train: Split | Episodes
    test: Split | Episodes
    validation: Split | Episodes | None = None
    encoder: Encoder | None = None
    notes: tuple[str, ...] = ()
    source: str = ""
    treatments: tuple[Treatment, ...] = ()
    split: str = ""
    stream: Streamed | None = None
