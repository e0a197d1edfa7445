"""The report of a run's monitoring: whether it holds, what has changed, and every sequence over the looks."""

from collections.abc import Mapping, Sequence
from typing import Any

from glassbench.contracts.exhibits import Chart, Table
from glassbench.report.figures import drawn_charts
from glassbench.report.grid import grid
from glassbench.report.numbers import DASH, interval, number
from glassbench.report.templating import render
from glassbench.stats.percent import in_percent

_FAMILIES = {
    "performance": "Performance",
    "calibration": "Calibration",
    "gaps": "Gaps between groups",
    "inputs": "Inputs",
    "scores": "Scores and decisions",
    "groups": "Shares of groups",
}
_WORDS = {"holds": "pass", "changed": "fail", "too few rows": "insufficient evidence"}
_MOST_CHARTS = 3


def render_monitoring(state: Mapping[str, Any]) -> str:
    """Return how a run's model stands as one HTML page.

    Args:
        state: What `MonitorState.to_json` returns.
    """
    sections = [
        (title, drawn_charts(_charts(state, family), f"monitor-{family}"), [grid(table) for table in _tables(state, family)])
        for family, title in _FAMILIES.items()
    ]
    return render(
        "monitoring.html.j2",
        run=state["run"],
        verdict=state["verdict"],
        word=_WORDS[state["verdict"]],
        reason=state["reason"],
        facts=_facts(state),
        changes=changes_in_words(state),
        notes=state["notes"],
        sections=[(title, charts, tables) for title, charts, tables in sections if tables],
        looks=grid(_looks(state)),
    )


def changes_in_words(state: Mapping[str, Any]) -> list[str]:
    """Return one sentence per certain change, the first found first."""
    changed = [one for one in state["results"] if one["since"] is not None]
    return [_sentence(one) for one in sorted(changed, key=lambda one: one["since"])]


def estimate_in_words(state: Mapping[str, Any]) -> str | None:
    """Return the performance that is estimated without a truth in one sentence, or None."""
    one = state["estimated"]
    if one is None:
        return None
    shown = interval(one["value"], one["low"], one["high"])
    return f"Estimated {one['measure']}: {shown} (in the run {number(one['run'])}); {one['assumption']}."


def _sentence(one: Mapping[str, Any]) -> str:
    since = f"certain since look {one['since']}"
    if one["kind"] != "ranks":
        change = interval(one["change"], one["low"], one["high"])
        return (
            f"{_capital(one['title'])}: {number(one['before'])} in the run, {number(one['now'])} now, change {change}; {since}."
        )
    if one["before"] is not None:
        return (
            f"{_capital(one['title'])}: {in_percent(one['now'])} of new rows lie above the run's median "
            f"({in_percent(one['before'])} in the run); {since}."
        )
    return f"{_capital(one['title'])} is distributed differently: distance {number(one['change'])}; {since}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _facts(state: Mapping[str, Any]) -> list[str]:
    known = f", {state['truths']:,} with a truth" if state["truths"] else ""
    said = [
        f"{state['rows']:,} new rows in {len(state['history'])} looks{known}, compared with {state['reference_rows']:,} held-out "
        f"rows of the run."
    ]
    estimate = estimate_in_words(state)
    if estimate is not None:
        said.append(estimate)
    said.append(
        f"Where nothing has changed, the chance that anything on this page is ever called changed is at most "
        f"{in_percent(state['alpha'])}, however often one looks. The error is split over all sequences in advance."
    )
    return said


def _charts(state: Mapping[str, Any], family: str) -> list[Chart]:
    """Return charts of the means that changed, at least of the first one, and one of the evidence of all that is ranked."""
    members = [one for one in state["results"] if one["family"] == family and one["rows"]]
    means = [one for one in members if one["kind"] != "ranks"]
    changed = [one for one in means if one["since"] is not None]
    charts = [_curve(state, one) for one in (changed[:_MOST_CHARTS] or means[:1])]
    ranked = sorted((one for one in members if one["kind"] == "ranks"), key=lambda one: -one["evidence"])[:8]
    return [*charts, *([_evidence(state, ranked)] if ranked else [])]


def _history(state: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """Return a sequence at each look, with the rows that were counted until then."""
    found, rows = [], 0
    for look in state["history"]:
        rows += look["counted"]
        found += [(rows, one) for one in look["results"] if (one["key"], one["kind"]) == (wanted["key"], wanted["kind"])]
    return found


def _curve(state: Mapping[str, Any], one: Mapping[str, Any]) -> Chart:
    rows = tuple(
        {"x": rows, "y": past["change"], "low": past["low"], "high": past["high"]}
        for rows, past in _history(state, one)
        if past["change"] is not None
    )
    said = _sentence(one) if one["since"] is not None else f"Change {interval(one['change'], one['low'], one['high'])}."
    return Chart(
        kind="lines", title=_capital(one["title"]), message=said, rows=rows, x_title="new rows",
        y_title="change against the run, with its confidence sequence",
    )  # fmt: skip


def _evidence(state: Mapping[str, Any], ranked: Sequence[Mapping[str, Any]]) -> Chart:
    rows = tuple(
        {"x": rows, "y": past["evidence"], "color": one["title"]} for one in ranked for rows, past in _history(state, one)
    )
    most = ranked[0]
    return Chart(
        kind="lines", title="Evidence of another distribution",
        message=f"At 1 and above a change is certain. Most: {most['title']}, {number(most['evidence'])}.", rows=rows,
        x_title="new rows", y_title="log of the wealth against no change, as a share of what is needed",
    )  # fmt: skip


def _tables(state: Mapping[str, Any], family: str) -> list[Table]:
    members = [one for one in state["results"] if one["family"] == family]
    means = tuple(
        (_capital(one["title"]), _plain(one["before"]), _plain(one["now"]), interval(one["change"], one["low"], one["high"])
         if one["change"] is not None else DASH, one["rows"], _stands(one))
        for one in members if one["kind"] != "ranks"
    )  # fmt: skip
    distributions = tuple(
        (_capital(one["title"]), _plain(one["change"]), _plain(one["evidence"]), one["rows"], _stands(one))
        for one in members
        if one["kind"] == "ranks"
    )
    tables = []
    if means:
        columns = ("what", "run", "new rows", "change [confidence sequence]", "rows", "stands")
        tables.append(Table(title=f"{_FAMILIES[family]}: means", columns=columns, rows=means))
    if distributions:
        heads = ("what", "distance", "evidence (1 is certain)", "rows", "stands")
        note = "Distance: greatest difference of the distribution functions at 16ths of the run's rows, 0 to 1."
        tables.append(Table(title=f"{_FAMILIES[family]}: distributions", columns=heads, rows=distributions, note=note))
    return tables


def _plain(value: float | None) -> str:
    return DASH if value is None else number(value)


def _stands(one: Mapping[str, Any]) -> str:
    if one["since"] is not None:
        return f"changed, certain since look {one['since']}"
    if one["certain"]:
        return "changed for the better"
    return "no change is certain" if one["rows"] else "no rows"


def _looks(state: Mapping[str, Any]) -> Table:
    rows = tuple(
        (look["look"], look["time"], look["file"], look["rows"], look["counted"], look["truths"],
         sum(one["since"] is not None for one in look["results"]))
        for look in state["history"]
    )  # fmt: skip
    columns = ("look", "time", "rows from", "rows", "counted", "with a truth", "certain changes so far")
    return Table(title="Looks", columns=columns, rows=rows)
