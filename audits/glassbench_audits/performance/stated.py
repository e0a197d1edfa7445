"""What the scores behind decisions are worth: whether they rank the right way round, and whether to believe them."""

from collections.abc import Iterator, Sequence

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.contracts.predictions.class_codes import class_codes
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import row_frequency
from glassbench_audits.performance.baseline import Baseline
from glassbench_audits.performance.comparison import figure
from glassbench_audits.performance.scores import Score


def stated_findings(subject: Subject, scores: Sequence[Score], reference: Baseline | None) -> Iterator[Finding]:
    """Yield that scores rank the wrong way round, or that stated probabilities are worse than none, where either is sure.

    Args:
        subject: What is examined.
        scores: The task's metrics, the first that of the decisions.
        reference: The baseline, which states the share of each class for every row.
    """
    named = {score.metric.name: score for score in scores}
    area, loss = named.get("roc_auc"), named.get("log_loss")
    if area is not None and area.model.high is not None and area.model.high < 0.5:
        yield _reversed(subject, area)
    if loss is not None and reference is not None and reference.source != "nothing" and _misleading(scores[0], loss):
        yield _worse_than_none(subject, loss)


def clipped(subject: Subject) -> int:
    """Return how many rows have a probability of exactly 0 or 1 for their true class: the log loss moves it off by a float."""
    frame = subject.predictions.frame
    held, scores = row_frequency(frame), subject.predictions.scores
    places = class_codes(frame["y_true"], list(scores.columns))
    given = scores.to_numpy(dtype=float)[np.arange(len(frame)), places]
    sure = ((given <= 0) | (given >= 1)) & (places >= 0)
    return int(sure.sum() if held is None else held[sure].sum())


def _reversed(subject: Subject, area: Score) -> Finding:
    classes = subject.schema.target.classes
    whose = f"The score of “{classes[-1]}” ranks" if len(classes) == 2 else "The scores rank"
    asked = "is it the score of the other class?" if len(classes) == 2 else "are they those of other classes?"
    sentence = (
        f"{whose} the wrong way round: ROC AUC {figure(area.model)} (n {area.n:,}), below 0.5 with its whole interval; {asked}"
    )
    step = "Check which class the scores are of."
    return Finding(sentence=sentence, grade="concern", measures=("performance.roc_auc",), weight=0.95, next_step=step)


def _misleading(decisions: Score, loss: Score) -> bool:
    """Whether decisions beat the baseline while the probabilities behind them surely lose to it."""
    better = decisions.gain is not None and (decisions.gain.value or 0) > 0
    return better and loss.gain is not None and loss.gain.high is not None and loss.gain.high < 0


def _worse_than_none(subject: Subject, loss: Score) -> Finding:
    assert loss.baseline is not None
    assert loss.baseline.value is not None
    unit = f" {loss.metric.unit}" if loss.metric.unit else ""
    sentence = (
        f"The decisions are better than the baseline's, but the stated probabilities are worse than stating the base rate for "
        f"all: log loss {figure(loss.model)}{unit} against {loss.baseline.value:.3g} (n {loss.n:,})."
    )
    if number := clipped(subject):
        sentence += (
            f" {number} rows state exactly 0 or 1 for the true class; the log loss clips these just short of it, where a wrong "
            f"one still costs {-np.log(np.finfo(float).eps):.0f} nats."
        )
    names = tuple(f"performance.log_loss{suffix}" for suffix in ("", "_baseline", "_gain"))
    step = "Calibrate the probabilities again, or use the decisions only."
    return Finding(sentence=sentence, grade="concern", measures=names, weight=0.85, next_step=step)
