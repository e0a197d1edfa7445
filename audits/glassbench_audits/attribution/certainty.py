"""What stands for a probability of exactly 0 where log-odds are explained: a model without gradients states no finer ones."""

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.estimator import FLOOR, differentiable
from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.explained import Explained, Rows, rows_of

MOST = 0.1
"""The floor at most, in even shares of all classes: that of a model which states nothing but 0 and 1."""

_ROWS = 2000
_ZERO = 1.001 * FLOOR


def certainty_floor(subject: Subject, explained: Explained) -> float | None:
    """Return the probability that stands for 0 in the log-odds of a model without gradients, None where it states no 0.

    A forest in which no tree votes for a class, or a tree's pure leaf, states a probability of exactly 0. That is no certainty,
    but less than the least the model can state otherwise. As with measurements below a limit of detection, half the smallest
    probability above 0 takes its place (Hornung and Reed 1990), here that on held-out rows: from the last vote to none, the
    log-odds move by log 2, not by more than all other votes together. It is at least 1e-6, and at most a tenth of an even share
    (.05 of two classes).

    Args:
        subject: Gives held-out rows.
        explained: The model.
    """
    if differentiable(explained.model) or not explained.softmax:
        return None
    rows = rows_of(subject, subject.sample(_ROWS, "explain.floor"))
    real = _probabilities(explained, rows)
    if real.shape[-1] < 2:
        return None
    shuffled = _probabilities(explained, rows.at(_shuffled(rows.inputs, subject.generator("explain.floor.shuffled"))))
    if min(float(real.min()), float(shuffled.min())) > _ZERO:
        return None
    return min(max(float(real[real > _ZERO].min()) / 2, FLOOR), MOST / real.shape[-1])


def _probabilities(explained: Explained, rows: Rows) -> Tensor:
    with torch.no_grad():
        parts = [explained(*(t[chunk] for t in (rows.inputs, *rows.others))) for chunk in rows.chunks(explained.pass_rows)]
    return torch.cat(parts).double().softmax(dim=-1)


def _shuffled(inputs: Tensor, generator: np.random.Generator) -> Tensor:
    """Return rows whose elements are each those of another row, as methods ask that put rows together from parts."""
    flat = inputs.flatten(1)
    order = torch.as_tensor(np.argsort(generator.random(tuple(flat.shape)), axis=0))
    return flat.gather(0, order).reshape(inputs.shape)
