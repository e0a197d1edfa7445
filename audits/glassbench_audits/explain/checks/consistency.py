"""Self-tests that ask whether other seeds and other methods say the same."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Table
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.agreement import (
    NEAR,
    first_shared,
    leading,
    order_agreement,
    overlap,
    reseeded,
    rounding,
)
from glassbench_audits.attribution.method import MethodName
from glassbench_audits.explain.checks.examined import Examined, skipped, spread, undefined
from glassbench_audits.explain.checks.reliability import Check, Outcome, graded, margin

SAME, DIFFERENT = 0.9, 0.7
ALIKE, UNLIKE = 0.6, 0.3
"""Agreement of the least alike method: from here on methods agree, from there down a reader would call it disagreement."""
FIRST, OTHER_FIRST = 0.5, 0.25
"""Share of rows in which the least alike method names the same input first: likewise."""
_OTHER_BASELINE: tuple[MethodName, ...] = ("input-x-gradient",)
"""Methods whose baseline is another than the one stated: shown, not judged by."""

_SEEDS = "the same order under another seed?"
_METHODS = "do other methods, from the same baseline, order inputs alike?"


def seeds_check(examined: Examined) -> Check:
    """Test that other seeds order the inputs alike; inputs apart by less than rounding are not ordered at all."""
    names = ("explain.seed_agreement", "explain.seed_overlap")
    reason = examined.unranked()
    if not examined.explainer.method.random:
        reason = f"{examined.explainer.method.name} draws nothing at random"
    if reason:
        return skipped("seeds", _SEEDS, reason, *(undefined(name, reason, higher_is_better=True) for name in names))
    held, others, k = (
        examined.attributions,
        reseeded(examined.explainer, examined.rows),
        leading(len(examined.explainer.feature_groups)),
    )
    agreed = np.mean([order_agreement(held, one) for one in others], axis=0)
    if not np.isfinite(agreed).any():
        reason = "no two inputs differ by more than rounding"
        return skipped("seeds", _SEEDS, reason, *(undefined(name, reason, higher_is_better=True) for name in names))
    measure = examined.defined(names[0], agreed, higher_is_better=True)
    shared = examined.mean(names[1], np.mean([overlap(held, one, k, rounding(held)) for one in others], axis=0))
    result = f"agreement of orders {spread(measure)} (at least {SAME}); {in_percent(shared.value)} of the first {k} shared"
    value = measure.value or 0.0
    return Check(
        name="seeds",
        outcome=graded(value, SAME, DIFFERENT),
        result=result,
        meaning=_SEEDS,
        measure=measure,
        margin=margin(value, SAME, DIFFERENT),
        more=(shared,),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Beside:
    """Another method beside the one under test.

    Args:
        order: Agreement of orders.
        first: Share of rows in which both name the same input first.
        top: Share of the first few inputs in common.
    """

    order: Measure
    first: Measure
    top: Measure

    @property
    def outcome(self) -> Outcome:
        """What a reader would call it."""
        order, first = self.order.value or 0.0, self.first.value or 0.0
        if order >= ALIKE and first >= FIRST:
            return "passed"
        return "failed" if order < UNLIKE or first < OTHER_FIRST else "weak"

    @property
    def margin(self) -> float:
        """How far the worse of the two figures lies on the passing side."""
        return min(margin(self.order.value or 0.0, ALIKE, UNLIKE), margin(self.first.value or 0.0, FIRST, OTHER_FIRST))


def methods_check(examined: Examined, others: Mapping[MethodName, np.ndarray]) -> Check:
    """Test that every other method asked against the same baseline orders the inputs alike; the least alike decides.

    Args:
        examined: What is tested.
        others: Attributions of the same rows by other methods.
    """
    names = ("explain.method_agreement", "explain.method_overlap")
    reason = examined.unranked()
    found = {} if reason else others
    beside = {name: one for name, values in found.items() if (one := _beside(examined, values)) is not None}
    judged = {name: one for name, one in beside.items() if name not in _OTHER_BASELINE}
    if not judged:
        said = reason or "no other method with the same baseline fits this model"
        return skipped("methods", _METHODS, said, *(undefined(name, said, higher_is_better=True) for name in names))
    order: tuple[Outcome, ...] = ("failed", "weak", "passed")
    least = min(judged, key=lambda name: (order.index(judged[name].outcome), judged[name].order.value))
    one = judged[least]
    return Check(
        name="methods",
        outcome=one.outcome,
        result=f"agreement of orders {spread(one.order)} (at least {ALIKE}) and the same first input in "
        f"{in_percent(one.first.value)} of "
        f"rows (at least {in_percent(FIRST)}) with {least}, the least alike of {len(judged)}",
        meaning=_METHODS,
        measure=one.order,
        margin=one.margin,
        more=(one.first,),
        tables=() if examined.subject.schema.layout.pixels else (_table(examined, beside),),
    )


def _beside(examined: Examined, values: np.ndarray) -> _Beside | None:
    """Return how another method's attributions `(n, units)` compare; None where nothing is ordered."""
    held, signed = examined.attributions, not examined.explainer.method.images
    agreed = order_agreement(held, values, signed=signed)
    if not np.isfinite(agreed).any():
        return None
    return _Beside(
        order=examined.defined("explain.method_agreement", agreed, higher_is_better=True),
        first=examined.mean("explain.method_overlap", first_shared(held, values)),
        top=examined.mean("explain.method_overlap", overlap(held, values, leading(len(examined.explainer.feature_groups)))),
    )


def _table(examined: Examined, beside: Mapping[MethodName, _Beside]) -> Table:
    """Return how other methods order; images have a table of their own, with the methods that look at images alone."""
    k = leading(len(examined.explainer.feature_groups))
    rows = tuple(
        (
            f"{method} (baseline zero)" if method in _OTHER_BASELINE else method,
            one.order.value,
            one.order.low,
            one.order.high,
            one.first.value,
            one.top.value,
        )
        for method, one in sorted(beside.items(), key=lambda pair: -(pair[1].order.value or 0.0))
    )
    percent = in_percent(examined.level)
    return Table(
        title="Other methods beside it",
        columns=(
            "method",
            "agreement of orders",
            f"{percent} low",
            f"{percent} high",
            "same first input",
            f"of the first {k} shared",
        ),
        rows=rows,
        note=f"With {examined.explainer.method.name}, row by row over {len(examined.rows)} rows, same baseline. Pairs "
        "of inputs count by how far apart they are: 1 is the same order, 0 none in common, -1 the reverse. Two inputs within "
        f"{in_percent(1 - NEAR)} of each other may both be first.",
    )
