"""The report of a study: the winner, every candidate, what varies and why, the frontier."""

from collections.abc import Mapping, Sequence
from typing import Any

from glassbench.contracts.exhibits import Chart, Table
from glassbench.report.figures import DrawnChart, drawn_charts
from glassbench.report.grid import grid
from glassbench.report.numbers import DASH, interval, number
from glassbench.report.templating import render
from glassbench.report.wording import measure_words
from glassbench.stats.percent import in_percent

_SHOWN = 40


def render_study(found: Mapping[str, Any]) -> str:
    """Return what a study found as one HTML page.

    Args:
        found: What `glassbench.studies.answer.answer` returned, or the content of `answer.json`.
    """
    titles = [_title(objective) for objective in found["objectives"]]
    return render(
        "study.html.j2",
        study=found["study"],
        name=found["name"],
        runs=found["runs"],
        headline=_headline(found, titles),
        failures=grid(_failures(found["runs"]["failed"])),
        candidates=grid(_candidates(found, titles)),
        charts=drawn_charts([_intervals(found, place, title) for place, title in enumerate(titles)], "objectives"),
        frontier=_frontier(found, titles),
        variation=grid(_variation(found, titles)),
        members=_members(found),
    )


def _title(objective: Mapping[str, Any]) -> str:
    words = measure_words(objective["measure"])
    if objective["by"]:
        return f"{words} by {' and '.join(objective['by'])}"
    return f"{words} ({', '.join(objective['group'].values())})" if objective["group"] else words


def _headline(found: Mapping[str, Any], titles: Sequence[str]) -> list[str]:
    """Return the answer in sentences."""
    winner, said = found["winner"], []
    if winner is None:
        said.append("No candidate has a value for every objective within its floor and ceiling.")
    else:
        best = found["candidates"][winner["candidate"]]
        first, several = best["objectives"][0], winner["among"] > 1
        shown = interval(first["value"], first["low"], first["high"])
        chosen = f"The best of {winner['among']} candidates by {titles[0]} is {best['words']}: " if several else f"{titles[0]}: "
        why = f"; the interval allows for the choice among {winner['among']}" if several and first["low"] is not None else ""
        said.append(f"{chosen}{shown}, mean of {len(best['runs'])} {'runs' if len(best['runs']) > 1 else 'run'}{why}.")
    for title, parts in zip(titles, found["variation"], strict=True):
        if parts and parts["seeds"]:
            spread = parts["seeds"]
            shown = interval(spread["value"], spread["low"], spread["high"])
            said.append(f"{title} varies by {shown} (standard deviation) between seeds at equal settings.")
            share = parts["settings"]
            if share and share["value"] is not None:
                shown = interval(share["value"], share["low"], share["high"])
                said.append(f"Settings explain {shown} of the variance of {title} between runs.")
    return said


def _candidates(found: Mapping[str, Any], titles: Sequence[str]) -> Table:
    rows = []
    for place, candidate in enumerate(found["candidates"]):
        winner = found["winner"] is not None and found["winner"]["candidate"] == place
        numbers = [_shown(objective) for objective in candidate["objectives"]]
        rows.append((candidate["words"], *numbers, len(candidate["runs"]), place in found["frontier"], winner))
    note = (
        f"Means over seeds; the {in_percent(found['level'])} intervals hold for all candidates at once (Bonferroni), "
        "so also for the one "
        "that was chosen. They speak for the rows and for the seeds."
    )
    columns = ("candidate", *titles, "runs", "on the frontier", "winner")
    return Table(title="Candidates", columns=columns, rows=tuple(rows), note=note)


def _shown(objective: Mapping[str, Any]) -> str:
    return objective["undefined"] or interval(objective["value"], objective["low"], objective["high"])


def _intervals(found: Mapping[str, Any], objective: int, title: str) -> Chart:
    up = found["objectives"][objective]["higher_is_better"]
    known = [(c["words"], c["objectives"][objective], len(c["runs"])) for c in found["candidates"]]
    told = sorted((k for k in known if k[1]["value"] is not None), key=lambda k: k[1]["value"], reverse=up)
    rows = tuple(
        {"y": words, "x": o["value"], "low": o["low"] if o["low"] is not None else o["value"],
         "high": o["high"] if o["high"] is not None else o["value"]}
        for words, o, _ in told[:_SHOWN]
    )  # fmt: skip
    more = f" The best {_SHOWN} of {len(told)} are shown." if len(told) > _SHOWN else ""
    message = f"{'Higher' if up else 'Lower'} is better; intervals hold for all candidates at once.{more}"
    return Chart(kind="intervals", title=title, message=message, rows=rows, x_title=title)


def _frontier(found: Mapping[str, Any], titles: Sequence[str]) -> DrawnChart | None:
    if len(titles) < 2 or len(found["candidates"]) < 2:
        return None
    rows = tuple(
        {"x": one["value"], "y": two["value"], "color": "frontier" if place in found["frontier"] else "dominated"}
        for place, candidate in enumerate(found["candidates"])
        for one, two in [candidate["objectives"][:2]]
        if one["value"] is not None and two["value"] is not None
    )
    message = "No other candidate is at least as good in every objective as one on the frontier, and better in one."
    chart = Chart(
        kind="points",
        title="Frontier of the first two objectives",
        message=message,
        rows=rows,
        x_title=titles[0],
        y_title=titles[1],
    )
    return drawn_charts([chart], "frontier")[0] if rows else None


def _variation(found: Mapping[str, Any], titles: Sequence[str]) -> Table:
    rows = []
    for title, parts in zip(titles, found["variation"], strict=True):
        if parts is None:
            continue
        seeds, share = parts["seeds"], parts["settings"]
        weights = ", ".join(f"{name} {number(value)}" for name, value in parts["importance"].items()) or DASH
        rows.append((title, _estimate(seeds), _estimate(share), weights, parts["seed_count"]))
    note = (
        "The standard deviation between seeds has a chi-squared interval, the share of settings that of a one-way layout "
        "(Searle 1971); both suppose normal numbers. The share of each setting is its main effect of the variance between "
        "candidates; what is missing to 1 is interaction."
    )
    columns = ("objective", "standard deviation between seeds", "share of settings", "of which each setting", "seeds")
    return Table(title="What varies, and why", columns=columns, rows=tuple(rows), note=note)


def _estimate(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None:
        return DASH
    return estimate["undefined"] or interval(estimate["value"], estimate["low"], estimate["high"])


def _failures(failed: Mapping[str, str]) -> Table:
    return Table(title="Runs that failed", columns=("run", "why"), rows=tuple(failed.items()))


def _members(found: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """Return of each candidate its words, and of each run the id, the seed and the first objective."""
    told: list[tuple[str, list[tuple[str, int, str]]]] = []
    for candidate in found["candidates"]:
        runs = [
            (run["run"], run["seed"], DASH if value is None else number(value))
            for run, value in zip(candidate["runs"], candidate["values"][0], strict=True)
        ]
        told.append((candidate["words"], runs))
    return told
