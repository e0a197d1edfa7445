"""The row that stands for "nothing known": what every attribution is measured against."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.facts import TextFacts
from glassbench.contracts.schema import Schema
from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.explained import Rows, Unexplainable
from glassbench_audits.attribution.method import Method
from glassbench_audits.attribution.visited import is_policy, mean_visited

BaselineChoice = Literal["auto", "mean", "typical", "median", "zero", "training-sample", "contrast", "visited"]

_STATISTIC_ROWS = 20_000
SAMPLE = 64

_SENTENCES = {
    "mean": "the mean of the training rows (a category counts with its share)",
    "typical": "a typical training row: the median of each number, the commonest value of each category",
    "median": "the median of the training rows, column by column",
    "zero": "zero in every encoded column",
    "padding": "padding in every position",
    "visited": "the mean of the states visited in evaluation",
    "audited-mean": "the mean of the audited rows, since no training rows are known",
    "audited-typical": "a typical audited row (medians, commonest categories), since no training rows are known",
    "contrast": "states in which the policy acted otherwise (why this action and not the other?), averaged: the nearest in time "
    "of the same episode, and near ones of other episodes, since the same episode cannot tell what stays as it is throughout; "
    "for the value of a state the mean of the states visited",
    "training-sample": f"a training row, drawn from a sample of {SAMPLE}",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Baseline:
    """What rows are compared with.

    Args:
        name: The choice that was made.
        values: One baseline `(1, ...)`, or a sample `(k, ...)` to draw from. Of a contrast, what takes its place for another
            output than the decision's.
    """

    name: str
    values: Tensor

    @property
    def sentence(self) -> str:
        """The choice in words."""
        return _SENTENCES[self.name]

    def apart(self, rows: Rows) -> Iterator[Rows]:
        """Yield the rows once for each baseline they are compared with one after the other: each of their contrasts."""
        return rows.contrasted() if self.name == "contrast" else iter((rows,))

    def matched(self, rows: Rows) -> Tensor:
        """Return one baseline per row `(n, ...)`: the row's first contrast, or of a sample, rows take turns."""
        if self.name == "contrast" and rows.contrast is not None:
            return rows.contrast[:, 0]
        return self.values[torch.arange(len(rows)) % len(self.values)]


def choose_baseline(subject: Subject, inputs: Tensor, choice: BaselineChoice, method: Method) -> Baseline:
    """Return the baseline for rows like `inputs`.

    Args:
        subject: Gives the training rows.
        inputs: The rows to be explained `(n, ...)`.
        choice: What was asked for; `auto` takes the training mean of tables, of a policy the contrast, and zero (of encoded,
            mostly standardised values) elsewhere. Whole numbers, as tokens are, take padding whatever was asked for.
        method: The method that will use it: of a table, `auto` gives gradient SHAP a sample of training rows to average
            over, and methods that put inputs to the baseline one by one a typical row, since trees have never seen a
            share of a category.

    Raises:
        Unexplainable: The training rows are needed and not known.
    """
    if not inputs.is_floating_point():
        facts = subject.schema.facts_of(TextFacts) or TextFacts()
        return Baseline(name="padding", values=torch.full_like(inputs[:1], facts.padding))
    name = _automatic(subject, method) if choice == "auto" else choice
    if name in ("visited", "contrast"):
        if not is_policy(subject):
            raise Unexplainable(f"the baseline '{name}' needs the episodes of a policy")
        return Baseline(name=name, values=mean_visited(subject).to(inputs.dtype))
    if name in ("audited-mean", "audited-typical"):
        rows = _held_out(subject)
        values = _typical(rows, subject.schema) if name == "audited-typical" else _statistic(rows, "mean")
        return Baseline(name=name, values=values.to(inputs.dtype))
    if name == "zero":
        return Baseline(name=name, values=torch.zeros_like(inputs[:1]))
    if subject.train is None:
        raise Unexplainable(f"the baseline '{name}' needs the training rows, which are not known")
    rows = _training_rows(subject, name)
    values = _typical(rows, subject.schema) if name == "typical" else _statistic(rows, name)
    return Baseline(name=name, values=values.to(inputs.dtype))


def _held_out(subject: Subject) -> Tensor:
    """Return held-out rows `(k, ...)`: what there is where no training rows are known."""
    assert subject.predictions.source is not None
    positions = torch.as_tensor(subject.sample(_STATISTIC_ROWS, "explain.baseline"))
    return subject.predictions.source.batch(positions).inputs[0]


def _automatic(subject: Subject, method: Method) -> str:
    if subject.train is None and is_policy(subject):
        return "visited" if method.name == "gradient-shap" else "contrast"
    if subject.train is None and subject.schema.layout.tabular and subject.predictions.source is not None:
        return "audited-mean" if method.gradients else "audited-typical"
    if subject.train is None or not subject.schema.layout.columns:
        return "zero"
    if method.name == "gradient-shap":
        return "training-sample"
    return "mean" if method.gradients else "typical"


def _training_rows(subject: Subject, name: str) -> Tensor:
    assert subject.train is not None
    size = min(SAMPLE if name == "training-sample" else _STATISTIC_ROWS, len(subject.train))
    positions = subject.generator("explain.baseline").choice(len(subject.train), size, replace=False)
    return subject.train.batch(torch.as_tensor(np.sort(positions))).inputs[0]


def _typical(rows: Tensor, schema: Schema) -> Tensor:
    """Return the row `(1, ...)` of medians, in which each category has its commonest value."""
    values = _statistic(rows, "median").clone()
    shares = rows.double().mean(dim=0)
    for feature in schema.features:
        encoded_columns = list(feature.columns)
        if feature.categorical and len(encoded_columns) > 1:
            commonest = shares[..., encoded_columns].argmax(dim=-1)
            values[0][..., encoded_columns] = torch.nn.functional.one_hot(commonest, len(encoded_columns)).to(values)
    return values


def _statistic(rows: Tensor, name: str) -> Tensor:
    if name == "mean":
        return rows.double().mean(dim=0, keepdim=True)
    return rows.median(dim=0, keepdim=True).values if name == "median" else rows
