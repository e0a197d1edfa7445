"""The model as attribution methods call it, and the rows they explain."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from glassbench.contracts.estimator import differentiable
from glassbench.contracts.exporting import TreeSum
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Task
from glassbench.errors import GlassbenchError
from glassbench.rows.log_odds import log_odds_of
from glassbench_audits.attribution.visited import acted_otherwise, is_policy


class Unexplainable(GlassbenchError):
    """This subject cannot be explained as asked; the audit reports why as not applicable."""


Amount = TypeVar("Amount")

LIGHT_PASS = 4096
HEAVY_PASS = 256
_DEAR_PASSES = 8
_HEAVY = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.MultiheadAttention, nn.RNNBase, nn.Embedding)


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows:
    """Rows to be explained.

    Args:
        inputs: The model's first input `(n, ...)`, the one that attributions speak of.
        others: The model's further inputs, each `(n, ...)`, passed on unchanged.
        target_index: Which explained output each row's decision took, long `(n,)` or `(n, k)`; `(n, m, k)` where the sum of
            several is explained; None where the output is one number per row.
        contrast: Of a policy, what each row may be compared with: states in which it acted otherwise, `(n, c, ...)`.
    """

    inputs: Tensor
    others: tuple[Tensor, ...] = ()
    target_index: Tensor | None = None
    contrast: Tensor | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.inputs)

    def take(self, index: Tensor | slice) -> "Rows":
        """Return the rows at `index`."""
        target_index, contrast = (None if t is None else t[index] for t in (self.target_index, self.contrast))
        others = tuple(t[index] for t in self.others)
        return Rows(inputs=self.inputs[index], others=others, target_index=target_index, contrast=contrast)

    def at(self, inputs: Tensor) -> "Rows":
        """Return the same rows with other values of the first input."""
        return replace(self, inputs=inputs)

    def contrasted(self) -> Iterator["Rows"]:
        """Yield the same rows with one contrast after the other; as they are where they have none."""
        if self.contrast is None:
            yield self
            return
        for place in range(self.contrast.shape[1]):
            yield replace(self, contrast=self.contrast[:, place : place + 1])

    def chunks(self, size: int) -> Iterator[slice]:
        """Yield slices of at most `size` rows that cover all rows."""
        for start in range(0, len(self), size):
            yield slice(start, min(start + size, len(self)))


class Explained(nn.Module):
    """A model followed by what its task explains: inputs to one number per row and output.

    Where the decision is one of several classes or tokens, these numbers are scores, and what is explained is the log-odds of
    the one that was chosen against all others: a number added to every score of a row changes no probability and therefore no
    attribution. Elsewhere it is the number itself.

    A network is copied, because attribution methods hook and differentiate it; the subject's own stays untouched.

    Args:
        model: The fitted model.
        task: Says what of the model's output is explained.

    Attributes:
        floor: Probability that takes the place of smaller ones; None where all count as they are.
        trees: The trees whose sum is explained; None where it is anything else, or where nobody asked.
    """

    def __init__(self, model: nn.Module, task: Task) -> None:
        """Copy the model where attribution methods would touch it, and put it in evaluation mode."""
        super().__init__()
        self.model = copy.deepcopy(model) if differentiable(model) else model
        self.task = task
        self.softmax = task.kind.softmax
        self.floor: float | None = None
        self.trees: TreeSum | None = None
        self.eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        """From the model's inputs, each `(n, ...)`, to the numbers of all outputs `(n, ...)`."""
        output = self.task.attribution_output(self.model(*inputs))
        return output if self.floor is None else output.log_softmax(dim=-1).clamp(min=math.log(self.floor))

    def number(self, rows: Rows) -> Tensor:
        """Return the explained number of the output of each row's decision `(n,)`, differentiable where the model is."""
        return self.picked(self(rows.inputs, *rows.others), rows.target_index)

    def picked(self, output: Tensor, target_index: Tensor | None) -> Tensor:
        """Return the explained number `(n,)` from the numbers of all outputs `(n, ...)`.

        Args:
            output: What `forward` gave.
            target_index: Which one each row's decision took, long `(n,)` or `(n, k)`; of `(n, m, k)` the sum is returned, and -1
                is none.
        """
        if target_index is None:
            return output
        if self.softmax:
            return odds_among(scores_among(output, target_index), target_index)
        index = _indexed(target_index)
        return _summed(entries(output, index.clamp(min=0)), index)

    @property
    def layer(self) -> nn.Module | None:
        """The submodule whose output is attributed to, where the model names one (`attribution_layer`)."""
        name = getattr(self.model, "attribution_layer", None)
        return None if name is None else self.model.get_submodule(name)

    def embeds(self, inputs: Tensor) -> bool:
        """Whether the layer attributed to gives each token a vector of its own, over whose width attributions are summed.

        A layer after numbers (a spectrogram after samples) keeps its axes: they are what a person looks at.
        """
        return self.layer is not None and not inputs.is_floating_point()

    @property
    def pass_rows(self) -> int:
        """How many rows one pass may hold: fewer for convolution, attention, recurrence and tokens (large activations)."""
        return HEAVY_PASS if any(isinstance(m, _HEAVY) for m in self.model.modules()) else LIGHT_PASS

    def affords(self, light: Amount, heavy: Amount, dear: Amount) -> Amount:
        """Return what can be afforded of a model of this cost: plain layers, convolution and the like, many passes per row.

        A model says so itself where one output takes many passes through a network: `passes_per_row`.
        """
        if int(getattr(self.model, "passes_per_row", 1)) >= _DEAR_PASSES:
            return dear
        return heavy if self.pass_rows <= HEAVY_PASS else light

    def outputs(self, rows: Rows) -> Tensor:
        """Return the explained number of the output of each row's decision `(n,)`, without gradients."""
        with torch.no_grad():
            parts = [self.number(rows.take(chunk)) for chunk in rows.chunks(self.pass_rows)]
        return torch.cat(parts) if parts else torch.empty(0)

    def outputs_with_layer_of(self, rows: Rows, inputs: Tensor) -> Tensor:
        """Return `outputs` when the layer attributed to gives what it gives for `inputs`, all else as in the rows."""
        return self.outputs_with_layer(rows, self.layer_outputs(rows.at(inputs)))

    def layer_outputs(self, rows: Rows) -> Tensor:
        """Return what the layer attributed to gives for rows `(n, ...)`, without gradients."""
        assert self.layer is not None
        seen: list[Tensor] = []
        with torch.no_grad(), self.layer.register_forward_hook(lambda module, args, output: seen.append(output)):
            for chunk in rows.chunks(self.pass_rows):
                part = rows.take(chunk)
                self(part.inputs, *part.others)
        return torch.cat(seen)

    def outputs_with_layer(self, rows: Rows, values: Tensor) -> Tensor:
        """Return `outputs` when the layer attributed to gives `values` `(n, ...)`, all else as in the rows."""
        with torch.no_grad():
            parts = [self.picked_with_layer(rows.take(chunk), values[chunk]) for chunk in rows.chunks(self.pass_rows)]
        return torch.cat(parts)

    def picked_with_layer(self, rows: Rows, values: Tensor) -> Tensor:
        """Return the explained number of each row `(n,)`, differentiable in `values`, which the layer is made to give."""
        assert self.layer is not None
        with self.layer.register_forward_hook(lambda module, args, output: values):
            return self.number(rows)


class Picked(nn.Module):
    """An explained model that takes each row's target indices as its last input and gives one number per row, as Captum calls it.

    Args:
        explained: The model.
    """

    def __init__(self, explained: Explained) -> None:
        super().__init__()
        self.explained = explained

    def forward(self, *inputs: Tensor) -> Tensor:
        """From the model's inputs and target indices `(n, ...)` to `(n,)`."""
        *known, target_index = inputs
        return self.explained.picked(self.explained(*known), target_index)


def scores_among(output: Tensor, target_index: Tensor) -> Tensor:
    """Return the scores among which each choice was made, `(n, k)` or `(n, m, k)`, from an output `(n, ..., k)`."""
    return entries(output, _indexed(target_index).clamp(min=0)[..., :-1])


def odds_among(scores: Tensor, target_index: Tensor) -> Tensor:
    """Return the log-odds of each row's choice `(n,)`, or the sum of those of its choices, from `scores_among`."""
    index = _indexed(target_index)
    return _summed(log_odds_of(scores, index.clamp(min=0)[..., -1]), index)


def _indexed(target_index: Tensor) -> Tensor:
    return target_index[:, None] if target_index.ndim == 1 else target_index


def _summed(each: Tensor, index: Tensor) -> Tensor:
    """Return the sum over the choices of a row `(n,)`, leaving out those that are none."""
    return each.masked_fill(index[..., 0] < 0, 0.0).sum(dim=1) if index.ndim == 3 else each


def entries(output: Tensor, index: Tensor) -> Tensor:
    """Return the entries of an output at an index of its first axes after the rows.

    Args:
        output: `(n, a, b, ...)`.
        index: Long `(n, k)` or `(n, m, k)`, k of the axes.

    Returns:
        `(n, ...)` or `(n, m, ...)`: what is left of the output's axes behind.
    """
    rows = torch.arange(len(output), device=output.device)
    if index.ndim == 3:
        return output[(rows[:, None].expand(index.shape[:2]), *index.unbind(2))]
    return output[(rows, *index.unbind(1))]


def rows_of(subject: Subject, positions: Any) -> Rows:
    """Return the rows a subject's predictions were made on.

    Args:
        subject: The subject.
        positions: Row positions `(k,)`.

    Raises:
        Unexplainable: The predictions do not say which of several outputs each decision took.
    """
    assert subject.predictions.source is not None
    index = torch.as_tensor(positions, dtype=torch.int64)
    first, *others = subject.predictions.source.batch(index).inputs
    target_index = subject.predictions.target_index
    rows = Rows(
        inputs=first,
        others=tuple(others),
        target_index=None if target_index is None else target_index[index].long(),
        contrast=acted_otherwise(subject, index.numpy()) if is_policy(subject) else None,
    )
    return _settled(subject, rows)


def _settled(subject: Subject, rows: Rows) -> Rows:
    """Make the target indices fit the explained output: none for one number per row, the only one where it has width 1."""
    with torch.no_grad():
        output = subject.attribution_output(*(t[:2] for t in (rows.inputs, *rows.others)))
    if output.ndim == 1:
        return replace(rows, target_index=None)
    if rows.target_index is not None:
        return rows
    if all(size == 1 for size in output.shape[1:]):
        return replace(rows, target_index=torch.zeros(len(rows), output.ndim - 1, dtype=torch.int64))
    raise Unexplainable("the predictions do not say which of the model's outputs each decision took")
