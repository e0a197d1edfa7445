"""What concepts do, as measures, findings and a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassbench.evidence import AuditResult, Chart, Finding, Measure, Method, Table
from glassbench.stats.intervals import holm, p_words, wilson


@dataclass(frozen=True, eq=False, kw_only=True)
class Tested:
    """A concept and one output.

    Args:
        concept: Its name.
        spoken: The class, or the value, that the output speaks of.
        rows: Training rows that hold it.
        slopes: How each held-out row's output changes one standard deviation along the concept `(m,)`.
        random: What 95 % of random concepts stay below, in size of the mean slope.
        p: Chance of a mean slope as large for a random concept.
    """

    concept: str
    spoken: str
    rows: int
    slopes: np.ndarray
    random: float
    p: float

    @property
    def strength(self) -> float:
        """The mean slope."""
        return float(self.slopes.mean())

    @property
    def half(self) -> float:
        """The standard error of the mean slope."""
        return float(self.slopes.std(ddof=1) / np.sqrt(len(self.slopes)))


def corrected(tested: Sequence[Tested]) -> tuple[Tested, ...]:
    """Return the same with p-values corrected by Holm's method."""
    fixed = holm(np.array([one.p for one in tested]))
    return tuple(replace(one, p=float(p)) for one, p in zip(tested, fixed, strict=True))


def result(tested: Sequence[Tested], *, small: tuple[str, ...], level: float, alarm: float, method: Method) -> AuditResult:
    """Return the evidence on all concepts."""
    return AuditResult(
        measures=tuple(measure for one in tested for measure in _measures(one, level)),
        findings=tuple(_finding(one, alarm) for one in sorted(tested, key=lambda one: one.p)),
        tables=(_table(tested, small, level),),
        charts=(_chart(tested),),
        method=method,
    )


def _measures(one: Tested, level: float) -> tuple[Measure, ...]:
    low, high = wilson(np.array(float((one.slopes > 0).sum())), np.array(float(len(one.slopes))), level)
    whom = {"concept": one.concept, "output": one.spoken}
    by = ("concept", "output")
    return (
        Measure(
            name="concepts.share",
            value=float((one.slopes > 0).mean()),
            low=float(low),
            high=float(high),
            level=level,
            n=len(one.slopes),
            by=by,
            group=whom,
        ),
        Measure(name="concepts.strength", value=one.strength, n=len(one.slopes), by=by, group=whom),
        Measure(name="concepts.p_value", value=one.p, n=len(one.slopes), by=by, group=whom, higher_is_better=True),
    )


def _finding(one: Tested, alarm: float) -> Finding:
    size = f"{one.strength:+.3g} a standard deviation, random concepts stay below {one.random:.3g}, p {p_words(one.p)} corrected"
    names = ("concepts.strength", "concepts.p_value")
    if one.p > alarm:
        text = f"It is not shown that the concept '{one.concept}' moves '{one.spoken}' more than random concepts do ({size})."
        return Finding(sentence=text, verdict="insufficient evidence", measures=names, weight=0.2)
    text = f"The concept '{one.concept}' {'raises' if one.strength > 0 else 'lowers'} '{one.spoken}' ({size})."
    return Finding(sentence=text, verdict="pass", measures=names, weight=0.55)


def _table(tested: Sequence[Tested], small: tuple[str, ...], level: float) -> Table:
    rows = tuple(
        (one.concept, one.spoken, one.rows, float((one.slopes > 0).mean()), one.strength, one.random, one.p, len(one.slopes))
        for one in tested
    )
    left = f" Too few rows hold or lack {', '.join(small)}." if small else ""
    return Table(
        title="What concepts do inside the network",
        columns=(
            "concept",
            "output",
            "training rows",
            "raises it in",
            "mean change",
            "random concepts below",
            "p, corrected",
            "rows",
        ),
        rows=rows,
        note=f"Change one standard deviation along the concept, beside what 95 % of random concepts stay below.{left}",
    )


def _chart(tested: Sequence[Tested]) -> Chart:
    rows = tuple(
        {
            "y": f"{one.concept}: {one.spoken}",
            "x": one.strength,
            "low": one.strength - 1.96 * one.half,
            "high": one.strength + 1.96 * one.half,
            "size": f"p {p_words(one.p)}",
        }
        for one in tested
    )
    return Chart(
        kind="intervals",
        title="What concepts do inside the network",
        message="Right of 0 a concept raises the output, left it lowers it; the p-value compares with random concepts.",
        rows=rows,
        x_title="change of the output, one standard deviation along the concept",
        y_title="concept",
        reference=(0.0, "no effect"),
    )
