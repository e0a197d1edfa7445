"""The figures of the summary: performance beside a simple rule, groups beside each other, what the model looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassbench.contracts.evidence import AuditResult, Finding, Measure, measure_from_json
from glassbench.contracts.exhibits import SHARE_OF_INFLUENCE, Picture
from glassbench.contracts.measure_words import group_words, is_gap
from glassbench.report.figures import Image, images
from glassbench.report.headline import gravity
from glassbench.report.numbers import interval, number, threshold
from glassbench.report.summary.brief import brief, width
from glassbench.report.summary.plain_words import GAP_WORDS, TRUST_WORDS, Outcome, plain_measure
from glassbench.report.wording import TOO_FEW, opening

_METRICS, _DIFFERENCES, _GROUPS, _DRIVERS = 3, 3, 3, 4
_NAME, _TITLE, _METRIC, _SAID, _VALUE = 34, 90, 48, 140, 25
_PICTURE = 60_000
"""Characters of base64 that a picture may take."""

NO_BREAK = "\u00a0"


@dataclass(frozen=True)
class Comparison:
    """A metric of the model beside that of a simple rule."""

    words: str
    model: str
    rule: str
    judged: str


@dataclass(frozen=True)
class Bar:
    """A named value as a bar; `low` and `high` end its interval, all in percent of the axis."""

    name: str
    words: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Difference:
    """A number that differs between groups.

    Args:
        title: What is counted, and by which feature.
        bars: The groups.
        others: How many more groups there are.
        gap: The gap between groups in words.
        judged: What it means.
        grade: Its grade.
    """

    title: str
    bars: tuple[Bar, ...]
    others: int
    gap: str
    judged: str
    grade: str


@dataclass(frozen=True)
class Drivers:
    """What the model looks at most, and whether that can be relied on.

    Args:
        bars: The inputs with the largest shares of all influence, where they have names.
        trust: Whether the explanation can be relied on.
        grade: Its grade.
        picture: Where in a picture the influence lies, where inputs are its parts.
        said: That in words.
        whole: Whether these inputs hold all influence.
    """

    bars: tuple[Bar, ...]
    trust: str
    grade: str
    picture: Image | None = None
    said: str = ""
    whole: bool = False


def spoken(name: str) -> str:
    """Return a column's name as words."""
    return name.replace("_", " ")


def share(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a share in percent with the ends of its interval.

    Example:
        >>> share(0.654, 0.596, 0.708).replace("\u00a0", " "), share(0.5).replace("\u00a0", " ")
        ('65 % (60 to 71)', '50 %')
    """
    if value is None:
        return "not known"
    ends = "" if low is None or high is None else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * value:.0f}\u00a0%{ends}".replace("-", "\u2212")


def gate_line(gate: Mapping[str, Any], outcome: Outcome) -> tuple[str, str]:
    """Return a gate of `verdict.json` in plain words, and what was measured.

    Example:
        >>> gate_line({"measure": "x.accuracy", "at_least": 0.6, "by": None}, Outcome("bad", "good"))[0].replace("\u00a0", " ")
        'right answers: at least 60 %'
    """
    compared = [measure_from_json(content) for content in gate.get("compared") or ()]
    bounds = {"at least": gate.get("at_least"), "at most": gate.get("at_most")}
    known = [bound for bound in bounds.values() if bound is not None]
    gap, kind = is_gap(str(gate["measure"])), str(gate["measure"])
    rates = _is_share(kind, compared[0].unit if compared else None, known)
    asked = " and ".join(f"{words} {_bound(bound, rates, gap)}" for words, bound in bounds.items() if bound is not None)
    by, group = gate.get("by"), gate.get("group")
    scope = f" by {by if isinstance(by, str) else ' and '.join(by)}" if by else ""
    scope += f" for {group_words(group)}" if group else ""
    words = f"{'gap in ' if gap else ''}{plain_measure(kind, outcome)}{scope}"
    values = [f"{_value(m, gap)} {TOO_FEW}" if m.unsupported else _value(m, gap) for m in compared[:2]] + (
        [f"and {len(compared) - 2} more"] if len(compared) > 2 else []
    )
    return f"{words}: {asked}" if asked else words, "; ".join(values) or "not measured"


def _bound(bound: float, rates: bool, gap: bool) -> str:
    return threshold(bound) if not rates else f"{threshold(round(100 * bound, 4))}{' points' if gap else f'{NO_BREAK}%'}"


def is_ratio(name: str) -> bool:
    """Whether a measure is a quotient between groups, by its name."""
    return name.partition("[")[0].removesuffix("_without_small").endswith(("_ratio", "four_fifths"))


def comparisons(results: Sequence[AuditResult], outcome: Outcome) -> tuple[Comparison, ...]:
    """Return the first metrics that an audit holds against a simple rule."""
    found = {m.name: m for result in results for m in result.measures if m.by is None and m.group is None}
    pairs = [
        (model, found[f"{name}_baseline"], found.get(f"{name}_gain"))
        for name, model in found.items()
        if f"{name}_baseline" in found and model.value is not None
    ]
    if pairs:
        return tuple(_comparison(*pair, outcome) for pair in pairs[:_METRICS])
    alone = [m for result in results if result.audit.endswith("performance") for m in result.measures if m.low is not None]
    alone = [m for m in alone if m.by is None and m.group is None and m.value is not None][:_METRICS]
    return tuple(Comparison(brief(plain_measure(m.name, outcome), _METRIC), _value(m), "none", "not compared") for m in alone)


def _comparison(model: Measure, rule: Measure, gain: Measure | None, outcome: Outcome) -> Comparison:
    judged = "not compared"
    if gain is not None and gain.low is not None and gain.high is not None:
        judged = "better" if gain.low > 0 else "worse" if gain.high < 0 else "no clear difference"
    words = plain_measure(model.name, outcome)
    return Comparison(brief(words, _METRIC), _value(model), _value(rule), judged)


def _value(measure: Measure, gap: bool = False) -> str:
    if measure.value is None:
        return "not known"
    if _is_share(measure.name, measure.unit, [measure.value]):
        text = share(measure.value, measure.low, measure.high)
        return text.replace(f"{NO_BREAK}%", " points") if gap else text
    text = interval(measure.value, measure.low, measure.high).replace(", ", " to ").replace("[", "(").replace("]", ")")
    whole = f"{text} {measure.unit or ''}".strip()
    return whole if width(whole) <= _VALUE else brief(text, _VALUE)  # an interval says more than a unit


_NO_SHARES = ("auc", "loss", "brier", "r2", "silhouette", "f1", "perplexity", "score")


def _is_share(name: str, unit: str | None, values: Sequence[float]) -> bool:
    """Whether numbers are shares of cases, which read as percents; what merely lies between 0 and 1 is none."""
    stem = name.partition(".")[2].partition("[")[0]
    rates = ("accuracy", "rate", "precision", "recall", "parity", "coverage", "match", "opportunity", "odds")
    shares = any(word in stem for word in rates) and not any(word in stem for word in _NO_SHARES)
    return unit is None and shares and not is_ratio(name) and all(0 <= value <= 1 for value in values)


def differences(results: Sequence[AuditResult], outcome: Outcome) -> tuple[Difference, ...]:
    """Return the gravest differences between groups: of each feature the gravest first, then others."""
    found: dict[tuple[str, tuple[str, ...]], tuple[Finding, Measure, list[Measure]]] = {}
    for result in results:
        for finding in sorted(result.findings, key=gravity):
            told = compared(finding, result.measures)
            if told is not None:
                found.setdefault((told[0].name, finding.by or ()), (finding, *told))
    ordered = sorted(found.values(), key=lambda entry: gravity(entry[0]))
    features = [gap.by for _, gap, _ in ordered]
    first = [entry for place, entry in enumerate(ordered) if entry[1].by not in features[:place]]
    chosen = (first + [entry for entry in ordered if entry not in first])[:_DIFFERENCES]
    return tuple(_difference(*entry, outcome) for entry in sorted(chosen, key=lambda entry: gravity(entry[0])))


def compared(finding: Finding, measures: Sequence[Measure]) -> tuple[Measure, list[Measure]] | None:
    """Return the gap between groups that a finding tells, with what it says of each of them; None where it tells none.

    The gap is the finding's first measure, by the features it names.
    """
    if not finding.measures or finding.by is None or finding.group is not None:
        return None
    known = [m for m in measures if m.name in finding.measures and m.by == finding.by and m.value is not None]
    gap = next((m for m in known if m.name == finding.measures[0] and m.group is None), None)
    groups = [m for m in known if m.group is not None]
    return None if gap is None or len(groups) < 2 else (gap, groups)


def _difference(finding: Finding, gap: Measure, groups: Sequence[Measure], outcome: Outcome) -> Difference:
    ranked = sorted(groups, key=_value_of)
    told = [m for m in ranked if m.group in finding.between] or [ranked[0], ranked[-1]]  # ends may be groups too small to tell
    shown = ranked if len(ranked) <= _GROUPS else told
    values = [end for m in groups for end in (m.value, m.low, m.high) if end is not None]
    rates = is_ratio(gap.name) or _is_share(gap.name, gap.unit, values)
    within = rates or (gap.unit is None and min(values) >= 0 and max(values) <= 1)
    start, end = (0.0, 1.0) if within else (min(0.0, *values), max(0.0, *values))
    title = f"{plain_measure(gap.name, outcome)}, by {spoken(' and '.join(gap.by or ()))}"
    return Difference(
        title=brief(title[:1].upper() + title[1:], _TITLE),
        bars=tuple(_group_bar(m, start, end, rates) for m in shown),
        others=len(groups) - len(shown),
        gap=_gap_words(gap, rates),
        judged=GAP_WORDS.get(finding.grade, ""),
        grade=finding.grade,
    )


def _value_of(measure: Measure) -> float:
    return measure.value or 0.0


def _group_bar(measure: Measure, start: float, end: float, rates: bool) -> Bar:
    words = share(measure.value) if rates else interval(measure.value, measure.low, measure.high).partition(" [")[0]
    sized = f" (n {number(measure.n)})" if measure.n is not None else ""

    def place(number: float | None) -> float | None:
        return None if number is None else round(100 * (number - start) / ((end - start) or 1), 1)

    name = " & ".join((measure.group or {}).values())
    return Bar(
        brief(name, _NAME), brief(f"{words}{sized}", 26), place(measure.value) or 0.0, place(measure.low), place(measure.high)
    )


def _gap_words(gap: Measure, rates: bool) -> str:
    known = gap.low is not None and gap.high is not None
    if is_ratio(gap.name):
        ends = f", likely between {gap.low:.2f} and {gap.high:.2f}" if known else ""
        return f"The lowest is {gap.value:.2f} times the highest{ends}."
    if not rates:
        value, _, between = interval(gap.value, gap.low, gap.high).rstrip("]").partition(" [")
        ends = f", likely between {between.replace(', ', ' and ')}" if between else ""
        return f"Gap: {value}{f' {brief(gap.unit, 16)}' if gap.unit else ''}{ends}."
    ends = f", likely between {100 * (gap.low or 0):.0f} and {100 * (gap.high or 0):.0f}" if known else ""
    return f"Gap: {100 * (gap.value or 0):.0f} points{ends}."


def drivers(results: Sequence[AuditResult]) -> Drivers | None:
    """Return what the model looks at most: a picture of it, else the inputs with the largest shares; None where nothing tells."""
    for result in (result for result in results if result.reliability is not None):
        grade = {"reliable": "ok", "use with care": "unclear"}.get(str(result.reliability), "concern")
        trust = TRUST_WORDS.get(str(result.reliability), f"Its checks say: {brief(str(result.reliability), 20)}.")
        shown = _picture(result)
        if shown is not None:
            finding, picture = shown
            return Drivers((), trust, grade, images([picture], _PICTURE)[0], brief(f"{opening(finding.sentence)}.", _SAID))
        bars = _shares(result)
        return Drivers(bars[:_DRIVERS], trust, grade, whole=len(bars) <= _DRIVERS)
    return None


def _shares(result: AuditResult) -> tuple[Bar, ...]:
    """Return the share of all influence of each input, the largest first; empty where no table tells it."""
    for table in (table for table in result.tables if SHARE_OF_INFLUENCE in table.columns):
        place = table.columns.index(SHARE_OF_INFLUENCE)
        known = [(str(row[0]), float(held)) for row in table.rows if isinstance(held := row[place], int | float)]
        ordered = sorted(known, key=lambda entry: -entry[1])
        return tuple(Bar(brief(spoken(name), _NAME), share(held), min(100.0, round(100 * held, 1))) for name, held in ordered)
    return ()


def _picture(result: AuditResult) -> tuple[Finding, Picture] | None:
    """Return the first finding that a picture stands behind, with the picture."""
    pictures = {picture.title: picture for picture in result.pictures}
    return next(((found, pictures[found.chart]) for found in result.findings if found.chart in pictures), None)
