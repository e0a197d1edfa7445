"""Compressed models of a run beside the original: size, speed, measures, and who loses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.measure_words import measure_words
from glassbench.report.comparison import against
from glassbench.report.figures import DrawnChart, drawn_charts
from glassbench.report.grid import Grid, grid
from glassbench.report.numbers import DASH, interval, number, trimmed
from glassbench.report.templating import render
from glassbench.stats.percent import in_percent

_PART_COLUMNS = ("rows of", "rows", "before", "after", "now right", "now wrong", "gained", "verdict")
_ORIGINAL = "original"


def render_compression(found: Mapping[str, Any]) -> str:
    """Return compressed models of a run as one HTML page.

    Args:
        found: What `glassbench.compressing.compress` returns, or the content of `compression.json`.
    """
    labels = [_ORIGINAL, *(str(one["name"]) for one in found["candidates"])]
    sections = [_section(one, labels, place) for place, one in enumerate(found["candidates"], start=1)]
    outcomes = grid(Table(title="Models", columns=outcome_columns(found), rows=tuple(outcome_rows(found))))
    return render(
        "compression.html.j2",
        name=found["name"],
        run=found["run"],
        budget=budget_sentence(found),
        outcomes=replace(outcomes, folded=False),
        energy=found["original"]["energy"]["method"],
        tolerance=_tolerance(found),
        sections=sections,
        refused=[(one["name"], one["reason"]) for one in found["refused"]],
    )


def _section(one: Mapping[str, Any], labels: Sequence[str], place: int) -> dict[str, Any]:
    return {
        "name": one["name"],
        "done": " ".join(one["done"]),
        "sentence": parts_sentence(one),
        "notes": [(f"{name}: {heading}", words) for name, notes in one["notes"] for heading, words in notes],
        "parts": parts_grid(one),
        "charts": _charts(one, place),
        "against": against(one["differences"], labels, place),
        "calibrated": one["calibrated_again"],
    }


def budget_sentence(found: Mapping[str, Any]) -> str:
    """Return whether a model fits in the bytes that were asked for; empty where none were."""
    if found["fit_in"] is None:
        return ""
    words = kibibytes(found["fit_in"])
    if found["chosen"] is None:
        least = min(found["candidates"], key=lambda one: one["size"]["stored"])
        return f"No model fits in {words}: the smallest is {least['name']} with {kibibytes(least['size']['stored'])}."
    fitting = sum(bool(one["fits"]) for one in found["candidates"])
    of = f"{fitting} of {len(found['candidates'])} models fit"
    chosen = next(one for one in found["candidates"] if one["name"] == found["chosen"])
    known = chosen["validation"]
    by = "the smallest" if known is None else f"the best {measure_words(known['metric'])} on validation rows"
    worse = f" It is worse than the original for {losers(chosen)}." if _lost(chosen) else ""
    return f"{of} in {words}; chosen is {chosen['name']}, by {by}. Test rows took no part in the choice.{worse}"


def outcome_columns(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of the table of models."""
    batches = [f"ms, {speed['batch']} row{'s' * (speed['batch'] > 1)}" for speed in found["original"]["speed"]]
    asked = () if found["fit_in"] is None else ("fits",)
    return ("model", "file", "smaller", *batches, *(measure_words(name) for name in _headline(found)), "loses", *asked)


def outcome_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return one row per model, the original first: size, speed, the headline measure, who loses, whether it fits if asked."""
    whole, names = found["original"]["size"]["stored"], _headline(found)
    before = {name: _overall(found["candidates"][0], name) for name in names}
    values = [DASH if one is None else trimmed(one["first"]["compared"]) for one in before.values()]
    speeds = [trimmed(speed["milliseconds"]) for speed in found["original"]["speed"]]
    rows = [(_ORIGINAL, kibibytes(whole), "", *speeds, *values, "", *_fits(found, whole))]
    for one in found["candidates"]:
        stored = one["size"]["stored"]
        times = [f"{trimmed(s['milliseconds'])} ({_times(s)})" for s in one["speed"]]
        values = [_value(_overall(one, name)) for name in names]
        told = one["name"] + (" (chosen)" if one["name"] == found["chosen"] else "")
        rows.append((told, kibibytes(stored), f"{whole / stored:.1f} times", *times, *values, losers(one), *_fits(found, stored)))
    return rows


def losers(one: Mapping[str, Any]) -> str:
    """Return who loses, in a few words."""
    if one["parts"] is None:
        return "not known"
    found = _lost(one)
    named = found[:3]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(part_words(part) for part in named) + more if found else "nobody surely"


def _lost(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the parts of the rows that surely lose, the largest loss first; none where that is not known."""
    parts = one["parts"]["parts"] if one["parts"] is not None else []
    return sorted((part for part in parts if part["verdict"] == "loses"), key=lambda part: part["gain"])


def parts_sentence(one: Mapping[str, Any]) -> str:
    """Return in one or two sentences who loses by a compressed model."""
    told = one["parts"]
    if told is None:
        return f"Who loses is not told: {one['no_parts']}."
    lost = _lost(one)
    kept = sum(part["verdict"] == "kept" for part in told["parts"])
    unclear = sum(part["verdict"] == "unclear" for part in told["parts"])
    words = f"Of {told['tests']} parts tested together, {len(lost)} lose{'s' * (len(lost) == 1)}, {kept} "
    words += f"{'is' if kept == 1 else 'are'} kept within the tolerance and {unclear} {'is' if unclear == 1 else 'are'} unclear."
    if not lost:
        return words
    first, unit = lost[0], told["unit"]
    loss = tuple(-value for value in (first["gain"], first["high"], first["low"]))
    amount = (
        interval(*loss) + (f" {unit}" if unit else "")
        if unit
        else f"{_points(loss[0])} ({_points(loss[1])} to {_points(loss[2])})"
    )
    noun = "points of " + told["complement"] if told["complement"] and not unit else "in " + told["words"]
    surely = ", surely less than the tolerance" if first["within"] else ""
    return (
        f"{words} The largest loss is that of {part_words(first)}: {amount} {noun}, {first['worse']:,} of {first['rows']:,} rows "
        f"worse and {first['better']:,} better{surely}."
    )


def parts_grid(one: Mapping[str, Any]) -> Grid | None:
    """Return who gains and loses as a table; None where truths are not known."""
    if one["parts"] is None:
        return None
    made = grid(Table(title="Who gains and who loses", columns=part_columns(one), rows=tuple(part_rows(one))))
    return replace(made, folded=False)


def part_columns(one: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of the table of who loses."""
    told = one["parts"]
    name = told["complement"] if told["complement"] and told["unit"] is None else told["words"]
    return tuple(column if column not in ("before", "after") else f"{name} {column}" for column in _PART_COLUMNS)


def part_rows(one: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return one row per part: its rows, its mean before and after, rows that changed, the paired gain and the verdict."""
    told = one["parts"]
    share = told["complement"] is not None and told["unit"] is None
    rows = []
    for part in told["parts"]:
        means = [in_percent(1 - part[name], 1) if share else number(part[name]) for name in ("before", "after")]
        gain = interval(part["gain"], part["low"], part["high"])
        verdict = part["verdict"] + (" (less than the tolerance)" if part["verdict"] == "loses" and part["within"] else "")
        rows.append((part_words(part), f"{part['rows']:,}", *means, f"{part['better']:,}", f"{part['worse']:,}", gain, verdict))
    return rows


def part_words(part: Mapping[str, Any]) -> str:
    """Return what rows have in common."""
    return "all rows" if part["feature"] is None else f"{part['feature']}: {part['group']}"


def kibibytes(size: int) -> str:
    """Return bytes as a person reads them.

    Example:
        >>> kibibytes(299_129), kibibytes(5_000_000)
        ('292.1 KiB', '4.77 MiB')
    """
    return f"{size / 1024:.1f} KiB" if size < 1024**2 else f"{size / 1024**2:.2f} MiB"


def _charts(one: Mapping[str, Any], place: int) -> tuple[DrawnChart, ...]:
    tested = [part for part in (one["parts"] or {"parts": []})["parts"] if part["low"] is not None]
    if not tested:
        return ()
    rows = tuple({"y": part_words(p), "x": p["gain"], "low": p["low"], "high": p["high"]} for p in tested[:40])
    message = "Paired differences on the same rows; either end of the intervals holds for all parts at once in 95 % of samples."
    chart = Chart(
        kind="intervals",
        title="Who gains and who loses",
        message=message,
        rows=rows,
        x_title=f"gain in {one['parts']['complement'] or 'mean error saved'}",
        reference=(0.0, "no difference"),
    )
    return drawn_charts([chart], f"parts-{place}")


def _headline(found: Mapping[str, Any]) -> list[str]:
    """Return the names of the first measure over all rows that the models are compared by."""
    told = found["original"]["validation"]
    known = [one["name"] for one in found["candidates"][0]["differences"]["measures"] if one["by"] is None and not one["group"]]
    wanted = [name for name in known if told is not None and name.rpartition(".")[2] == told["metric"]]
    return (wanted or known)[:1]


def _overall(one: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    found = [m for m in one["differences"]["measures"] if m["name"] == name and m["by"] is None and not m["group"]]
    return found[0] if found else None


def _value(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return DASH
    change = one["difference"]
    return f"{trimmed(one['second']['compared'])} ({interval(change['value'], change['low'], change['high'])})"


def _times(speed: Mapping[str, Any]) -> str:
    return f"{trimmed(speed['times'])} times"


def _fits(found: Mapping[str, Any], stored: int) -> tuple[str, ...]:
    return () if found["fit_in"] is None else ("yes" if stored <= found["fit_in"] else "no",)


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _tolerance(found: Mapping[str, Any]) -> str:
    told = next((one["parts"] for one in found["candidates"] if one["parts"] is not None), None)
    if told is None:
        return in_percent(found["tolerance"], 1)
    return f"{trimmed(told['tolerance'])} {told['unit']}" if told["unit"] else in_percent(told["tolerance"], 1)
