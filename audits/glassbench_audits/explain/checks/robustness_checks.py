"""Self-tests that ask whether an explanation stays the same under changes that should not matter."""

import numpy as np

from glassbench.stats.percent import in_percent
from glassbench_audits.explain.checks.examined import Examined, skipped, spread, undefined
from glassbench_audits.explain.checks.reliability import Check, graded, margin
from glassbench_audits.explain.checks.stability import RADIUS, largest_moves, perturbed, stability, testable

STABLE, UNSTABLE = 0.9, 0.7
CALM, NERVOUS = 0.5, 1.0

_STABILITY = "does it keep its direction under tiny changes?"
_SENSITIVITY = "how far do tiny changes move it?"


def stability_checks(examined: Examined) -> tuple[Check, Check]:
    """Test that tiny changes leave the explanation as it is: on average its direction, at worst its size."""
    direction, largest = "explain.stability", "explain.max_sensitivity"
    if not testable(examined.explainer, examined.rows):
        reason = "no input can change by a little"
        return (
            skipped("stability", _STABILITY, reason, undefined(direction, reason, higher_is_better=True)),
            skipped("sensitivity", _SENSITIVITY, reason, undefined(largest, reason, higher_is_better=False)),
        )
    after = perturbed(examined.explainer, examined.rows, examined.subject.generator("explain.stability"))
    return _stability(examined, direction, after), _sensitivity(examined, largest, after)


def _stability(examined: Examined, name: str, after: np.ndarray) -> Check:
    measure = examined.mean(name, stability(examined.attributions, after))
    result = f"cosine {spread(measure)} after changes of at most {in_percent(RADIUS)} of a standard deviation (at least {STABLE})"
    outcome = graded(measure.value or 0.0, STABLE, UNSTABLE)
    passing = margin(measure.value or 0.0, STABLE, UNSTABLE)
    return Check(name="stability", outcome=outcome, result=result, meaning=_STABILITY, measure=measure, margin=passing)


def _sensitivity(examined: Examined, name: str, after: np.ndarray) -> Check:
    """Judge by the mean length of attributions, so that rows of which hardly anything is explained do not blow it up."""
    moves, lengths = largest_moves(examined.attributions, after), np.linalg.norm(examined.attributions, axis=1)
    if not lengths.any():
        reason = "nothing is attributed"
        return skipped("sensitivity", _SENSITIVITY, reason, undefined(name, reason, higher_is_better=False))
    measure = examined.ratio(name, moves, lengths, higher_is_better=False)
    result = f"at most {spread(measure)} of its typical length over {len(after)} draws (at most {CALM})"
    outcome = graded(float(measure.value or 0.0), CALM, NERVOUS)
    passing = margin(float(measure.value or 0.0), CALM, NERVOUS)
    return Check(name="sensitivity", outcome=outcome, result=result, meaning=_SENSITIVITY, measure=measure, margin=passing)
