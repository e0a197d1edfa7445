"""Self-tests that ask whether an explanation is true to the model."""

from collections.abc import Mapping

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.explainer import COMPLETE, completeness_error
from glassbench_audits.attribution.method import MethodName
from glassbench_audits.explain.checks.deletion import Curves, curves
from glassbench_audits.explain.checks.examined import Examined, skipped, spread, undefined
from glassbench_audits.explain.checks.infidelity import infidelity
from glassbench_audits.explain.checks.reliability import Check, Outcome, graded, margin, worst
from glassbench_audits.explain.checks.removal_charts import deletion_chart, insertion_chart

INCOMPLETE = 0.2

TOLD, UNTOLD = 0.4, 0.6
"""Share of the output's squared changes that contributions may leave untold: to pass, they tell three fifths of them."""

REACHED, MISSED = 0.8, 0.5
"""Share of the best order's advantage over random orders that an explanation's order must reach."""

NOTICED = 0.05
"""Advantage, in typical changes, below which no order makes a difference worth judging."""

_COMPLETENESS = "do contributions add up to the change?"
_INFIDELITY = "do they foretell what taking out several inputs does?"
_DELETION = "does losing what is called important move the output most?"
_INSERTION = "does what is called important restore the output first?"


def completeness_check(examined: Examined) -> Check:
    """Test that contributions add up to the output minus the output at the baseline."""
    name = "explain.completeness_error"
    if not examined.explainer.method.sums:
        reason = f"{examined.explainer.method.name} does not share out a sum"
        return skipped("completeness", _COMPLETENESS, reason, undefined(name, reason, higher_is_better=False))
    error = completeness_error(examined.explainer, examined.rows, examined.attributions)
    if not np.isfinite(error):
        measure = undefined(name, "attributions without any change to explain, or not finite", higher_is_better=False)
        return Check(name="completeness", outcome="failed", result="not finite", meaning=_COMPLETENESS, measure=measure)
    return Check(
        name="completeness",
        outcome=graded(error, COMPLETE, INCOMPLETE),
        result=f"off by {in_percent(error, 2)} of the typical change in the worst 5 % of rows (at most {in_percent(COMPLETE)})",
        meaning=_COMPLETENESS,
        measure=Measure(name=name, value=error, n=len(examined.rows), higher_is_better=False),
        margin=margin(error, COMPLETE, INCOMPLETE),
    )


def infidelity_check(examined: Examined) -> Check:
    """Test that contributions foretell most of the output's fall, and more of it than the same contributions in random places."""
    name = "explain.infidelity"
    reason = examined.irremovable() or _unsized(examined)
    if reason:
        return skipped("infidelity", _INFIDELITY, reason, undefined(name, reason, higher_is_better=False))
    found = infidelity(
        examined.explainer, examined.rows, examined.attributions, examined.subject.generator("explain.infidelity.sets")
    )
    if not found.total.sum() > 0:
        reason = "the output does not change when inputs are taken out"
        return skipped("infidelity", _INFIDELITY, reason, undefined(name, reason, higher_is_better=False))
    measure = examined.ratio(name, found.left, found.total, higher_is_better=False)
    ahead = _ahead(*examined.interval(name, found.chance - found.left, found.total))
    chance = found.chance.sum() / found.total.sum()
    left = float(measure.value or 0.0)
    return Check(
        name="infidelity",
        outcome=worst([graded(left, TOLD, UNTOLD), ahead]),
        result=f"{spread(measure)} of the output's changes left untold (at most {TOLD}; {chance:.2f} with contributions in "
        "random places)",
        meaning=_INFIDELITY,
        measure=measure,
        margin=margin(left, TOLD, UNTOLD),
    )


def removal_checks(examined: Examined, others: Mapping[MethodName, np.ndarray]) -> tuple[Check, Check]:
    """Test deletion and insertion: taking away, or giving first, what is called important moves the output.

    It must move it more than chance, and nearly as much as the best order known: that of the explanation, or of any other method
    asked against the same baseline. Among the others is what happens when each input alone is taken out.

    Args:
        examined: What is tested.
        others: Attributions of the same rows by other methods.
    """
    reason, found = examined.irremovable(), None
    if not reason:
        generator = examined.subject.generator("explain.deletion")
        found = curves(examined.explainer, examined.rows, examined.attributions, generator, others=others.values())
        reason = None if np.isfinite(found.deletion).all() else "the output is the same at the baseline"
    if reason or found is None:
        return _unremoved("deletion", _DELETION, reason or ""), _unremoved("insertion", _INSERTION, reason or "")
    return _deleted(examined, found), _inserted(examined, found)


def _deleted(examined: Examined, found: Curves) -> Check:
    whole, nothing = found.ends
    taken = {"named important first": found.deletion, "named at random": found.random}
    lines = {name: np.hstack([whole, values, nothing]) for name, values in taken.items()}
    advantage = examined.mean("explain.deletion_advantage", found.deletion_advantage)
    area = examined.mean("explain.deletion_area", found.deletion.mean(axis=1), higher_is_better=False)
    chart = deletion_chart(examined, found.share, lines)
    return _removed("deletion", _DELETION, advantage, area, found.best_deletion, chart)


def _inserted(examined: Examined, found: Curves) -> Check:
    whole, nothing = found.ends
    given = {"named important first": found.insertion, "named at random": found.random_insertion}
    lines = {name: np.hstack([nothing, values, whole]) for name, values in given.items()}
    advantage = examined.mean("explain.insertion_advantage", found.insertion_advantage)
    area = examined.mean("explain.insertion_area", found.insertion.mean(axis=1), higher_is_better=True)
    chart = insertion_chart(examined, found.share, lines)
    return _removed("insertion", _INSERTION, advantage, area, found.best_insertion, chart)


def _unremoved(test: str, meaning: str, reason: str) -> Check:
    advantage, share = (undefined(f"explain.{test}_{name}", reason, higher_is_better=True) for name in ("advantage", "share"))
    area = undefined(f"explain.{test}_area", reason, higher_is_better=test == "insertion")
    return skipped(test, meaning, reason, advantage, area, share)


def _removed(test: str, meaning: str, advantage: Measure, area: Measure, best: float, chart: Chart) -> Check:
    """Judge by the area's advantage over random rankings, in shares of that of the best order known."""
    name, figures = (
        f"explain.{test}_share",
        f"area {spread(area)}, {spread(advantage)} of the typical change ahead of random rankings",
    )
    if not best >= NOTICED:
        reason = f"no order known is {in_percent(NOTICED)} of the typical change ahead of random ones"
        share = undefined(name, reason, higher_is_better=True)
        return skipped(test, meaning, f"{reason}; {figures}", advantage, area, share)
    reached = float(advantage.value or 0.0) / best
    return Check(
        name=test,
        outcome=worst([graded(reached, REACHED, MISSED), _ahead(float(advantage.low or 0), float(advantage.high or 0))]),
        result=f"{figures} (above 0): {in_percent(reached)} of what the best order known is (at least {in_percent(REACHED)})",
        meaning=meaning,
        measure=advantage,
        margin=margin(reached, REACHED, MISSED),
        more=(area, Measure(name=name, value=reached, n=advantage.n, higher_is_better=True)),
        charts=(chart,),
    )


def _ahead(low: float, high: float) -> Outcome:
    """Return the outcome of an advantage over chance: passed when it is surely there, failed when it surely is not."""
    return "passed" if low > 0 else "weak" if high > 0 else "failed"


def _unsized(examined: Examined) -> str | None:
    method = examined.explainer.method
    return f"{method.name} says where, not by how much" if method.images and method.name != "occlusion" else None
