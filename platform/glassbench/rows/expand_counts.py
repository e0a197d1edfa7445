"""Expand frequency counts: each counted row stands for itself again, for audits of single rows."""

from dataclasses import replace

import numpy as np

from glassbench.contracts.subject import Subject

MOST = 1_000_000
"""Rows beyond which counts stay counts."""


def expand_counts(subject: Subject) -> Subject:
    """Return a subject in which each row stands for itself; the same one where it does already, or there would be too many.

    Nothing is guessed: equal rows are equal, and each is there as often as it was counted.
    """
    predictions = subject.predictions
    counts = predictions.frequency
    if counts is None or counts.sum() > MOST:
        return subject
    index = np.repeat(np.arange(len(counts)), counts)
    source = None if predictions.source is None else replace(predictions.source.take(index), frequency=None)
    frame = predictions.frame.drop(columns="frequency").iloc[index].reset_index(drop=True)
    target_index = None if predictions.target_index is None else predictions.target_index[index]
    return replace(subject, predictions=replace(predictions, frame=frame, source=source, target_index=target_index))
