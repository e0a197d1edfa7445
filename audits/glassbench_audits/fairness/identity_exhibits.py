"""Findings, tables and charts of the audit of identity terms."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.measure_words import measure_words
from glassbench.contracts.subject import Subject
from glassbench.stats.grade import Grade
from glassbench.stats.percent import in_percent
from glassbench_audits.fairness.frames.subgroup_auc import MEANINGS, Area
from glassbench_audits.fairness.swaps import Swapped

PICTURE = "What naming another group does"
"""Title of the chart of the shifts."""


def _step(grade: Grade) -> str:
    return "Train with texts that name every group alike, or mask the terms." if grade == "concern" else ""


class Allowed(Protocol):
    """What is let pass, and how intervals are made."""

    @property
    def flips(self) -> float:
        """Largest share of decisions that a swap may change."""
        ...

    @property
    def shift(self) -> float:
        """Largest mean shift of a score by a swap."""
        ...

    @property
    def auc(self) -> float:
        """Largest loss of area."""
        ...

    @property
    def replicates(self) -> int:
        """Resamples."""
        ...

    @property
    def least(self) -> int:
        """Rows below which a group is too small to tell."""
        ...

    @property
    def level(self) -> float:
        """Confidence level of the intervals that are shown."""
        ...


def scored(subject: Subject) -> str:
    """Return what a swap shifts, in words."""
    if not subject.class_outputs:
        return "the log-likelihood per token"
    output = subject.class_outputs[0]
    if len(output.classes) == 2:
        return f"the score of “{output.spoken}”"
    return "the score of the class predicted before"


def swap_finding(subject: Subject, outcome: Swapped, allowed: Allowed, level: float) -> Finding:
    """Return what a swap does; its grade allows for all swaps that are looked at.

    Args:
        subject, outcome: What was asked.
        allowed: What is let pass, and the level of the intervals that are shown.
        level: The level at which all swaps' intervals hold together, by which the finding is graded.
    """
    n, swap = len(outcome.shift), outcome.swap
    generator = subject.generator(f"identity.shift.{swap.family}.{swap.words}")
    shift, sure = (outcome.mean_shift(generator, replicates=allowed.replicates, level=at) for at in (allowed.level, level))
    grades = [_inside(sure, -allowed.shift, allowed.shift)]
    alone = [_inside(shift, -allowed.shift, allowed.shift)]
    text = f"Replacing terms for “{swap.written}” by terms for “{swap.put}” ({swap.family}) in {n} texts "
    names = [f"identity.score_shift[{swap.words}]"]
    if len(outcome.flipped):
        flips = outcome.flips(allowed.level)
        grades.append(_inside(outcome.flips(level), -1.0, allowed.flips))
        alone.append(_inside(flips, -1.0, allowed.flips))
        text += f"changes {in_percent(flips[0])} [{in_percent(flips[1])}, {in_percent(flips[2])}] of the decisions and "
        names.append(f"identity.flip_share[{swap.words}]")
    text += f"moves {scored(subject)} by {shift[0]:+.3f} [{shift[1]:+.3f}, {shift[2]:+.3f}]"
    grade = _together(grades) if n >= allowed.least else "unclear"
    limit = (
        f"{in_percent(allowed.flips)} and {allowed.shift:g} are allowed"
        if len(outcome.flipped)
        else f"{allowed.shift:g} is allowed"
    )
    few = "; too few texts to tell" if n < allowed.least else _once_corrected(grade, alone)
    weight = 0.8 if grade == "concern" else 0.4
    return Finding(
        sentence=f"{text}; {limit}{few}.",
        grade=grade,
        measures=tuple(names),
        weight=weight,
        chart=PICTURE,
        next_step=_step(grade),
        answers="differences",
    )


def _once_corrected(grade: Grade, alone: Sequence[Grade]) -> str:
    """Say why a swap whose own interval decides is unclear all the same."""
    return " once the number of comparisons is allowed for" if grade == "unclear" and _together(alone) != "unclear" else ""


def area_finding(key: tuple[str, str], found: Sequence[Area], everyone: Area, allowed: Allowed) -> Finding | None:
    """Return whether the scores of a group's texts lie where everyone's do; None where nothing can be said of it."""
    defined = [each for each in found if each.value == each.value]
    if not defined or everyone.value != everyone.value:
        return None
    worst = min(defined, key=lambda each: each.value)
    floor = everyone.value - allowed.auc
    grades = [_inside((each.value, each.low, each.high), floor, 2.0) for each in defined]
    small = min(min(each.positives, each.negatives) for each in defined) < allowed.least
    grade = "unclear" if small else _together(grades)
    said = {"concern": "are ranked worse than all texts", "ok": "are ranked as well as all texts"}
    verdict = said.get(grade, "may be ranked worse than all texts")
    text = (
        f"Texts that mention “{key[1]}” ({key[0]}) {verdict}: area under the curve {worst.value:.3f} [{worst.low:.3f}, "
        f"{worst.high:.3f}] ({MEANINGS[worst.name]}, the lowest of three comparisons), against {everyone.value:.3f} over all rows"
    )
    few = "; too few texts to tell" if small else ""
    weight = 0.7 if grade == "concern" else 0.3
    step = "Add texts that mention this group with either label, and compare again." if grade == "concern" else ""
    names = (f"identity.{worst.name}",)
    sentence = f"{text}{few}."
    return Finding(sentence=sentence, grade=grade, measures=names, weight=weight, next_step=step, answers="differences")


def swaps_table(subject: Subject, outcomes: Sequence[Swapped], level: float, replicates: int) -> Table:
    """Return every swap with the share of decisions it changes and the shift of the score."""
    rows = []
    for outcome in outcomes:
        generator = subject.generator(f"identity.shift.{outcome.swap.family}.{outcome.swap.words}")
        shift = outcome.mean_shift(generator, replicates=replicates, level=level)
        flips = outcome.flips(level) if len(outcome.flipped) else (None, None, None)
        rows.append((outcome.swap.family, outcome.swap.words, len(outcome.shift), *flips, *shift))
    return Table(
        title="Counterfactual swaps",
        columns=("family", "swap", "texts", "decisions changed", "low", "high", "mean shift", "low", "high"),
        rows=tuple(rows),
        note=f"The shift is that of {scored(subject)}; intervals at {in_percent(level)}, each alone.",
    )


def areas_table(measured: Mapping[tuple[str, str], Sequence[Area]], level: float) -> Table:
    """Return every area with its interval."""
    rows = tuple(
        (
            family or "all rows",
            group,
            measure_words(each.name),
            *((each.value, each.low, each.high) if each.value == each.value else (None, None, None)),
            each.positives,
            each.negatives,
        )
        for (family, group), found in measured.items()
        for each in found
    )
    note = "; ".join(f"{name.replace('_', ' ')}: {meaning}" for name, meaning in MEANINGS.items())
    return Table(
        title="Areas under the curve, with and without a mention",
        columns=("family", "group", "area", "value", "low", "high", "positive rows", "negative rows"),
        rows=rows,
        note=f"{note}. Intervals of groups hold together at {in_percent(level)}.",
    )


def swaps_chart(subject: Subject, outcomes: Sequence[Swapped], level: float, replicates: int) -> Chart:
    """Return the mean shift of each swap with its interval."""
    rows = []
    for outcome in outcomes:
        generator = subject.generator(f"identity.shift.{outcome.swap.family}.{outcome.swap.words}")
        value, low, high = outcome.mean_shift(generator, replicates=replicates, level=level)
        rows.append({"y": outcome.swap.words, "x": value, "low": low, "high": high, "size": f"n {len(outcome.shift):,}"})
    return Chart(
        kind="intervals",
        title=PICTURE,
        message=f"Mean shift of {scored(subject)} when the terms of one group stand where those of another stood.",
        rows=tuple(rows),
        x_title="mean shift",
        y_title="swap",
        reference=(0.0, "no shift"),
    )


def _inside(numbers: tuple[float, float, float], least: float, most: float) -> Grade:
    """Return pass when an interval lies within bounds, fail when it lies outside, else insufficient evidence."""
    _, low, high = numbers
    if least <= low and high <= most:
        return "ok"
    return "concern" if high < least or low > most else "unclear"


def _together(grades: Sequence[Grade]) -> Grade:
    if "concern" in grades:
        return "concern"
    return "unclear" if "unclear" in grades else "ok"
