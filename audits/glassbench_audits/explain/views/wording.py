"""The explanation's findings, in sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.contracts.subject import Subject
from glassbench.printable import continued, plural
from glassbench.stats.grade import Grade
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.directions import Direction
from glassbench_audits.attribution.importance import Importance
from glassbench_audits.attribution.values import spoken_class
from glassbench_audits.explain.checks.reliability import FEWEST_ROWS, Check, Reliability, weakest

MONOTONE, CONSTANT = 0.8, 0.9
"""Rises minus falls, over both, and share of rows on one side, from which a direction is stated."""

DRIVERS = "What drives the decisions"
"""Title of the chart of the most important inputs."""

DIRECTED = 20
"""The most inputs, the most important ones, whose direction is looked for."""

_NAMED = 3
"""The most inputs named as those that may matter most."""

_GRADES: dict[Reliability, Grade] = {
    "reliable": "ok",
    "use with care": "unclear",
    "do not rely": "concern",
}
_STEPS: dict[Reliability, str] = {
    "reliable": "",
    "use with care": "Do not act on the explanation alone.",
    "do not rely": "Do not use the explanation, or ask for another method.",
}


def output_words(subject: Subject) -> str:
    """Return what is explained, in words."""
    return str(getattr(subject.task, "attribution_output_name", None) or subject.kind.attribution_words(subject.schema))


def direction_words(subject: Subject, picture: Importance, unit: int) -> str | None:
    """Return which values push which way, in words, or that it depends; None where nothing is known of it."""
    return pushing_words(picture.directions[unit], spoken_class(subject))


def pushing_words(one: Direction, name: str | None) -> str | None:
    """Return which values push which way, in words, or that it depends; None where nothing is known of it.

    Args:
        one: The direction.
        name: The class that is pushed towards; None where a number goes up or down.
    """
    if np.isnan(one.raising):
        return None
    steady = max(one.raising, 1 - one.raising) >= CONSTANT
    if one.category is not None:
        if not steady:
            return f"'{one.category}' pushes most, {_either(name, one.raising)}"
        if name is None:
            return f"'{one.category}' {'raises' if one.up else 'lowers'} it most, {_where(one)}"
        return f"'{one.category}' pushes most, {'towards' if one.up else 'away from'} '{name}' {_where(one)}"
    if not steady:
        return f"higher values push {_either(name, one.raising)}"
    if abs(one.monotone) < MONOTONE:
        return "it pushes both ways along its range"
    if name is None:
        return f"higher values {'raise' if one.up else 'lower'} it {_where(one)}"
    return f"higher values push {'towards' if one.up else 'away from'} '{name}' {_where(one)}"


def _where(one: Direction) -> str:
    """Return in how many rows a direction holds, in words, and in how many the next higher values go the other way."""
    rows = f"in all {one.rows} rows asked" if one.holding == one.rows else f"in {one.holding} of {one.rows} rows asked"
    return rows if not one.against else f"{rows}, but the next higher values do the reverse in {one.against} of {sum(one.steps)}"


def _either(name: str | None, raising: float) -> str:
    """Return that a direction is not the same in all rows, in words."""
    ways = ("up", "down") if name is None else (f"towards '{name}'", "away from it")
    return f"{ways[0]} in {in_percent(raising)} of rows, {ways[1]} in the others: it depends on other inputs"


def driver_findings(
    subject: Subject, names: tuple[str, ...], picture: Importance, shown: str | None = None, place: str | None = None
) -> tuple[Finding, ...]:
    """Return what drives the decisions most, and what hardly matters.

    Args:
        subject, names, picture: What is explained, its inputs and their importance.
        shown: Title of the picture that shows it; None for the chart of the inputs.
        place: Where in a picture the inputs lie that may matter most, said instead of their names; None where inputs have names.
    """
    if not names or picture.mean.sum() == 0:
        return ()
    text = _alone(subject, names, picture) if len(picture.leaders) == 1 else _together(subject, names, picture)
    if place is not None:
        text = _mapped(subject, len(names), picture, place)
    finding = Finding(sentence=f"{text}.", grade="ok", measures=("explain.largest_share",), weight=0.6, chart=shown or DRIVERS)
    return (finding, *(_followers(names, picture) if place is None else ()))


def _mapped(subject: Subject, parts: int, picture: Importance, place: str) -> str:
    share = in_percent(float(picture.share[list(picture.leaders)].sum()))
    return (
        f"{place[0].upper()}{place[1:]} of the picture drives the decisions most: {len(picture.leaders)} of {parts} parts, which "
        f"move {output_words(subject)} most, carry {share} of all influence"
    )


def leading_names(names: tuple[str, ...], picture: Importance) -> str:
    """Return the inputs that may matter most, in words: those whose intervals overlap that of the first, three by name."""
    leaders = [names[unit] for unit in picture.leaders]
    if len(leaders) > _NAMED + 1:  # "and 1 more" would leave out a name and save no room
        leaders = [*leaders[:_NAMED], f"{len(leaders) - _NAMED} more"]
    return " and ".join(filter(None, (", ".join(leaders[:-1]), leaders[-1])))


def _alone(subject: Subject, names: tuple[str, ...], picture: Importance) -> str:
    first = int(picture.order[0])
    pushes = direction_words(subject, picture, first)
    return (
        f"{names[first]} drives the decisions most: on average it moves {output_words(subject)} by {_size(picture, first)}, "
        f"{in_percent(picture.share[first])} of all influence{f'; {pushes}' if pushes else ''}"
    )


def _together(subject: Subject, names: tuple[str, ...], picture: Importance) -> str:
    leaders = picture.leaders
    named = [int(unit) for unit in (leaders if len(leaders) <= _NAMED + 1 else leaders[:_NAMED])]
    sizes = ", ".join(_size(picture, unit) for unit in named)
    pushes = [f"{names[u]}: {said}" for u in named if (said := direction_words(subject, picture, u))]
    return (
        f"{leading_names(names, picture)} drive the decisions most: on average they move {output_words(subject)} by {sizes}; "
        f"which of them more can't be told{''.join(f'; {said}' for said in pushes)}"
    )


def _size(picture: Importance, unit: int) -> str:
    return f"{picture.mean[unit]:.3g} [{picture.low[unit]:.3g}, {picture.high[unit]:.3g}]"


def _followers(names: tuple[str, ...], picture: Importance) -> tuple[Finding, ...]:
    shares = picture.share[picture.order]
    needed = int(np.searchsorted(np.cumsum(shares), 0.8)) + 1
    if needed < 2 or len(names) < 4:
        return ()
    listed = ", ".join(f"{names[u]} ({in_percent(picture.share[u])})" for u in picture.order[: min(needed, 5)])
    text = f"{needed} of {len(names)} inputs carry four fifths of the influence, first {listed}."
    return (Finding(sentence=text, grade="ok", weight=0.3),)


def silence_finding(picture: Importance) -> tuple[Finding, ...]:
    """Return a finding when nothing drives the decisions at all."""
    if picture.mean.sum() > 0:
        return ()
    text = "The model's output does not depend on any input: there is nothing to explain."
    return (Finding(sentence=text, grade="concern", weight=0.9, next_step="Check that the model was trained."),)


def reliability_finding(word: Reliability, checks: tuple[Check, ...], rows: int, unit: str) -> Finding:
    """Return how far the explanation can be trusted, which tests say so, and on how many rows it stands.

    Args:
        word: How far.
        checks: The self-tests.
        rows: How many rows were explained.
        unit: What a row is called.
    """
    made = [check for check in checks if check.outcome != "not applicable"]
    missed = [check for check in made if check.outcome != "passed"]
    text = f"The explanation of {rows:,} {plural(unit, rows)} is graded '{word}'{_because(word, missed, rows)}: {_passed(checks)}"
    text += f" ({'; '.join(f'{check.name}: {check.result}' for check in missed)})" if missed else f"; {weakest_words(checks)}"
    names = tuple(check.measure.name for check in made)
    few = not missed and rows < FEWEST_ROWS
    return Finding(
        sentence=f"{text}.",
        grade=_GRADES[word],
        measures=("explain.reliable", *names),
        weight=0.5 if word == "reliable" else 0.85,
        next_step=f"Explain at least {FEWEST_ROWS} {plural(unit)} before the explanation is used." if few else _STEPS[word],
    )


def _because(word: Reliability, missed: Sequence[Check], rows: int) -> str:
    """Return why no better word can be given: the tests that were not passed, one failed test being enough, or too few rows."""
    if word == "reliable":
        return ""
    if not missed and rows < FEWEST_ROWS:
        return f" because a reliable one stands on {FEWEST_ROWS} or more"
    if not missed:
        return " because too few self-tests could be made"
    failed = [check for check in missed if check.outcome == "failed"]
    if failed:
        return f" because the {_listed(failed)} failed (one failed test is enough)"
    said = [_listed(part) + verb for part, verb in _in_part(missed) if part]
    return f" because the {' and the '.join(said)}; no test failed"


def _in_part(missed: Sequence[Check]) -> tuple[tuple[list[Check], str], tuple[list[Check], str]]:
    """Return the tests without a figure, which could not be made, and those passed in part, with what is said of each."""
    bare = [check for check in missed if check.measure.value is None]
    return (bare, " could not be made"), (
        [check for check in missed if check not in bare],
        f" {'were' if len(missed) - len(bare) > 1 else 'was'} passed only in part",
    )


def _listed(checks: Sequence[Check]) -> str:
    names = [check.name for check in checks]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) + f" test{'s' if len(names) > 1 else ''}"


def standing_words(checks: tuple[Check, ...], rows: int, unit: str) -> str:
    """Return on how many rows the explanation stands, how many self-tests passed, and the one that says least for it."""
    least = weakest_words(checks)
    return f"on {rows} {plural(unit, rows)}{f'; {_passed(checks)}; {least}' if least else ''}"


def _passed(checks: Sequence[Check]) -> str:
    made = [check.outcome for check in checks if check.outcome != "not applicable"]
    return f"{made.count('passed')} of {len(made)} self-tests passed"


def weakest_words(checks: tuple[Check, ...]) -> str | None:
    """Return the self-test that says least for the explanation, with its figure, or None where none could be made."""
    least = weakest(checks)
    if least is None:
        return None
    outcome = "" if least.outcome == "passed" else f" ({least.outcome})"
    return f"weakest test: {least.name}{outcome}, {least.result}"


def as_reliable(word: Reliability, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what an explanation says, as far as its reliability grade lets it: nothing passes that is not to be relied on."""
    if word != "do not rely":
        return tuple(findings)
    return tuple(
        replace(one, sentence=f"By an explanation not to be relied on, {continued(one.sentence)}", grade="unclear")
        if one.grade == "ok"
        else one
        for one in findings
    )


def replacement_finding(reason: str | None) -> tuple[Finding, ...]:
    """Return that another method took the place of the one asked for, and why."""
    return () if reason is None else (Finding(sentence=f"{reason}.", grade="ok", weight=0.7),)
