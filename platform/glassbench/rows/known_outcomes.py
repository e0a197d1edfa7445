"""Rows whose outcome is known, for audits that cannot use the others."""

from dataclasses import replace

import numpy as np

from glassbench.contracts.subject import Subject


def with_known_outcomes(subject: Subject) -> Subject:
    """Return a subject of the rows whose truth is known; the same one where all are or nothing is.

    Rows without an outcome have been decided, and count towards selection rates; nobody can say whether their decision is right.
    Where no row has a truth the column is dropped.
    """
    predictions = subject.predictions
    frame = predictions.frame
    known = frame["y_true"].notna().to_numpy() if "y_true" in frame else np.ones(len(frame), dtype=bool)
    if known.all():
        return subject
    if not known.any():
        return replace(subject, predictions=replace(predictions, frame=frame.drop(columns="y_true")))
    return replace(subject, predictions=predictions.take(np.flatnonzero(known)))
