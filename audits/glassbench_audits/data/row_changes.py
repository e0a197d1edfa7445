"""What to do with the rows that the data audit finds fault with: copies are dropped, doubted training labels changed."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from glassbench.contracts.data import Split
from glassbench.contracts.readable import readable_rows
from glassbench.contracts.row_change import RowChange
from glassbench.contracts.subject import Subject
from glassbench_audits.data.doubtful_labels import Contradictions, Questioned, Suspects
from glassbench_audits.data.duplicates import duplicates, fingerprints
from glassbench_audits.data.labelled_rows import by_cross_validation
from glassbench_audits.data.labels import NAMES
from glassbench_audits.data.near_duplicates import near_duplicates

MOST_LABELS = 50_000
"""Rows of a split whose labels are questioned, more than an audit looks at: every row that is doubted has a line."""


def row_changes(subject: Subject, settings: Mapping[str, Any]) -> Iterator[RowChange]:
    """Yield what to do with single rows, whatever the findings come to.

    Held-out rows that copy a training row are dropped and keep their label; training rows that repeat an earlier one are dropped.
    Training labels that confident learning doubts are changed to the class that a model which has not learnt from them predicts;
    held-out labels that are doubted, and training rows with a twin of another label, are listed and stay.

    Args:
        subject: What was examined.
        settings: The audit's settings.
    """
    train, held = subject.train, subject.predictions.source
    if train is None or held is None or not len(held):
        return
    if all(isinstance(split.inputs, tuple) or len(split) <= settings["on_disk"] for split in (train, held)):
        yield from _copies(train, held, subject)
        yield from _near_copies(train, held, subject)
    if subject.schema.target.kind == "class":
        with threadpool_limits(1, "openmp"):
            questioned = by_cross_validation(subject, max(settings["rows"], MOST_LABELS))
        yield from _labels(questioned, subject.schema.target.classes)


def _copies(train: Split, held: Split, subject: Subject) -> Iterator[RowChange]:
    found = duplicates(train, held)
    learnt, judged = (pd.Series(fingerprints(split), dtype=object) for split in (train, held))
    twins = pd.Series(train.rows.astype(str), index=learnt).groupby(level=0).first()
    for place in np.flatnonzero(found.held):
        reason = f"equals training row {twins[judged[place]]}"
        yield RowChange(split="test", row=str(held.rows[place]), action="drop", measure="data.leakage", reason=reason)
    for place in np.flatnonzero(found.train):
        reason = f"repeats training row {twins[learnt[place]]}"
        yield RowChange(split="training", row=str(train.rows[place]), action="drop", measure="data.duplicates", reason=reason)
    classes = subject.schema.target.classes
    for place in np.flatnonzero(found.conflicting) if found.conflicting is not None and train.target is not None else ():
        yield RowChange(
            split="training",
            row=str(train.rows[place]),
            action="keep",
            measure="data.conflicts",
            reason="a training row of equal inputs has another label",
            label=classes[int(train.target[int(place)])] if train.target is not None and classes else None,
        )


def _near_copies(train: Split, held: Split, subject: Subject) -> Iterator[RowChange]:
    known, seen = readable_rows(train, subject.schema), readable_rows(held, subject.schema)
    near = near_duplicates(train, held, known, seen, subject.schema, subject.generator("data.near_copies")).near
    for one, other in zip(near.held, near.train, strict=True) if near is not None else ():
        reason = f"nearly equals training row {train.rows[other]}"
        yield RowChange(split="test", row=str(held.rows[one]), action="drop", measure="data.near_copies", reason=reason)


def _labels(questioned: Mapping[str, Questioned], classes: tuple[str, ...]) -> Iterator[RowChange]:
    if not questioned:
        return
    overall = Contradictions.of(list(questioned.values()))
    for name, one in questioned.items():
        if one.unable is None:
            yield from _suspected(name, one, overall.suspects(one), classes)


def _suspected(name: str, questioned: Questioned, suspects: Suspects, classes: tuple[str, ...]) -> Iterator[RowChange]:
    learnt = name == "training"
    for place, chance in zip(suspects.positions, suspects.wrong, strict=True):
        stated = questioned.stated[place]
        yield RowChange(
            split="training" if learnt else "test",
            row=str(questioned.rows[place]),
            action="relabel" if learnt else "keep",
            measure=f"data.{NAMES[name]}",
            reason=f"a model that did not learn from it gives its label a probability of {stated[questioned.labels[place]]:.2f}",
            label=classes[int(questioned.labels[place])],
            new_label=classes[int(stated.argmax())],
            chance_wrong=round(float(chance), 3),
        )
