"""What concepts do, as measures, findings and a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.intervals import wilson
from glassbench.stats.p_values import p_words

SMALL = 0.2
"""Standard deviations up to which an effect is called small (Cohen 1988). A trained network leans a little on every input, so a
concept is a mover where the lower end of its size lies above this."""

_NAMES = ("concepts.strength", "concepts.p_value")


@dataclass(frozen=True, eq=False, kw_only=True)
class Tested:
    """A concept and one output.

    Args:
        concept: Its name.
        spoken: The class, or the value, that the output speaks of.
        rows: Training rows that hold it.
        slopes: How each held-out row's output changes from rows without to rows with the concept `(m,)`.
        size: The mean slope, in standard deviations of what the layer does to the output.
        least: The lower end of its size, corrected for all concepts.
        random: Size that 95 % of random sets of rows stay below.
        p: Chance of a size as large for random sets of rows, corrected.
        behind: Another concept that it goes with and that has most of its effect, or None.
    """

    concept: str
    spoken: str
    rows: int
    slopes: np.ndarray
    size: float
    least: float
    random: float
    p: float
    behind: str | None = None

    @property
    def strength(self) -> float:
        """The mean slope."""
        return float(self.slopes.mean())

    @property
    def half(self) -> float:
        """The standard error of the mean slope."""
        return float(self.slopes.std(ddof=1) / np.sqrt(len(self.slopes)))


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
    size = (
        f"{one.strength:+.3g}, {one.size:+.2f} standard deviations, lower end {one.least:.2f}; random sets of rows stay below "
        f"{one.random:.2f}, p {p_words(one.p)} corrected"
    )
    unclear = _unclear(one, alarm)
    if unclear:
        return Finding(sentence=f"{unclear} ({size}).", grade="unclear", measures=_NAMES, weight=0.2)
    text = f"The concept '{one.concept}' {'raises' if one.strength > 0 else 'lowers'} '{one.spoken}' ({size})."
    return Finding(sentence=text, grade="ok", measures=_NAMES, weight=0.55)


def _unclear(one: Tested, alarm: float) -> str | None:
    """Return why nothing is said of a concept, or None."""
    if one.p > alarm:
        return f"It is not shown that the concept '{one.concept}' moves '{one.spoken}' more than random sets of rows do"
    if one.least <= SMALL:
        return f"It is not shown that the concept '{one.concept}' moves '{one.spoken}' by more than {SMALL} standard deviations"
    if one.behind:
        return (
            f"It can't be told whether the concept '{one.concept}' itself moves '{one.spoken}': it goes with '{one.behind}', "
            "which moves it further and has most of its effect"
        )
    return None


def _table(tested: Sequence[Tested], small: tuple[str, ...], level: float) -> Table:
    rows = tuple(
        (
            one.concept,
            one.spoken,
            one.rows,
            float((one.slopes > 0).mean()),
            one.strength,
            one.size,
            one.least,
            one.random,
            one.p,
            one.behind or "",
            len(one.slopes),
        )
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
            "in standard deviations",
            "lower end",
            "random sets below",
            "p, corrected",
            "goes with",
            "rows",
        ),
        rows=rows,
        note="Change of the output from rows without to rows with the concept, also in standard deviations of what the layer "
        "does to the output, with its lower end once corrected for all concepts; beside the size that 95 % of "
        f"random sets of rows stay below.{left}",
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
        message="Right of 0 a concept raises the output, left it lowers it; the p-value compares with random sets of rows.",
        rows=rows,
        x_title="change of the output from rows without to rows with the concept",
        y_title="concept",
        reference=(0.0, "no effect"),
    )
