"""The baseline: the simplest predictions that need no model."""

from dataclasses import dataclass

import pandas as pd

from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Task
from glassbench.rows.survey_weights import training_target


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The held-out rows as decided without looking at them.

    Args:
        frame: Predictions of the baseline, same rows and columns as the model's.
        words: What it does, to be read after "better than".
        source: Where it was learnt; "nothing" where nothing was.
        constant: Whether it answers the same for every row, with the same scores.
        metrics: Names of the metrics that it has a number for; None for all.
    """

    frame: pd.DataFrame
    words: str
    source: str
    constant: bool = False
    metrics: tuple[str, ...] | None = None


def baseline(subject: Subject) -> Baseline | None:
    """Return the task's own baseline, else what the kind of prediction does (the commonest class, the mean value).

    It is learnt from the training split where that is known, else from the held-out truth, which flatters the baseline.
    """
    own = subject.task.baseline_predictions(subject.predictions) if isinstance(subject.task, Task) else None
    if own is not None:
        return Baseline(frame=own[0], words=own[1], source="nothing")
    learnt = training_target(subject.train, subject.kind.truth_axes)
    found = subject.kind.baseline(subject.predictions.frame, subject.schema, learnt)
    if found is None:
        return None
    source = "nothing" if not found.learnt else "held-out rows" if learnt is None else "training rows"
    return Baseline(frame=found.frame, words=found.words, source=source, constant=found.constant, metrics=found.metrics)
