"""Small pictures of findings that compare groups: the groups that a finding names, the gap between them, and all rows."""

from collections.abc import Iterator, Sequence

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.measure_words import SMALL_LEFT_OUT, is_gap, measure_words
from glassbench.report.numbers import measured, trimmed
from glassbench.report.strips import MOST_STRIPS, Glance, measure_line, measure_strip
from glassbench.stats.percent import percent_interval

_SMALL = f" {SMALL_LEFT_OUT}"


def group_glance(finding: Finding, measures: Sequence[Measure], *, percent: bool = False) -> Glance | None:
    """Return the groups that a finding names with the gap between them; None where it names no group that has a number.

    Other groups fill the picture up to `MOST_STRIPS`. All rows are marked where their number lies among those of the groups: a
    sum over a group's rows cannot be held against one over all rows.

    Args:
        finding: The finding.
        measures: Those of its audit.
        percent: Whether its numbers are shares, to be written in per cent.
    """
    known = [m for m in measures if m.name in finding.measures and m.value is not None]
    groups = [m for m in known if m.by == finding.by and m.group is not None]
    named = [m for m in groups if m.group in finding.between]
    if not named:
        return None
    shown = _in_order(groups, [*named, *(m for m in groups if m not in named)][:MOST_STRIPS])
    every = [m for m in measures if m.name == named[0].name and m.by is None and m.group is None and _among(m, groups)]
    line = measure_line([*shown, *every])
    mark = (line.at(every[0].value or 0.0), f"all rows {_short(every[0], percent)}") if every else None
    title = f"{measure_words(named[0].name)} by {' and '.join(finding.by or ())}"
    gap = next((m for m in known if m.by == finding.by and m.group is None and m.name == finding.measures[0]), None)
    return Glance(
        title[:1].upper() + title[1:],
        tuple(measure_strip(line, m, " & ".join((m.group or {}).values()), percent=percent) for m in shown),
        mark=mark,
        notes=tuple(_notes(gap, named[0].name, len(shown), len(groups), percent)),
    )


def _in_order(groups: Sequence[Measure], chosen: Sequence[Measure]) -> list[Measure]:
    return [m for m in groups if m in chosen]


def _among(whole: Measure, groups: Sequence[Measure]) -> bool:
    values = [m.value for m in groups if m.value is not None]
    return whole.value is not None and min(values) <= whole.value <= max(values)


def _notes(gap: Measure | None, rate: str, shown: int, total: int, percent: bool) -> Iterator[str]:
    if gap is not None:
        points = percent and gap.value is not None and is_gap(gap.name)
        figure = percent_interval(gap.value or 0.0, gap.low, gap.high, "points") if points else measured(gap)
        yield f"{_gap_words(gap.name, rate)} {figure}"
    if shown < total:
        yield f"{shown} of {total} groups shown"


def _gap_words(gap: str, rate: str) -> str:
    """Return a gap's name without the number that its picture names already: "Difference", "Four fifths"."""
    words, spoken = (measure_words(name).partition(" (")[0] for name in (gap, rate))
    small = _SMALL in words
    words = words.replace(_SMALL, "").removeprefix(spoken).strip()
    return words[:1].upper() + words[1:] + (" (small groups left out)" if small else "")


def _short(whole: Measure, percent: bool) -> str:
    if percent:
        return percent_interval(whole.value or 0.0, None, None)
    return trimmed(whole.value) + (f"\u00a0{whole.unit}" if whole.unit else "")
