"""The self-test that asks whether an explanation speaks of what the network has learnt."""

import math

from glassbench.contracts.estimator import differentiable
from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart
from glassbench_audits.explain.checks.examined import SECTION, Examined, skipped, undefined
from glassbench_audits.explain.checks.randomization import Stage, cascade, signed
from glassbench_audits.explain.checks.reliability import Check, graded, margin

CHANGED, UNCHANGED = 0.5, 0.8
"""Rank correlations: a quarter, and two thirds, of the ranking's variance."""

_KEPT = " (where the output still says what was learnt)"
_RANDOMIZATION = "does it change when layers are initialised anew?"


def randomization_check(examined: Examined) -> Check:
    """Test that an explanation of what was learnt does not survive the loss of what was learnt, whichever layers lose it.

    Where attributions have signs, those of random networks cancel out at every depth, and the depth at which most survives
    decides, of those at which the output itself has lost what was learnt. Where they have none, the lower layers legitimately
    shape the map, and all layers together decide.
    """
    name, stages = "explain.randomization_correlation", _stages(examined)
    if isinstance(stages, str):
        return skipped("randomization", _RANDOMIZATION, stages, undefined(name, stages, higher_is_better=False))
    asked = [stage for stage in stages[:-1] if stage.forgotten] if signed(examined.explainer) else []
    judged = [stage for stage in (*asked, stages[-1]) if math.isfinite(stage.mean)]
    worst, count = max(judged, key=lambda stage: stage.mean), stages[-1].depth
    low, high = worst.interval(examined.level)
    course = ", ".join(f"{stage.mean:.2f} with {stage.depth}{'' if stage.forgotten else _KEPT}" for stage in stages)
    return Check(
        name="randomization",
        outcome=graded(worst.mean, CHANGED, UNCHANGED),
        margin=margin(worst.mean, CHANGED, UNCHANGED),
        result=f"rank correlation {course} of {count} layers initialised anew, over {len(worst.correlations)} networks each "
        f"(at most {CHANGED}{' at every depth' if signed(examined.explainer) else ' with all'})",
        meaning=_RANDOMIZATION,
        measure=Measure(
            name=name,
            value=worst.mean,
            low=low,
            high=high,
            level=examined.level,
            n=len(worst.correlations),
            higher_is_better=False,
        ),
        charts=(_chart(examined, stages, count),) if count > 1 else (),
    )


def _stages(examined: Examined) -> tuple[Stage, ...] | str:
    """Return the stages, or why there are none."""
    if reason := examined.unranked():
        return reason
    if not differentiable(examined.explainer.explained.model):
        return "the model has no weights"
    generator = examined.subject.generator("explain.randomization")
    stages = cascade(examined.explainer, examined.rows, examined.attributions, generator)
    if not stages:
        return "the model has no weights that its output depends on"
    return stages if math.isfinite(stages[-1].mean) else "the attributions do not vary"


def _chart(examined: Examined, stages: tuple[Stage, ...], count: int) -> Chart:
    rows: list[dict[str, float | None]] = [{"x": 0, "y": 1.0, "low": 1.0, "high": 1.0}]
    for stage in stages:
        if math.isfinite(stage.mean):
            low, high = stage.interval(examined.level)
            rows.append({"x": stage.depth, "y": stage.mean, "low": low, "high": high})
    return Chart(
        kind="lines",
        title="Randomization: what is left of the explanation",
        message=f"All {count} layers lose what they learnt, the last first; an explanation of the model falls to about 0.",
        rows=tuple(rows),
        x_title="layers initialised anew",
        y_title="rank correlation with the explanation",
        section=SECTION,
    )
