"""Self-tests that ask whether an explanation depends on what it should not depend on."""

from collections.abc import Mapping

import numpy as np

from glassbench.evidence import Measure, Table
from glassbench_audits.explain.agreement import by_other_methods, correlations, leading, overlap, reseeded
from glassbench_audits.explain.examined import Examined, skipped, spread, undefined
from glassbench_audits.explain.method import MethodName
from glassbench_audits.explain.stability import RADIUS, disturbed, largest_moves, stability, testable
from glassbench_audits.explain.stamp import Check, graded

STABLE, UNSTABLE = 0.9, 0.7
CALM, NERVOUS = 0.5, 1.0
SAME, DIFFERENT = 0.9, 0.7
ALIKE = 0.3
"""Rank correlation that the most alike of the other methods must reach."""

_STABILITY = "does the explanation keep its direction when the inputs change by next to nothing?"
_SENSITIVITY = "how far can the explanation move when the inputs change by next to nothing?"
_SEEDS = "does a method that draws at random say the same under another seed?"
_METHODS = "does any other method rank the inputs alike?"


def stability_checks(examined: Examined) -> tuple[Check, Check]:
    """Test that tiny changes leave the explanation as it is: on average its direction, at worst its size."""
    direction, largest = "explain.stability", "explain.max_sensitivity"
    if not testable(examined.explainer, examined.rows):
        reason = "no input can change by a little"
        return (
            skipped("stability", _STABILITY, reason, undefined(direction, reason, higher_is_better=True)),
            skipped("sensitivity", _SENSITIVITY, reason, undefined(largest, reason, higher_is_better=False)),
        )
    after = disturbed(examined.explainer, examined.rows, examined.subject.generator("explain.stability"))
    return _stability(examined, direction, after), _sensitivity(examined, largest, after)


def _stability(examined: Examined, name: str, after: np.ndarray) -> Check:
    measure = examined.mean(name, stability(examined.attributions, after))
    result = f"cosine {spread(measure)} after changes of at most {RADIUS:.0%} of a standard deviation (at least {STABLE})"
    outcome = graded(measure.value or 0.0, STABLE, UNSTABLE)
    return Check(name="stability", outcome=outcome, result=result, meaning=_STABILITY, measure=measure)


def _sensitivity(examined: Examined, name: str, after: np.ndarray) -> Check:
    """Judge by the mean length of attributions, so that rows of which hardly anything is explained do not blow it up."""
    moves, lengths = largest_moves(examined.attributions, after), np.linalg.norm(examined.attributions, axis=1)
    if not lengths.any():
        reason = "nothing is attributed"
        return skipped("sensitivity", _SENSITIVITY, reason, undefined(name, reason, higher_is_better=False))
    measure = examined.ratio(name, moves, lengths, higher_is_better=False)
    result = f"at most {spread(measure)} of its typical length over {len(after)} draws (at most {CALM})"
    outcome = graded(float(measure.value or 0.0), CALM, NERVOUS)
    return Check(name="sensitivity", outcome=outcome, result=result, meaning=_SENSITIVITY, measure=measure)


def seeds_check(examined: Examined) -> Check:
    """Test that other seeds give the same ranking."""
    names = ("explain.seed_agreement", "explain.seed_overlap")
    reason = examined.unranked()
    if not examined.explainer.method.random:
        reason = f"{examined.explainer.method.name} draws nothing at random"
    if reason:
        return skipped("seeds", _SEEDS, reason, *(undefined(name, reason, higher_is_better=True) for name in names))
    others, k = reseeded(examined.explainer, examined.rows), leading(len(examined.explainer.units))
    measure = examined.mean(names[0], np.mean([correlations(examined.attributions, one) for one in others], axis=0))
    shared = examined.mean(names[1], np.mean([overlap(examined.attributions, one, k) for one in others], axis=0))
    result = f"rank correlation {spread(measure)} (at least {SAME}); {shared.value:.0%} of the first {k} shared"
    outcome = graded(measure.value or 0.0, SAME, DIFFERENT)
    return Check(name="seeds", outcome=outcome, result=result, meaning=_SEEDS, measure=measure, more=(shared,))


def methods_check(examined: Examined) -> Check:
    """Test that at least one other method ranks the inputs alike; methods need not agree, so this can be weak, not fail."""
    names = ("explain.method_agreement", "explain.method_overlap")
    reason = examined.unranked()
    others = {} if reason else by_other_methods(examined.explainer, examined.rows)
    if not others:
        said = reason or "no other method fits this model"
        return skipped("methods", _METHODS, said, *(undefined(name, said, higher_is_better=True) for name in names))
    signed, k = not examined.explainer.method.images, leading(len(examined.explainer.units))
    pairs = {
        method: (
            examined.mean(names[0], correlations(examined.attributions, values, signed=signed)),
            examined.mean(names[1], overlap(examined.attributions, values, k)),
        )
        for method, values in others.items()
    }
    best = max(pairs, key=lambda method: pairs[method][0].value or 0.0)
    measure, shared = pairs[best]
    return Check(
        name="methods",
        outcome="passed" if (measure.value or 0.0) >= ALIKE else "weak",
        result=f"rank correlation {spread(measure)} with {best}, the most alike of {len(pairs)} (at least {ALIKE})",
        meaning=_METHODS,
        measure=measure,
        more=(shared,),
        tables=() if examined.subject.schema.modality == "image" else (_table(examined, pairs, k),),
    )


def _table(examined: Examined, pairs: Mapping[MethodName, tuple[Measure, Measure]], k: int) -> Table:
    """Return how other methods rank; images have a table of their own, with the methods that look at images alone."""
    rows = tuple(
        (method, rank.value, rank.low, rank.high, top.value)
        for method, (rank, top) in sorted(pairs.items(), key=lambda pair: -(pair[1][0].value or 0.0))
    )
    percent = f"{examined.level:.0%}"
    return Table(
        title="Other methods beside it",
        columns=("method", "rank correlation", f"{percent} low", f"{percent} high", f"of the first {k} shared"),
        rows=rows,
        note=f"With {examined.explainer.method.name}, row by row over {len(examined.rows)} rows, against the same baseline. "
        "Methods answer different questions, so they need not agree.",
    )
