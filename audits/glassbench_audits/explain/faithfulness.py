"""Self-tests that ask whether an explanation is true to the model."""

import numpy as np

from glassbench.evidence import Chart, Measure
from glassbench_audits.explain.attribution import completeness_error
from glassbench_audits.explain.deletion import curves
from glassbench_audits.explain.examined import SECTION, Examined, skipped, spread, undefined
from glassbench_audits.explain.infidelity import infidelity
from glassbench_audits.explain.stamp import Check, Outcome, graded, margin, worst

COMPLETE, INCOMPLETE = 0.05, 0.2

TOLD, UNTOLD = 0.4, 0.6
"""Share of the output's squared changes that contributions may leave untold: to pass, they tell three fifths of them."""

_COMPLETENESS = "do the contributions add up to the change they explain?"
_INFIDELITY = "do the contributions foretell what happens when several inputs are taken out together?"
_DELETION = "does the model react more to losing what is called important than to losing inputs named at random?"
_INSERTION = "does what is called important restore the output sooner than inputs named at random?"


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
        result=f"off by {error:.2%} of the typical change in the worst 5 % of rows (at most {COMPLETE:.0%})",
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


def removal_checks(examined: Examined) -> tuple[Check, Check]:
    """Test deletion and insertion: taking away, or giving first, what is called important moves the output more than chance."""
    reason, found = examined.irremovable(), None
    if not reason:
        generator = examined.subject.generator("explain.deletion")
        found = curves(examined.explainer, examined.rows, examined.attributions, generator)
        reason = None if np.isfinite(found.deletion).all() else "the output is the same at the baseline"
    if reason or found is None:
        return _unremoved("deletion", _DELETION, reason or ""), _unremoved("insertion", _INSERTION, reason or "")
    whole, nothing = found.ends
    taken = {"named important first": found.deletion, "named at random": found.random}
    given = {"named important first": found.insertion, "named at random": found.random_insertion}
    losing = {name: np.hstack([whole, values, nothing]) for name, values in taken.items()}
    gaining = {name: np.hstack([nothing, values, whole]) for name, values in given.items()}
    share = np.concatenate([[0], found.share, [1]])
    return (
        _removed(
            examined, "deletion", _DELETION, found.deletion, found.deletion_advantage, _deletion_chart(examined, share, losing)
        ),
        _removed(
            examined,
            "insertion",
            _INSERTION,
            found.insertion,
            found.insertion_advantage,
            _insertion_chart(examined, share, gaining),
        ),
    )


def _unremoved(test: str, meaning: str, reason: str) -> Check:
    advantage = undefined(f"explain.{test}_advantage", reason, higher_is_better=True)
    area = undefined(f"explain.{test}_area", reason, higher_is_better=test == "insertion")
    return skipped(test, meaning, reason, advantage, area)


def _removed(examined: Examined, test: str, meaning: str, curve: np.ndarray, advantage: np.ndarray, chart: Chart) -> Check:
    """Judge by the area's advantage over random rankings; the area itself stands beside it."""
    measure = examined.mean(f"explain.{test}_advantage", advantage)
    area = examined.mean(f"explain.{test}_area", curve.mean(axis=1), higher_is_better=test == "insertion")
    return Check(
        name=test,
        outcome=_ahead(float(measure.low or 0), float(measure.high or 0)),
        result=f"area {spread(area)}, {spread(measure)} of the typical change ahead of random rankings (above 0)",
        meaning=meaning,
        measure=measure,
        more=(area,),
        charts=(chart,),
    )


def _ahead(low: float, high: float) -> Outcome:
    """Return the outcome of an advantage over chance: passed when it is surely there, failed when it surely is not."""
    return "passed" if low > 0 else "weak" if high > 0 else "failed"


def _unsized(examined: Examined) -> str | None:
    method = examined.explainer.method
    return f"{method.name} says where, not by how much" if method.images and method.name != "occlusion" else None


def _deletion_chart(examined: Examined, share: np.ndarray, lines: dict[str, np.ndarray]) -> Chart:
    return _chart(
        examined,
        share,
        lines,
        title="Deletion: the output while inputs are taken out",
        message="The faster it falls, the better the explanation knows what matters; 1 is the typical change, 0 the baseline.",
        x_title="share of the inputs taken out",
    )


def _insertion_chart(examined: Examined, share: np.ndarray, lines: dict[str, np.ndarray]) -> Chart:
    return _chart(
        examined,
        share,
        lines,
        title="Insertion: the output while inputs are put in",
        message="The faster it rises, the better the explanation knows what matters; 1 is the typical change, 0 the baseline.",
        x_title="share of the inputs put in",
    )


def _chart(
    examined: Examined, share: np.ndarray, lines: dict[str, np.ndarray], *, title: str, message: str, x_title: str
) -> Chart:
    rows = []
    for color, values in lines.items():
        for place, x in enumerate(share):
            low, high = examined.interval("explain.curves", values[:, place])
            rows.append({"x": float(x), "y": float(values[:, place].mean()), "low": low, "high": high, "color": color})
    y_title = "output, in typical changes"
    return Chart(kind="lines", title=title, message=message, rows=tuple(rows), x_title=x_title, y_title=y_title, section=SECTION)
