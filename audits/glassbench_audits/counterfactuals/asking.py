"""What the model decides about rows that do not exist."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """What is decided of changed rows.

    Args:
        flipped: Whether the decision is another, or the one wanted `(n,)`.
        margin: By how much the score of the decision as it was leads the best other one, or the one wanted `(n,)`.
        decisions: The decisions, in words `(n,)`.
    """

    flipped: np.ndarray
    margin: np.ndarray
    decisions: np.ndarray


def ask(subject: Subject, inputs: Tensor, origins: np.ndarray, wanted: str | None) -> Answers:
    """Return what the task decides of encoded rows `(n, d)`, each a change of the held-out row at its origin `(n,)`.

    Args:
        subject: The subject.
        inputs: The changed rows.
        origins: Position of the held-out row behind each.
        wanted: The decision sought, or None for any other than the row's own.
    """
    source = subject.predictions.source
    assert source is not None
    assert subject.model is not None
    groups = subject.predictions.groups.iloc[origins].reset_index(drop=True)
    rows = Split(inputs=(inputs,), rows=np.arange(len(inputs)), groups=groups)
    found = subject.task.predict(subject.model, rows)
    decisions = found.frame["y_pred"].astype(str).to_numpy()
    own = subject.predictions.frame["y_pred"].astype(str).to_numpy()[origins]
    return Answers(
        flipped=decisions != own if wanted is None else decisions == wanted,
        margin=_margins(found.scores.to_numpy(dtype=float), list(found.scores.columns), own, wanted),
        decisions=decisions,
    )


def _margins(scores: np.ndarray, names: list[str], own: np.ndarray, wanted: str | None) -> np.ndarray:
    if not names:
        return np.zeros(len(own))
    place = {name: column for column, name in enumerate(names)}
    mine = np.array([place[name] for name in own])
    rows = np.arange(len(own))
    others = scores.copy()
    others[rows, mine] = -np.inf
    best = others.max(axis=1) if wanted is None else scores[:, place[wanted]]
    lead: np.ndarray = scores[rows, mine] - best
    return lead


def flat(subject: Subject) -> str | None:
    """Return why the rows cannot be changed input by input, or None."""
    source = subject.predictions.source
    if source is None:
        return "the inputs of the predictions are not known"
    inputs = source.batch(torch.arange(min(1, len(source)))).inputs
    if not subject.schema.layout.tabular or len(inputs) != 1 or inputs[0].ndim != 2:
        return "rows that are no table have no inputs that a person could change one by one"
    if not any(feature.columns for feature in subject.schema.features):
        return "the inputs carry no names"
    single = len(subject.class_outputs) == 1 and subject.kind.softmax
    return None if single else f"predictions of this kind ({subject.kind.name}) are not flipped; classes are"
