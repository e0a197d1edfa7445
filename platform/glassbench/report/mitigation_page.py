"""Mitigations of a run beside it: what each did to the gap, to accuracy and to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from glassbench.contracts.exhibits import Table
from glassbench.contracts.measure_words import measure_words
from glassbench.report.comparison import against, difference_row
from glassbench.report.grid import Grid, grid
from glassbench.report.numbers import DASH, interval
from glassbench.report.templating import render
from glassbench.stats.percent import in_percent

_COLUMNS = ("group", "rows", "decided otherwise", "wrong, now right", "right, now wrong", "share of right decisions gained")
_GOOD = ("now favourable", "no longer favourable")


def render_mitigation(found: Mapping[str, Any]) -> str:
    """Return mitigations of a run as one HTML page.

    Args:
        found: What `glassbench.mitigating.mitigate` returns, or the content of `mitigation.json`.
    """
    labels = [str(run["name"]) for run in found["comparison"]["runs"]]
    sections = [against(one, labels, place) for place, one in enumerate(found["comparison"]["differences"], start=1)]
    notes = {one["name"]: one["notes"] for one in found["proposals"]}
    return render(
        "mitigation.html.j2",
        name=found["name"],
        run=found["run"],
        gap=gap_sentence(found["gap"]),
        outcomes=grid(Table(title="What each did", columns=outcome_columns(found), rows=tuple(outcome_rows(found)))),
        sections=[
            (section, notes.get(label, []), changes_grid(told["changes"]))
            for section, label, told in zip(sections, labels[1:], found["changes"], strict=True)
        ],
        refused=[(one["name"], one["reason"]) for one in found["proposals"] if one["reason"]],
    )


def gap_sentence(gap: Mapping[str, Any]) -> str:
    """Return which gap was to be mended."""
    by = " and ".join(gap["by"])
    words = measure_words(gap["measure"])
    return f"{words[:1].upper()}{words[1:]} by {by}: {interval(gap['value'], gap['low'], gap['high'])} before."


def outcome_columns(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of the table of outcomes."""
    return ("mitigation", *(measure_words(name) for name, _ in _headlines(found)), "better", "worse", "decided otherwise")


def outcome_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return one row per mitigation: differences of the gap and the headline, how many measures got better and worse."""
    labels, rows = [str(run["name"]) for run in found["comparison"]["runs"]], []
    for place, (pair, told) in enumerate(zip(found["comparison"]["differences"], found["changes"], strict=True), start=1):
        known = {(one["name"], tuple(one["by"] or ()), bool(one["group"])): one for one in pair["measures"]}
        shown = [_change(known.get((name, by, False)), labels, place) for name, by in _headlines(found)]
        sides = [one["difference"]["better"] for one in pair["measures"] if one["difference"]["differs"]]
        moved = told["changes"][0] if told["changes"] else None
        share = DASH if moved is None else f"{moved['changed']:,} of {moved['rows']:,}"
        rows.append((labels[place], *shown, str(sides.count("second")), str(sides.count("first")), share))
    return rows


def changes_grid(changes: Sequence[Mapping[str, Any]]) -> Grid | None:
    """Return whose decision changed as a table; None where rows could not be told apart."""
    if not changes:
        return None
    rows = tuple(change_cells(one) for one in changes)
    made = grid(Table(title="Whose decision changed", columns=change_columns(changes), rows=rows))
    return replace(made, folded=False)


def change_columns(changes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the columns of the table of changes."""
    return (*_COLUMNS, *(_GOOD if "favoured" in changes[0] else ()))


def change_cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a group's changes as the cells of a row."""
    group = "all rows" if one["feature"] is None else f"{one['feature']}: {one['group']}"
    gain = one.get("gain")
    gained = DASH if gain is None else interval(gain, one["low"], one["high"])
    moved = f"{one['changed']:,} ({in_percent(one['changed'] / max(one['rows'], 1))})"
    counts = [f"{one[key]:,}" if key in one else DASH for key in ("righted", "wronged")]
    good = [f"{one[key]:,}" for key in ("favoured", "disfavoured") if key in one]
    return group, f"{one['rows']:,}", moved, *counts, gained, *good


def _headlines(found: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the gap, then the measure of the task's first metric, where there is one."""
    gap = (found["gap"]["measure"], tuple(found["gap"]["by"]))
    return [gap, *([(found["headline"], ())] if found["headline"] else [])]


def _change(one: Mapping[str, Any] | None, labels: Sequence[str], place: int) -> str:
    return DASH if one is None else difference_row(one, labels[0], labels[place])[3]
