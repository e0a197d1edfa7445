"""Mitigations of a run beside it: what each did to the gap, to accuracy and to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from glassbench.contracts.exhibits import Table
from glassbench.contracts.measure_words import measure_words
from glassbench.report.comparison import against
from glassbench.report.figures import drawn_charts
from glassbench.report.grid import Grid, grid
from glassbench.report.mitigation_outcomes import outcome_chart, outcome_columns, outcome_rows, outcome_sentence, outcomes
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
    notes = {one["name"]: one["notes"] for one in found["proposals"]}
    tried = outcomes(found)
    table = Table(title="What each did", columns=outcome_columns(found), rows=tuple(outcome_rows(found, tried)))
    return render(
        "mitigation.html.j2",
        name=found["name"],
        run=found["run"],
        same=found["same"],
        gap=gap_sentence(found["gap"]),
        said=outcome_sentence(found, tried),
        tried=len(tried),
        picture=drawn_charts([outcome_chart(found, tried)], "outcomes"),
        outcomes=replace(grid(table), folded=False),
        sections=[
            (
                against(found["comparison"]["differences"][one.place - 1], labels, one.place),
                notes.get(one.label, []),
                changes_grid(found["changes"][one.place - 1]["changes"]),
                one.narrows,
            )
            for one in tried
        ],
        refused=[(one["name"], one["reason"]) for one in found["proposals"] if one["reason"]],
    )


def gap_sentence(gap: Mapping[str, Any]) -> str:
    """Return which gap was to be mended."""
    by = " and ".join(gap["by"])
    words = measure_words(gap["measure"])
    return f"{words[:1].upper()}{words[1:]} by {by}: {interval(gap['value'], gap['low'], gap['high'])} before."


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
