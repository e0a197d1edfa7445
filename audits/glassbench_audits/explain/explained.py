"""The model as attribution methods call it, and the rows they explain."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from glassbench.errors import GlassbenchError
from glassbench.estimator import differentiable
from glassbench.subject import Subject
from glassbench.task import Task
from glassbench_audits.explain.visited import acted_otherwise, is_policy


class Unexplainable(GlassbenchError):
    """This subject cannot be explained as asked; the audit reports why as not applicable."""


LIGHT_PASS = 4096
HEAVY_PASS = 256
_HEAVY = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.MultiheadAttention, nn.RNNBase, nn.Embedding)

CaptumTarget = Tensor | list[tuple[int, ...]] | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows:
    """Rows to be explained.

    Args:
        inputs: The model's first input `(n, ...)`, the one that attributions speak of.
        others: The model's further inputs, each `(n, ...)`, passed on unchanged.
        candidates: Which explained output each row's decision took, long `(n,)` or `(n, k)`; `(n, m, k)` where the sum of
            several is explained; None where the output is one number per row.
        contrast: Of a policy, what each row may be compared with: a state in which it acted otherwise, `(n, ...)`.
    """

    inputs: Tensor
    others: tuple[Tensor, ...] = ()
    candidates: Tensor | None = None
    contrast: Tensor | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.inputs)

    def take(self, index: Tensor | slice) -> "Rows":
        """Return the rows at `index`."""
        candidates, contrast = (None if t is None else t[index] for t in (self.candidates, self.contrast))
        others = tuple(t[index] for t in self.others)
        return Rows(inputs=self.inputs[index], others=others, candidates=candidates, contrast=contrast)

    def at(self, inputs: Tensor) -> "Rows":
        """Return the same rows with other values of the first input."""
        return replace(self, inputs=inputs)

    def chunks(self, size: int) -> Iterator[slice]:
        """Yield slices of at most `size` rows that cover all rows."""
        for start in range(0, len(self), size):
            yield slice(start, min(start + size, len(self)))

    @property
    def summed(self) -> bool:
        """Whether the sum of several outputs is explained."""
        return self.candidates is not None and self.candidates.ndim == 3

    @property
    def target(self) -> CaptumTarget:
        """The candidates as Captum wants them: an index per row, or a list of tuples for an output of several axes.

        None for a sum, which Captum knows nothing of: `Summed` takes the candidates as a further input then.
        """
        if self.candidates is None or self.candidates.ndim == 1:
            return self.candidates
        if self.summed:
            return None
        return [tuple(int(i) for i in row) for row in self.candidates]


class Explained(nn.Module):
    """A model followed by what its task explains: inputs to one number per row and candidate.

    A network is copied, because attribution methods hook and differentiate it; the subject's own stays untouched.

    Args:
        model: The fitted model.
        task: Says what of the model's output is explained.
    """

    def __init__(self, model: nn.Module, task: Task) -> None:
        """Copy the model where attribution methods would touch it, and put it in evaluation mode."""
        super().__init__()
        self.model = copy.deepcopy(model) if differentiable(model) else model
        self.task = task
        self.eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        """From the model's inputs, each `(n, ...)`, to the explained output `(n, ...)`."""
        return self.task.explained(self.model(*inputs))

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

    def outputs(self, rows: Rows) -> Tensor:
        """Return the explained number of each row's own candidate `(n,)`, without gradients."""
        with torch.no_grad():
            parts = [self._picked(rows.take(chunk)) for chunk in rows.chunks(self.pass_rows)]
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
            return self._picked(rows)

    def _picked(self, rows: Rows) -> Tensor:
        return pick(self(rows.inputs, *rows.others), rows.candidates)


class Summed(nn.Module):
    """An explained model that takes the candidates of each row as its last input, and gives the sum of their outputs `(n,)`.

    Args:
        explained: The model.
    """

    def __init__(self, explained: Explained) -> None:
        super().__init__()
        self.explained = explained

    def forward(self, *inputs: Tensor) -> Tensor:
        """From the model's inputs and candidates `(n, m, k)` to `(n,)`."""
        *known, candidates = inputs
        return pick(self.explained(*known), candidates)


def pick(output: Tensor, candidates: Tensor | None) -> Tensor:
    """Return each row's entry `(n,)` of an explained output `(n, ...)` at its candidate, long `(n,)` or `(n, k)`.

    Of candidates `(n, m, k)` the sum of their entries is returned; -1 is none.
    """
    if candidates is None:
        return output
    rows = torch.arange(len(output))
    if candidates.ndim < 3:
        index = candidates if candidates.ndim == 2 else candidates[:, None]
        return output[(rows, *index.unbind(1))]
    entries = output[(rows[:, None], *candidates.clamp(min=0).unbind(2))]
    return (entries * (candidates[:, :, 0] >= 0)).sum(dim=1)


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
    candidates = subject.predictions.candidates
    rows = Rows(
        inputs=first,
        others=tuple(others),
        candidates=None if candidates is None else candidates[index].long(),
        contrast=acted_otherwise(subject, index.numpy()) if is_policy(subject) else None,
    )
    return _settled(subject, rows)


def _settled(subject: Subject, rows: Rows) -> Rows:
    """Make the candidates fit the explained output: none for one number per row, the only one where it has width 1."""
    with torch.no_grad():
        output = subject.explained(*(t[:2] for t in (rows.inputs, *rows.others)))
    if output.ndim == 1:
        return replace(rows, candidates=None)
    if rows.candidates is not None:
        return rows
    if all(size == 1 for size in output.shape[1:]):
        return replace(rows, candidates=torch.zeros(len(rows), output.ndim - 1, dtype=torch.int64))
    raise Unexplainable("the predictions do not say which of the model's outputs each decision took")
