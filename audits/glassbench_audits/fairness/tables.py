"""Tables: the gaps first, then sizes, what the rates mean and every number."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from glassbench.contracts.exhibits import Table
from glassbench.contracts.measure_words import measure_words
from glassbench.contracts.schema import MISSING
from glassbench.stats.grade import GRAVITY
from glassbench.stats.percent import in_percent
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.gaps import Gap
from glassbench_audits.fairness.comparison.grading import FOUR_FIFTHS, Judgement
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical
from glassbench_audits.fairness.frames.rates import RATES, GroupMetric
from glassbench_audits.fairness.frames.sizes import sizeable
from glassbench_audits.fairness.frames.stacked_frame import pooled_rates

_SAME = frozenset({"selection_rate", "true_positive_rate"})
"""Gaps that demographic parity and equal opportunity already show."""

Cell = str | float | int | bool | None


def sizes_table(frame: GroupFrame, small: int | None) -> Table:
    """Return the rows and denominators of each group, small ones marked."""
    large = sizeable(frame.evidence, small)
    counted = {metric.of: k for k, metric in reversed(list(enumerate(frame.metrics))) if metric.of != "rows"}
    columns = sorted(counted.values())
    rows: list[tuple[Cell, ...]] = []
    for g, group in enumerate(frame.groups):
        lacking = list(dict.fromkeys(metric.words for k, metric in enumerate(frame.metrics) if not large[k, g]))
        note = "yes" if not lacking else "too small to tell" if len(lacking) == len(frame.metrics) else _but(lacking)
        rows.append((group.label, int(frame.rows[g]), *(int(frame.n[k, g]) for k in columns), note))
    return Table(
        title=f"Sizes by {' and '.join(frame.by)}",
        columns=(
            "group",
            frame.cluster_word if frame.counts_clusters(0) else "rows",
            *(frame.metrics[k].of for k in columns),
            "large enough",
        ),
        rows=tuple(rows),
        note=_missing_note(frame),
    )


def numbers_table(frame: GroupFrame, level: float) -> Table:
    """Return every number of every group with its interval, the overall number first."""
    whole, whole_n = frame.overall(critical(level))
    labels = [group.label for group in frame.groups]
    every = zip(*(part.tolist() for part in (*frame.limits(critical(level)), _pooled(frame), frame.n)), strict=True)
    rows: list[tuple[Cell, ...]] = []
    for k, (metric, numbers) in enumerate(zip(frame.metrics, every, strict=True)):
        name = metric.words if metric.klass is None else f"{metric.words} of “{metric.klass}”"
        rows.append((name, "all rows", *(_cell(float(part[k])) for part in whole), None, int(whole_n[k]), None))
        rows += [
            (name, label, _cell(value), _cell(low), _cell(high), _cell(drawn), int(n), _why(value, metric))
            for label, value, low, high, drawn, n in zip(labels, *numbers, strict=True)
        ]
    columns, lines = _with_effective(frame, ("what", "group", "value", "low", "high", "partly pooled", "n"), rows)
    return Table(
        title=f"Numbers by {' and '.join(frame.by)}",
        columns=(*columns, "undefined because"),
        rows=lines,
        note=(
            f"Low and high are the ends of the {in_percent(level)} interval; n is what the number rests on. “Partly "
            "pooled” draws a rate "
            "towards that of all groups, the more the fewer rows it rests on: what it most likely is, given the others."
            f"{_units_note(frame)}"
        ),
    )


def _with_effective(
    frame: GroupFrame, columns: tuple[str, ...], rows: list[tuple[Cell, ...]]
) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Return a table's columns up to n and its rows, of a survey with how many rows of equal weight each number rests on."""
    if frame.effective is None:
        return columns, tuple(rows)
    worth: list[int | None] = [cell for line in frame.evidence for cell in (None, *(round(float(n)) for n in line))]
    lines = tuple((*row[:-1], each, row[-1]) for row, each in zip(rows, worth, strict=True))
    return (*columns, "effective n"), lines


def _pooled(frame: GroupFrame) -> np.ndarray:
    """Return partly pooled rates `(metrics, groups)`, NaN for numbers that are not counted."""
    found = np.full(frame.value.shape, np.nan)
    counted = pooled_rates(frame)
    if counted is not None:
        found[: len(counted)] = counted
    return found


def gaps_table(frame: GroupFrame, compared: Sequence[Comparison], judged: Sequence[Judgement]) -> Table:
    """Return the gaps between groups, the gravest first, with what chance alone would show and the verdicts."""
    grades = {(j.name, j.comparison.which): j for j in judged}
    rows: list[tuple[Cell, ...]] = []
    for c in (c for c in compared if c.name.partition("[")[0] not in _SAME):
        for name, label, gap, whole in (
            (c.name, "difference", c.large_difference, c.difference),
            (FOUR_FIFTHS if c.name == "demographic_parity" else "", "ratio", c.large_ratio, c.ratio),
        ):
            if gap is None or whole is None:
                continue
            j = grades.get((name, c.which))
            rows.append(
                (
                    measure_words(c.name),
                    label,
                    *_gap_cells(gap),
                    _between(frame, gap),
                    j.p if j else None,
                    str(j.grade) if j else None,
                )
            )
    rows.sort(key=lambda row: -GRAVITY.get(row[-1], 0))  # type: ignore[call-overload]
    return Table(
        title=f"Gaps by {' and '.join(frame.by)}",
        columns=(
            "criterion",
            "gap",
            "value",
            "low",
            "high",
            "between",
            "p, corrected",
            "grade",
        ),
        rows=tuple(rows),
        note=_undefined_note(compared),
    )


def definitions_table(metrics: Sequence[GroupMetric], positive: str) -> Iterator[Table]:
    """Yield what each rate, or number of values, asks, when it matters and what it cannot tell; nothing where none is shown."""
    named = {metric.name for metric in metrics}
    klass = positive if all(metric.klass is None for metric in metrics) else "the class"
    rows = tuple(
        (r.words, *(said.replace("{class}", klass) for said in (r.asks, r.matters, r.silent))) for r in RATES if r.name in named
    )
    rows = rows or tuple((metric.words.partition(" (")[0], *_VALUES[metric.name]) for metric in metrics if metric.name in _VALUES)
    if rows:
        yield Table(
            title="What each rate means",
            columns=("rate", "what it asks", "when it matters", "what it cannot tell"),
            rows=rows,
        )


_VALUES = {
    "mean_prediction": (
        "What is predicted on average?",
        "When higher predictions bring a good or a burden.",
        "Whether the groups differ in fact.",
    ),
    "mean_signed_error": (
        "Are predictions too high or too low on average?",
        "When a group must not be over- or underestimated.",
        "How far single predictions miss: errors cancel.",
    ),
    "mean_absolute_error": (
        "How far are predictions from the truth?",
        "When each miss does harm, either way.",
        "The direction of the misses.",
    ),
    "r2": (
        "How much of the truth's variance within the group is explained?",
        "When ranking within a group matters.",
        "A group of similar members has a low R² even with small errors.",
    ),
}
"""What numbers of values ask, when they matter and what they cannot tell."""


def _but(lacking: Sequence[str]) -> str:
    return "not for " + ", ".join(lacking)


def _missing_note(frame: GroupFrame) -> str | None:
    absent = [i for i, g in enumerate(frame.groups) if MISSING in g.values]
    if not absent:
        return None
    return f"{int(frame.rows[absent].sum())} rows have no value of a sensitive feature; they are a group of their own."


def _units_note(frame: GroupFrame) -> str:
    counting = [metric.words for k, metric in enumerate(frame.metrics) if frame.counts_clusters(k)]
    return f" Of {', '.join(counting)} n counts {frame.cluster_word}, which hang together." if counting else ""


def _undefined_note(compared: Sequence[Comparison]) -> str | None:
    reasons = dict.fromkeys(
        f"{c.name.replace('_', ' ')}: {gap.undefined}"
        for c in compared
        for gap in (c.large_difference, c.large_ratio)
        if gap is not None and gap.undefined
    )
    return f"Undefined: {'; '.join(reasons)}." if reasons else None


def _gap_cells(gap: Gap) -> tuple[Cell, ...]:
    return tuple(None if x is None else _cell(x) for x in (gap.value, gap.low, gap.high))


def _between(frame: GroupFrame, gap: Gap) -> str | None:
    if gap.where is None:
        return None
    if gap.where.top == gap.where.bottom:
        return "all alike"
    klass = frame.metrics[gap.where.metric].klass
    ends = f"{frame.groups[gap.where.top].label} and {frame.groups[gap.where.bottom].label}"
    return ends if klass is None else f"{ends}, on “{klass}”"


def _cell(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _why(value: float, metric: GroupMetric) -> str | None:
    return None if math.isfinite(value) else f"no {metric.of}"
