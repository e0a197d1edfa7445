"""The report of a study: the winner, every candidate, what varies and why, the frontier."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.measure_words import measure_words
from glassbench.report.figures import DrawnChart, drawn_charts
from glassbench.report.grid import grid
from glassbench.report.numbers import DASH, interval, number
from glassbench.report.templating import render
from glassbench.stats.percent import in_percent

_SHOWN = 40


def render_study(found: Mapping[str, Any]) -> str:
    """Return what a study found as one HTML page.

    Args:
        found: What `glassbench.studies.answer.answer` returned, or the content of `answer.json`.
    """
    titles = [_title(objective) for objective in found["objectives"]]
    curves, more_rows = _sizes(found, titles)
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
        importance=drawn_charts(_importance(found, titles), "importance"),
        sizes=drawn_charts(curves, "sizes"),
        more_rows=more_rows,
        search=_search(found),
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
        said += _of_winner(found, winner, titles[0])
    for title, parts in zip(titles, found["variation"], strict=True):
        if parts and parts["seeds"]:
            what = "folds" if found["folds"] else "seeds"
            spread = _estimate(parts["seeds"])
            said.append(
                f"{title[:1].upper()}{title[1:]} varies by {spread} (standard deviation) between {what} at equal settings."
            )
            share = parts["settings"]
            if share and share["value"] is not None:
                said.append(f"Settings explain {_estimate(share)} of the variance of {title} between runs.")
    return said


def _of_winner(found: Mapping[str, Any], winner: Mapping[str, Any], title: str) -> list[str]:
    """Return what is said of the winner, before and after correction for the choice."""
    best, several = found["candidates"][winner["candidate"]], winner["among"] > 1
    first, runs = best["objectives"][0], len(best["runs"])
    shown = interval(first["value"], first["low"], first["high"])
    chosen = f"The best of {winner['among']} candidates by {title} is {best['words']}: " if several else f"{title}: "
    why = f"; the interval allows for the choice among {winner['among']}" if several and first["low"] is not None else ""
    said = [f"{chosen}{shown}, mean of {runs} {'runs' if runs > 1 else 'run'}{why}."]
    if several and first["low"] is not None:
        said.append(_rivals(found, winner["candidate"]))
    if several and winner["naive"] is not None:
        before = interval(first["value"], *winner["naive"])
        said.append(f"Before correction, as if it had been the only candidate: {before}.")
    elsewhere, nested = winner["chosen_on_other_folds"], winner["nested"]
    if nested is not None:
        said.append(_nested_words(nested, best["words"]))
    elif elsewhere is not None:
        shown = interval(elsewhere["value"], elsewhere["low"], elsewhere["high"])
        said.append(f"Chosen on the other folds and judged on the one left out, a candidate comes to {shown}.")
    return said


def _rivals(found: Mapping[str, Any], best: int) -> str:
    """Return how many of the other candidates are worse than the best by the first objective beyond what chance shows."""
    first = [candidate["objectives"][0] for candidate in found["candidates"]]
    known = [one for place, one in enumerate(first) if place != best and one["low"] is not None]
    worse = sum(one["high"] < first[best]["low"] or one["low"] > first[best]["high"] for one in known)
    many = len(known)
    if many == 1:
        return (
            "The other is worse beyond chance."
            if worse
            else "Which of the two is better cannot be told: their intervals overlap."
        )
    if worse == 0:
        return f"Which candidate is the best cannot be told: the intervals of all {many} others overlap its own."
    if worse == many:
        return f"All {many} others are worse beyond chance: no interval overlaps its own."
    be = "is" if worse == 1 else "are"
    return f"{worse} of the {many} others {be} worse beyond chance; the intervals of the rest overlap its own."


def _nested_words(nested: Mapping[str, Any], best: str) -> str:
    """Return what nested cross-validation found, and how often it chose the winner too."""
    if nested["undefined"]:
        return f"Nested cross-validation gives no number: {nested['undefined']}."
    shown = interval(nested["value"], nested["low"], nested["high"])
    folds, again = len(nested["chosen"]), sum(one == best for one in nested["chosen"])
    return (
        f"Nested cross-validation, in which the candidate of each fold is chosen by {nested['inner_folds']} inner folds of the "
        f"other rows and the fold takes no part: {shown}. {best} was chosen in {again} of {folds} folds."
    )


def _candidates(found: Mapping[str, Any], titles: Sequence[str]) -> Table:
    rows = []
    for place, candidate in enumerate(found["candidates"]):
        winner = found["winner"] is not None and found["winner"]["candidate"] == place
        numbers = [_shown(objective) for objective in candidate["objectives"]]
        ahead = found["behind"].get(str(place))
        behind = DASH if ahead is None else found["candidates"][ahead]["words"]
        rows.append((candidate["words"], *numbers, len(candidate["runs"]), place in found["frontier"], behind, winner))
    columns = ("candidate", *titles, "runs", "on the frontier", "behind", "winner")
    return Table(title="All candidates", columns=columns, rows=tuple(rows), note=_note_of_intervals(found))


def _note_of_intervals(found: Mapping[str, Any]) -> str:
    over = "folds" if found["folds"] else "seeds"
    folds = (
        " Folds share training rows, so the variance between them counts 1/n + 1/(k - 1) (Nadeau and Bengio 2003); a choice on "
        "other folds is judged without training anew (Tibshirani and Tibshirani 2009)."
    )
    return (
        f"Means over {over}; the {in_percent(found['level'])} intervals hold for all candidates at once (Bonferroni), so also "
        f"for the one that was chosen. They speak for the rows and for the {over}. A candidate is behind another that is at "
        "least as good in every objective, where the intervals of one objective do not overlap."
        + (folds if found["folds"] else "")
    )


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
    over = "folds" if found["folds"] else "seeds"
    rows = [
        (title, _estimate(parts["seeds"]), _estimate(parts["settings"]), parts["candidates"], parts["seed_count"])
        for title, parts in zip(titles, found["variation"], strict=True)
        if parts is not None and parts["seeds"] is not None
    ]
    note = (
        f"The standard deviation between {over} has a chi-squared interval, the share of settings that of a one-way layout "
        "(Searle 1971); both suppose normal numbers."
    )
    columns = ("objective", f"standard deviation between {over}", "share of settings", "candidates", over)
    return Table(title=f"Variance between {over} and between settings", columns=columns, rows=tuple(rows), note=note)


def _importance(found: Mapping[str, Any], titles: Sequence[str]) -> list[Chart]:
    """Return a chart for each objective of how much each setting explains."""
    charts = []
    for title, parts in zip(titles, found["variation"], strict=True):
        if not parts or len(parts["importance"]) < 2:
            continue
        rows = tuple(
            {"y": name, "x": one["value"]} | ({"low": one["low"], "high": one["high"]} if one["low"] is not None else {})
            for name, one in sorted(parts["importance"].items(), key=lambda item: -item[1]["value"])
        )
        message = _FOREST if parts["method"] == "forest" else _MAIN_EFFECTS
        kind: Literal["intervals", "bars"] = "intervals" if parts["method"] == "forest" else "bars"
        x = "share of the variance between candidates"
        charts.append(Chart(kind=kind, title=f"What settings explain of {title}", message=message, rows=rows, x_title=x))
    return charts


_FOREST = (
    "Share of the variance between candidates that a setting explains alone, as a random forest sees it (functional ANOVA, "
    "Hutter, Hoos and Leyton-Brown 2014); intervals from resampled candidates."
)
_MAIN_EFFECTS = "Main effect of each setting over the full grid; what is missing to 1 is interaction."


def _sizes(found: Mapping[str, Any], titles: Sequence[str]) -> tuple[list[Chart], list[str]]:
    """Return the curves over the training rows, and in sentences whether more would help."""
    charts, said = [], []
    for title, curves in zip(titles, found["sizes"], strict=bool(found["sizes"])):
        rows = tuple(
            {"x": p["rows"], "y": p["value"], "color": curve["name"]}
            | ({"low": p["low"], "high": p["high"]} if p["low"] is not None else {})
            for curve in curves
            for p in curve["points"]
        )
        message = (
            "The best candidate with fewer training rows; rows to be judged stay the same. Each point has an interval of its own."
        )
        charts.append(
            Chart(
                kind="lines",
                title=f"{title} by training rows",
                message=message,
                rows=rows,
                x_title="training rows",
                y_title=title,
            )
        )
        said += [_more_rows(title, curve) for curve in curves]
    return charts, said


def _more_rows(title: str, curve: Mapping[str, Any]) -> str:
    gain, name = curve["gain"], curve["name"]
    if gain is None:
        return f"{title}, {name}: four sizes with intervals are needed to say what more rows would bring."
    shown = interval(gain["value"], gain["low"], gain["high"])
    sure = "the interval holds 0: more rows may not help" if gain["low"] <= 0 <= gain["high"] else "the interval leaves out 0"
    return (
        f"{title}, {name}: {gain['times']:g} times the most training rows would change it by {shown} if the power law through "
        f"these points went on ({sure}). That is an extrapolation."
    )


def _estimate(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None:
        return DASH
    return estimate["undefined"] or interval(estimate["value"], estimate["low"], estimate["high"])


def _search(found: Mapping[str, Any]) -> list[str]:
    """Return how candidates were searched for, in sentences."""
    search = found["search"]
    if search is None:
        return []
    method = "NSGA-II" if search["method"] == "NSGA-II" else "the tree-structured Parzen estimator (TPE)"
    said = [f"{search['candidates']} candidates were drawn by {method}, seed {search['seed']}."]
    if search["prune"]:
        pruned = found["runs"]["pruned"]
        said.append(f"{pruned} {'run was' if pruned == 1 else 'runs were'} ended early: worse than the median of earlier runs.")
    return said + [
        f"Settings that do not go together: {one['words']}: {one['why'].splitlines()[0]}." for one in search["refused"][:5]
    ]


def _failures(failed: Mapping[str, str]) -> Table:
    return Table(title="Runs that failed", columns=("run", "why"), rows=tuple(failed.items()))


def _members(found: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return of each candidate its words, and of each run the id, its seed and fold, and the first objective."""
    told: list[tuple[str, list[tuple[str, str, str]]]] = []
    for candidate in found["candidates"]:
        runs = [
            (run["run"], run["words"], DASH if value is None else number(value))
            for run, value in zip(candidate["runs"], candidate["values"][0], strict=True)
        ]
        told.append((candidate["words"], runs))
    return told
