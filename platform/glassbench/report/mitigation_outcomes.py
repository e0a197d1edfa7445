"""What each mitigation of a run did, the best first: to the gap, to the task's first metric, to other measures, to decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassbench.contracts.exhibits import Chart
from glassbench.contracts.measure_words import measure_words
from glassbench.printable import plural
from glassbench.report.numbers import DASH, interval

_Difference = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one mitigation did.

    Args:
        place: Its place among the runs of the comparison, the unmitigated one at 0.
        label: What it is called.
        gap, headline: Differences after minus before, with their intervals; None where a run lacks the measure.
        better, worse: Measures that got better or worse beyond chance.
        changed, rows: Rows whose decision changed, of how many; None where rows could not be told apart.
    """

    place: int
    label: str
    gap: _Difference | None
    headline: _Difference | None
    better: int
    worse: int
    changed: int | None
    rows: int | None

    @property
    def narrows(self) -> bool:
        """Whether the whole interval of the gap's change lies below 0."""
        return self.gap is not None and self.gap["high"] is not None and self.gap["high"] < 0


def outcomes(found: Mapping[str, Any]) -> list[Outcome]:
    """Return what each mitigation did: first those that narrow the gap, then the others, each by how far it fell.

    Args:
        found: What `glassbench.mitigating.mitigate` returns.
    """
    pairs = zip(found["comparison"]["runs"][1:], found["comparison"]["differences"], found["changes"], strict=True)
    made = [_outcome(found, place, *one) for place, one in enumerate(pairs, start=1)]
    return sorted(made, key=lambda one: (not one.narrows, one.gap is None, one.gap["value"] if one.gap else 0.0))


def outcome_columns(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of the table of outcomes."""
    return ("mitigation", *(measure_words(name) for name, _ in _headlines(found)), "better", "worse", *_otherwise(found))


def outcome_rows(found: Mapping[str, Any], tried: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Return one row per mitigation: differences of the gap and the headline, how many measures got better and worse."""
    count = len(_headlines(found))
    return [
        (one.label, *_differences(one)[:count], str(one.better), str(one.worse), *(_share(one) for _ in _otherwise(found)))
        for one in tried
    ]


def _otherwise(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the column of rows that are decided otherwise; none of episodes, whose steps are no rows that both runs decide."""
    return ("decided otherwise",) if found["same"] == "rows" else ()


def outcome_sentence(found: Mapping[str, Any], tried: Sequence[Outcome]) -> str:
    """Return which mitigations narrow the gap, and what that costs."""
    narrowing = [one for one in tried if one.narrows]
    if not tried or tried[0].gap is None:
        return "No mitigation could be compared by this gap."
    if not narrowing:
        nearest = f"{tried[0].label} comes nearest: {_said(tried[0].gap)}"
        return f"None of {len(tried)} {plural('mitigation', len(tried))} narrows it with the whole interval; {nearest}."
    parts = ", ".join(f"{one.label} {_said(one.gap)}{_cost(one, found['headline'])}" for one in narrowing)
    narrow = "narrows" if len(narrowing) == 1 else "narrow"
    return f"{len(narrowing)} of {len(tried)} {plural('mitigation', len(tried))} {narrow} it with the whole interval: {parts}."


def outcome_chart(found: Mapping[str, Any], tried: Sequence[Outcome]) -> Chart:
    """Return the change of the gap by each mitigation."""
    rows = tuple(
        {"y": one.label, "x": one.gap["value"], "low": one.gap["low"], "high": one.gap["high"]}
        for one in tried
        if one.gap is not None
    )
    words = measure_words(found["gap"]["measure"])
    return Chart(
        kind="intervals",
        title=f"Change of the {words}",
        message="After minus before, with 95 % intervals: left of 0 the gap is narrower.",
        rows=rows,
        x_title=f"{words}, after minus before",
        reference=(0.0, "no change"),
    )


def _outcome(found: Mapping[str, Any], place: int, run: Mapping[str, Any], pair: _Difference, told: Mapping[str, Any]) -> Outcome:
    known = {(one["name"], tuple(one["by"] or ()), bool(one["group"])): one for one in pair["measures"]}
    shown = [known[key]["difference"] if (key := (name, by, False)) in known else None for name, by in _headlines(found)]
    sides = [one["difference"]["better"] for one in pair["measures"] if one["difference"]["differs"]]
    moved = told["changes"][0] if told["changes"] else None
    return Outcome(
        place=place,
        label=str(run["name"]),
        gap=shown[0] if shown[0] and shown[0]["value"] is not None else None,
        headline=shown[1] if len(shown) > 1 else None,
        better=sides.count("second"),
        worse=sides.count("first"),
        changed=None if moved is None else moved["changed"],
        rows=None if moved is None else moved["rows"],
    )


def _headlines(found: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the gap, then the measure of the task's first metric, where there is one."""
    gap = (found["gap"]["measure"], tuple(found["gap"]["by"]))
    return [gap, *([(found["headline"], ())] if found["headline"] else [])]


def _differences(one: Outcome) -> Sequence[str]:
    return [_said(one.gap), _said(one.headline)]


def _said(told: _Difference | None) -> str:
    return DASH if told is None or told["value"] is None else interval(told["value"], told["low"], told["high"])


def _cost(one: Outcome, headline: str | None) -> str:
    return "" if one.headline is None or headline is None else f" ({measure_words(headline)} {_said(one.headline)})"


def _share(one: Outcome) -> str:
    return DASH if one.changed is None else f"{one.changed:,} of {one.rows:,}"
