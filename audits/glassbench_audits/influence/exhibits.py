"""The tables and the chart of influential training rows; they name rows by id and show none of their values."""

import numpy as np
import pandas as pd

from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.cases import choose_cases
from glassbench_audits.influence.last_layer import Traces

EACH = 2
NAMED = 5


def suspects(subject: Subject, positions: np.ndarray, shares: np.ndarray) -> Table:
    """Return the training rows that stand most against the others."""
    labels = _labels(subject, positions)
    assert subject.train is not None
    rows = tuple(
        (str(subject.train.rows[position]), label, float(share))
        for position, label, share in zip(positions, labels, shares, strict=True)
    )
    return Table(
        title="Training rows that stand most against the others",
        columns=("row", "label", "share of all self-influence"),
        rows=rows,
        note="Wrong labels are found here first, and rare cases that are right; look before you delete.",
    )


def behind_decisions(subject: Subject, positions: np.ndarray, train: Traces, held: Traces, shown: int) -> tuple[Table, ...]:
    """Return the training rows that argue most for and against the truth of single held-out rows."""
    chosen = choose_cases(subject, EACH)
    if not chosen:
        return ()
    influences = train.influence(held.take(np.array([case.position for case in chosen])))
    frame, rows = subject.predictions.frame, []
    for column, case in zip(influences.T, chosen, strict=True):
        record, order = frame.iloc[case.position], np.argsort(-column, kind="stable")
        rows.append(
            (
                case.title,
                str(record["row"]),
                str(record["y_pred"]),
                str(record["y_true"]),
                _named(subject, positions, order[column[order] > 0][:NAMED]),
                _named(subject, positions, order[::-1][column[order[::-1]] < 0][:NAMED]),
            )
        )
    return (
        Table(
            title="Training rows behind single decisions",
            columns=("decision", "row", "predicted", "truth", "training rows for the truth", "against it"),
            rows=tuple(rows[:shown]),
            note="By id, with their labels. Learning from the first lowered this row's loss most, from the second it raised it.",
        ),
    )


def charts(own: np.ndarray) -> tuple[Chart, ...]:
    """Return how self-influence piles up on few rows."""
    if not own.sum() > 0:
        return ()
    running = np.sort(own)[::-1].cumsum() / own.sum()
    places = np.unique(np.linspace(0, len(own) - 1, 100).round().astype(int))
    rows = tuple({"x": float((place + 1) / len(own)), "y": float(running[place])} for place in places)
    return (
        Chart(
            kind="lines",
            title="How much of all self-influence few rows carry",
            message="The steeper at the start, the fewer rows the model had to learn by heart against the others.",
            rows=rows,
            x_title="share of the training rows, those with most first",
            y_title="share of all self-influence",
        ),
    )


def _named(subject: Subject, positions: np.ndarray, index: np.ndarray) -> str:
    assert subject.train is not None
    labels = _labels(subject, positions[index])
    return ", ".join(
        f"{subject.train.rows[position]} ({label})" for position, label in zip(positions[index], labels, strict=True)
    )


def _labels(subject: Subject, positions: np.ndarray) -> list[str]:
    assert subject.train is not None
    assert subject.train.target is not None
    truth, classes = subject.train.target[positions], subject.schema.target.classes
    if truth.ndim == 2:
        made = subject.task.predict(subject.model, subject.train.take(positions)).frame["y_true"]
        return ["partly unknown" if value is None else subject.kind.said(value, subject.schema) for value in made]
    if classes:
        return [classes[int(place)] for place in truth]
    return [f"{value:.4g}" for value in pd.Series(truth.numpy(), dtype=float)]
