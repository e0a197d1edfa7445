"""The baseline: the simplest predictions that need no model."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.subject import Subject
from glassbench.task import Task


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The held-out rows as decided without looking at them.

    Args:
        frame: Predictions of the baseline, same rows and columns as the model's.
        words: What it does, to be read after "better than".
        source: Where it was learnt; "nothing" where nothing was.
        one_class: Whether it decides every row to be of one class, with the same scores.
    """

    frame: pd.DataFrame
    words: str
    source: str
    one_class: bool = False


def baseline(subject: Subject) -> Baseline | None:
    """Return the task's own baseline, else the majority class or the mean value; None where a decision is neither.

    It is learnt from the training split where that is known, else from the held-out truth, which flatters the baseline.
    """
    own = subject.task.baseline_predictions(subject.predictions) if isinstance(subject.task, Task) else None
    if own is not None:
        return Baseline(frame=own[0], words=own[1], source="nothing")
    if subject.task.decision == "class":
        return _majority(subject)
    return _mean(subject) if subject.task.decision == "value" else None


def _majority(subject: Subject) -> Baseline:
    frame, classes = subject.predictions.frame, np.array(subject.schema.target.classes)
    target, source = _training_target(subject)
    truth = frame["truth"].to_numpy() if target is None else classes[target.astype(int)]
    counts = subject.predictions.counts if target is None else None
    held = pd.Series(np.ones(len(truth)) if counts is None else counts.astype(float))
    shares = (held / held.sum()).groupby(pd.Series(truth).astype(str).to_numpy()).sum()
    majority = str(shares.idxmax())
    kind = frame["decision"].dtype
    scores = {c: float(shares.get(c.removeprefix("score."), 0.0)) for c in map(str, frame.columns) if c.startswith("score.")}
    decision = pd.Series([majority]).astype(kind).array.take(np.zeros(len(frame), dtype=np.int64))
    decided = frame.assign(decision=pd.Series(decision, index=frame.index), **scores)
    return Baseline(frame=decided, words=f"always answering “{majority}”", source=source, one_class=True)


def _mean(subject: Subject) -> Baseline:
    frame = subject.predictions.frame
    target, source = _training_target(subject)
    value = float(np.mean(np.asarray(frame["truth"] if target is None else target, dtype=np.float64)))
    columns = [c for c in ("decision", "score") if c in frame]
    unit = subject.schema.target.unit
    words = f"always answering the mean, {value:.4g}{f' {unit}' if unit else ''}"
    return Baseline(frame=frame.assign(**dict.fromkeys(columns, value)), words=words, source=source)


def _training_target(subject: Subject) -> tuple[np.ndarray | None, str]:
    if subject.train is None or subject.train.target is None or subject.train.target.ndim != 1:
        return None, "held-out rows"
    return subject.train.target.numpy(), "training rows"
