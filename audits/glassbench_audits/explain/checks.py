"""The self-tests of an explanation, each with its threshold."""

from dataclasses import dataclass

import numpy as np
import torch

from glassbench.estimator import differentiable
from glassbench.evidence import Measure
from glassbench.intervals import bootstrap
from glassbench.subject import Subject
from glassbench_audits.explain.attribution import Explainer, completeness_error
from glassbench_audits.explain.deletion import deletable, deletion_advantage
from glassbench_audits.explain.explained import HEAVY_PASS, Rows
from glassbench_audits.explain.learnt import learnt_p_value
from glassbench_audits.explain.randomization import cascade, layers_of
from glassbench_audits.explain.stability import stability, testable
from glassbench_audits.explain.stamp import Check, Outcome, graded

COMPLETE, INCOMPLETE = 0.05, 0.2
STABLE, UNSTABLE = 0.9, 0.7
CHANGED, UNCHANGED = 0.5, 0.8
LEARNT, UNLEARNT = 0.01, 0.05
FEWEST_UNITS = 3
"""Below this many units, rankings say nothing."""

_MEANINGS = {
    "completeness": "do the contributions add up to the change they explain?",
    "deletion": "does the model react more to what is called important than to inputs named at random?",
    "stability": "does the explanation stay when the inputs change by next to nothing?",
    "randomization": "does the explanation change when the network's weights are shuffled?",
    "signal": "has the model learnt anything at all about the truth?",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Examined:
    """What the self-tests work on.

    Args:
        subject: The subject.
        explainer: The explainer under test.
        rows: The rows that were explained.
        attributions: Their attributions per unit `(n, units)`.
        replicates: Resamples behind intervals.
        level: Confidence level.
    """

    subject: Subject
    explainer: Explainer
    rows: Rows
    attributions: np.ndarray
    replicates: int
    level: float

    def few(self) -> tuple[Rows, np.ndarray]:
        """Return some rows, evenly spread, for the tests that explain them again, and their attributions afresh.

        Explained anew, because what a method gives a row may depend on the rows beside it.
        """
        affordable = 64 if self.explainer.explained.pass_rows > HEAVY_PASS else 16
        limit = min(affordable, max(6, self.explainer.method.rows // 4))
        index = np.unique(np.linspace(0, len(self.rows) - 1, min(limit, len(self.rows))).astype(int))
        few = self.rows.take(torch.as_tensor(index))
        return few, self.explainer.per_unit(few)


def run_checks(examined: Examined) -> tuple[Check, ...]:
    """Return every self-test, in the order of `docs`: completeness, deletion, stability, randomization, signal."""
    rows, attributions = examined.few()
    return (
        completeness_check(examined),
        deletion_check(examined, rows, attributions),
        stability_check(examined, rows, attributions),
        randomization_check(examined, rows, attributions),
        signal_check(examined),
    )


def completeness_check(examined: Examined) -> Check:
    """Test that contributions add up to the output minus the output at the baseline."""
    name = "explain.completeness_error"
    if not examined.explainer.method.sums:
        reason = f"{examined.explainer.method.name} does not share out a sum"
        return _not_applicable("completeness", name, reason, higher_is_better=False)
    error = completeness_error(examined.explainer, examined.rows, examined.attributions)
    if not np.isfinite(error):
        measure = _undefined(name, "attributions without any change to explain, or not finite", higher_is_better=False)
        return _check("completeness", "failed", "not finite", measure)
    measure = Measure(name=name, value=error, n=len(examined.rows), higher_is_better=False)
    result = f"off by {error:.2%} of the typical change in the worst 5 % of rows (at most {COMPLETE:.0%})"
    return _check("completeness", graded(error, COMPLETE, INCOMPLETE), result, measure)


def deletion_check(examined: Examined, rows: Rows, attributions: np.ndarray) -> Check:
    """Test that deleting what is called important moves the output more than deleting at random."""
    name = "explain.deletion_advantage"
    if reason := _no_ranking(examined, deletes=True):
        return _not_applicable("deletion", name, reason, higher_is_better=True)
    generator = examined.subject.generator("explain.deletion")
    advantage = deletion_advantage(examined.explainer, rows, attributions, generator)
    if not np.isfinite(advantage).all():
        return _not_applicable("deletion", name, "the output is the same at the baseline", higher_is_better=True)
    measure = _mean_measure(examined, name, advantage)
    low, high = float(measure.low or 0), float(measure.high or 0)
    outcome: Outcome = "passed" if low > 0 else "weak" if high > 0 else "failed"
    result = f"{_spread(measure)} of the typical change ahead of random rankings (above 0)"
    return _check("deletion", outcome, result, measure)


def stability_check(examined: Examined, rows: Rows, attributions: np.ndarray) -> Check:
    """Test that tiny noise leaves the explanation as it is."""
    name = "explain.stability"
    if not testable(examined.explainer, rows):
        return _not_applicable("stability", name, "no input can change by a little", higher_is_better=True)
    generator = examined.subject.generator("explain.stability")
    measure = _mean_measure(examined, name, stability(examined.explainer, rows, attributions, generator))
    assert measure.value is not None
    result = f"cosine {_spread(measure)} after noise of 2 % of a standard deviation (at least {STABLE})"
    return _check("stability", graded(measure.value, STABLE, UNSTABLE), result, measure)


def randomization_check(examined: Examined, rows: Rows, attributions: np.ndarray) -> Check:
    """Test that an explanation of what was learnt does not survive shuffled weights."""
    name = "explain.randomization_correlation"
    model = examined.explainer.explained.model
    reason = _no_ranking(examined) or _no_weights(examined)
    if reason or not differentiable(model):
        return _not_applicable("randomization", name, reason or "the model has no weights", higher_is_better=False)
    generator = examined.subject.generator("explain.randomization")
    stages = cascade(examined.explainer, rows, attributions, generator)
    final = stages[-1][1]
    if not np.isfinite(final):
        return _not_applicable("randomization", name, "the attributions do not vary", higher_is_better=False)
    measure = Measure(name=name, value=final, n=len(rows), higher_is_better=False)
    course = ", ".join(f"{value:.2f} with {depth}" for depth, value in stages)
    result = f"rank correlation {course} of {stages[-1][0]} layers shuffled (at most {CHANGED} with all)"
    return _check("randomization", graded(final, CHANGED, UNCHANGED), result, measure)


def signal_check(examined: Examined) -> Check:
    """Test that the model's scores have to do with the truth; else its explanation explains noise."""
    name, subject = "explain.signal_p_value", examined.subject
    p = learnt_p_value(subject.predictions, subject.task.decision, subject.generator("explain.signal"))
    if p is None:
        return _not_applicable("signal", name, "there is no truth to compare with", higher_is_better=False)
    measure = Measure(name=name, value=p, n=len(subject.predictions.frame), higher_is_better=False)
    return _check("signal", graded(p, LEARNT, UNLEARNT), f"p = {p:.3f} of chance alone (at most {LEARNT})", measure)


def _no_ranking(examined: Examined, *, deletes: bool = False) -> str | None:
    if len(examined.explainer.units) < FEWEST_UNITS:
        return f"fewer than {FEWEST_UNITS} inputs cannot be ranked"
    if deletes and not deletable(examined.explainer, examined.rows):
        return "attributions speak of parts that cannot be taken out"
    return None


def _no_weights(examined: Examined) -> str | None:
    return None if layers_of(examined.explainer.explained.model) else "the model has no weights"


def _mean_measure(examined: Examined, name: str, values: np.ndarray) -> Measure:
    """Return the mean over rows with its bootstrap interval, as a measure."""
    n, generator = len(values), examined.subject.generator(name)
    low, high = bootstrap(
        lambda weights: weights @ values / n, n, generator, replicates=examined.replicates, level=examined.level
    )
    value, ends = float(values.mean()), (float(low), float(high))
    return Measure(name=name, value=value, low=ends[0], high=ends[1], level=examined.level, n=n, higher_is_better=True)


def _spread(measure: Measure) -> str:
    return f"{measure.value:.2f} [{measure.low:.2f}, {measure.high:.2f}]"


def _undefined(name: str, reason: str, *, higher_is_better: bool) -> Measure:
    return Measure(name=name, value=None, undefined=reason, higher_is_better=higher_is_better)


def _not_applicable(test: str, name: str, reason: str, *, higher_is_better: bool) -> Check:
    return _check(test, "not applicable", reason, _undefined(name, reason, higher_is_better=higher_is_better))


def _check(test: str, outcome: Outcome, result: str, measure: Measure) -> Check:
    return Check(name=test, outcome=outcome, result=result, meaning=_MEANINGS[test], measure=measure)
