"""Self-tests that ask whether an explanation speaks of what the model has learnt."""

import numpy as np

from glassbench.estimator import differentiable
from glassbench.evidence import Chart, Measure
from glassbench.stats.intervals import p_words
from glassbench_audits.explain.examined import SECTION, Examined, skipped, undefined
from glassbench_audits.explain.learnt import learnt_p_value
from glassbench_audits.explain.randomization import Stage, cascade, layers_of
from glassbench_audits.explain.stamp import Check, graded

CHANGED, UNCHANGED = 0.5, 0.8
LEARNT, UNLEARNT = 0.01, 0.05

_RANDOMIZATION = "does the explanation change when the network's weights are shuffled?"
_SIGNAL = "has the model learnt anything at all about the truth?"


def randomization_check(examined: Examined) -> Check:
    """Test that an explanation of what was learnt does not survive shuffled weights."""
    name = "explain.randomization_correlation"
    model = examined.explainer.explained.model
    weightless = None if differentiable(model) and layers_of(model) else "the model has no weights"
    stages: tuple[Stage, ...] = ()
    reason = examined.unranked() or weightless
    if not reason:
        generator = examined.subject.generator("explain.randomization")
        stages = cascade(examined.explainer, examined.rows, examined.attributions, generator)
        reason = None if np.isfinite(stages[-1].mean) else "the attributions do not vary"
    if reason:
        return skipped("randomization", _RANDOMIZATION, reason, undefined(name, reason, higher_is_better=False))
    final, count = stages[-1], len(layers_of(model))
    measure = examined.defined(name, final.correlations, higher_is_better=False)
    course = ", ".join(f"{stage.mean:.2f} with {stage.depth}" for stage in stages)
    return Check(
        name="randomization",
        outcome=graded(final.mean, CHANGED, UNCHANGED),
        result=f"rank correlation {course} of {count} layers shuffled (at most {CHANGED} with all)",
        meaning=_RANDOMIZATION,
        measure=measure,
        charts=(_chart(examined, stages, count),) if count > 1 else (),
    )


def _chart(examined: Examined, stages: tuple[Stage, ...], count: int) -> Chart:
    rows: list[dict[str, float | None]] = [{"x": 0, "y": 1.0, "low": 1.0, "high": 1.0}]
    for stage in stages:
        if np.isfinite(stage.mean):
            mean = examined.defined("explain.curves", stage.correlations, higher_is_better=False)
            rows.append({"x": stage.depth, "y": mean.value, "low": mean.low, "high": mean.high})
    return Chart(
        kind="lines",
        title="Randomization: what is left of the explanation",
        message=f"All {count} layers lose what they learnt, the last first; an explanation of the model must fall to about 0.",
        rows=tuple(rows),
        x_title="layers shuffled",
        y_title="rank correlation with the explanation",
        section=SECTION,
    )


def signal_check(examined: Examined) -> Check:
    """Test that the model's scores have to do with the truth; else its explanation explains noise."""
    name, subject = "explain.signal_p_value", examined.subject
    p = learnt_p_value(subject.predictions, subject.task.decision, subject.generator("explain.signal"))
    if p is None:
        reason = "there is no truth to compare with"
        return skipped("signal", _SIGNAL, reason, undefined(name, reason, higher_is_better=False))
    return Check(
        name="signal",
        outcome=graded(p, LEARNT, UNLEARNT),
        result=f"p {p_words(p)} of chance alone (at most {LEARNT})",
        meaning=_SIGNAL,
        measure=Measure(name=name, value=p, n=len(subject.predictions.frame), higher_is_better=False),
    )
