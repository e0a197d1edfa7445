"""A run before and after a cleaning as a page: what was changed, what that did to figures, and to whom."""

from collections.abc import Mapping
from typing import Any

from glassbench.report.cleaning_section import cleaning_section
from glassbench.report.comparison import against
from glassbench.report.mitigation_page import changes_grid
from glassbench.report.templating import render


def render_cleaning(found: Mapping[str, Any]) -> str:
    """Return a run before and after a cleaning as one HTML page.

    Args:
        found: What `glassbench.cleaning.before_and_after` returns, or the content of `before-after.json`.
    """
    compared = found["comparison"]["differences"][0]
    return render(
        "cleaning.html.j2",
        name=found["name"],
        runs=(found["run"], found["cleaned"]),
        cleaning=cleaning_section(found["cleaning"]),
        shown=against(compared, ["before", "after"], 1),
        rows=rows_compared(compared["rows"]["kind"]),
        changed=changes_grid(found["changes"]),
    )


def rows_compared(kind: str) -> str:
    """Return on which rows a run before and after a cleaning is compared.

    Args:
        kind: `same`, `shared` or `independent`, as `comparison.same_rows` says.
    """
    if kind == "same":
        return "No test row was changed: both models are judged by the same rows."
    if kind == "shared":
        return "Both models are compared on the test rows that are left. What dropping rows does to a figure is in no difference."
    return "Truths of test rows differ, so rows are not paired: differences mix the change of the model with that of the truths."
