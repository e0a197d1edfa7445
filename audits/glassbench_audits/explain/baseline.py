"""The row that stands for "nothing known": what every attribution is measured against."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from glassbench.subject import Subject

BaselineChoice = Literal["auto", "mean", "median", "zero", "training-sample"]

_STATISTIC_ROWS = 20_000
SAMPLE = 64

_SENTENCES = {
    "mean": "the mean of the training rows (a category counts with its share)",
    "median": "the median of the training rows, slot by slot",
    "zero": "zero in every encoded slot",
    "padding": "padding in every position",
    "training-sample": f"a training row, drawn from a sample of {SAMPLE}",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Baseline:
    """What rows are compared with.

    Args:
        name: The choice that was made.
        values: One baseline `(1, ...)`, or a sample `(k, ...)` to draw from.
    """

    name: str
    values: Tensor

    @property
    def sentence(self) -> str:
        """The choice in words."""
        return _SENTENCES[self.name]

    def matched(self, n: int) -> Tensor:
        """Return one baseline per row `(n, ...)`; of a sample, rows take turns."""
        return self.values[torch.arange(n) % len(self.values)]


def choose_baseline(subject: Subject, inputs: Tensor, choice: BaselineChoice, *, sampled: bool = False) -> Baseline:
    """Return the baseline for rows like `inputs`.

    Args:
        subject: Gives the training rows.
        inputs: The rows to be explained `(n, ...)`.
        choice: What was asked for; `auto` takes the training mean of tables and observations, and zero (of encoded,
            mostly standardised values) elsewhere; whole numbers, as tokens are, take padding.
        sampled: Whether the method averages over a sample of baselines, so that `auto` draws one.

    Raises:
        ValueError: The training rows are needed and not known.
    """
    if not inputs.is_floating_point():
        padding = int(subject.schema.extras.get("padding", 0))
        return Baseline(name="padding", values=torch.full_like(inputs[:1], padding))
    name = _automatic(subject, sampled) if choice == "auto" else choice
    if name == "zero":
        return Baseline(name=name, values=torch.zeros_like(inputs[:1]))
    if subject.train is None:
        raise ValueError(f"the baseline '{name}' needs the training rows, which are not known")
    return Baseline(name=name, values=_statistic(_training_rows(subject, name), name).to(inputs.dtype))


def _automatic(subject: Subject, sampled: bool) -> str:
    if subject.train is None or subject.schema.modality not in ("table", "observation"):
        return "zero"
    return "training-sample" if sampled else "mean"


def _training_rows(subject: Subject, name: str) -> Tensor:
    assert subject.train is not None
    size = min(SAMPLE if name == "training-sample" else _STATISTIC_ROWS, len(subject.train))
    positions = subject.generator("explain.baseline").choice(len(subject.train), size, replace=False)
    return subject.train.batch(torch.as_tensor(np.sort(positions))).inputs[0]


def _statistic(rows: Tensor, name: str) -> Tensor:
    if name == "mean":
        return rows.double().mean(dim=0, keepdim=True)
    return rows.median(dim=0, keepdim=True).values if name == "median" else rows
