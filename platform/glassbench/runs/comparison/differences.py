"""How every measure that two runs hold differs between them, and which differences chance would not show."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.contracts.recomputed import MeasureKey
from glassbench.runs.comparison.judged_run import Judged
from glassbench.runs.comparison.resamples import Resamples, resamples
from glassbench.runs.comparison.same_rows import SameRows, same_rows
from glassbench.stats.contrast import Contrast, independent, paired_mean, paired_share, standard_error
from glassbench.stats.estimate import Estimate, too_few
from glassbench.stats.gap_contrast import gap_contrast
from glassbench.stats.p_values import holm

ALPHA = 0.05
"""The share of comparisons of equal runs in which any measure is said to differ, at most."""

LEVEL = 0.95

How = Literal["paired", "independent"]


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasureDifference:
    """One measure in two runs.

    Args:
        first, second: The measure in either run.
        values: What it is on the rows that are compared, in either run; None where undefined.
        contrast: The second minus the first, with its limits; None where no interval can be given.
        how: Whether rows were paired, or the intervals of the two runs combined.
        reason: Why there is no interval, or why rows were not paired; None where they were.
        alike: Whether no row tells the two runs apart by this measure.
        p: p-value corrected for all measures compared (Holm 1979); None where there is none.
    """

    first: Measure
    second: Measure
    values: tuple[float | None, float | None]
    contrast: Contrast | None
    how: How | None
    reason: str | None = None
    alike: bool = False
    p: float | None = None

    @property
    def differs(self) -> bool:
        """Whether the difference is more than chance shows among as many measures."""
        return self.p is not None and self.p <= ALPHA

    @property
    def higher_is_better(self) -> bool | None:
        """The direction of the measure, None where neither is good."""
        return self.second.higher_is_better if self.first.higher_is_better is None else self.first.higher_is_better

    @property
    def better(self) -> str | None:
        """`first` or `second` where the measure differs and has a direction, else None."""
        if not self.differs or self.higher_is_better is None or self.contrast is None:
            return None
        return "second" if (self.contrast.value > 0) == self.higher_is_better else "first"

    def measure(self, level: float = LEVEL) -> Measure:
        """Return the difference as a measure of its own, with its interval at a level."""
        found = self.contrast.estimate(level) if self.contrast is not None else Estimate(value=None, undefined=self.reason)
        gates = self.first.not_judged or self.second.not_judged
        own = Measure.of(
            self.first.name,
            found,
            by=self.first.by,
            group=self.first.group,
            unit=self.first.unit,
            higher_is_better=self.higher_is_better,
        )
        return replace(own, not_judged=gates) if own.value is not None else own

    def to_json(self) -> dict[str, Any]:
        """Return both values, the difference and how it was told, as plain JSON values."""
        found = self.measure()
        numbers = {name: getattr(found, name) for name in ("value", "low", "high", "level")}
        told = {"how": self.how, "reason": self.reason, "alike": self.alike, "p": self.p}
        return {
            "name": self.first.name,
            "by": None if self.first.by is None else list(self.first.by),
            "group": None if self.first.group is None else dict(self.first.group),
            "unit": self.first.unit,
            "higher_is_better": self.higher_is_better,
            "first": asdict(self.first) | {"compared": self.values[0]},
            "second": asdict(self.second) | {"compared": self.values[1]},
            "difference": {**numbers, **told, "differs": self.differs, "better": self.better},
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class RunDifferences:
    """Every measure that two runs hold.

    Args:
        rows: How the rows of the runs relate.
        measures: The measures that both hold, what differs first.
        lacking: Measures of the first run that the second does not hold, and the other way round.
        tests: How many differences were corrected for.
    """

    rows: SameRows
    measures: tuple[MeasureDifference, ...]
    lacking: tuple[tuple[Measure, ...], tuple[Measure, ...]]
    tests: int


def differences(first: Judged, second: Judged) -> RunDifferences:
    """Compare every measure that two runs hold: on the same rows pairwise, else by intervals; Holm's correction over all.

    Args:
        first: The run that the other is held against.
        second: The other run.

    Raises:
        RunError: A run is damaged.
    """
    rows, drawn = _rows(first, second)
    ours, theirs = first.measures, second.measures
    found = [_difference(key, ours[key], theirs[key], rows, drawn) for key in ours if key in theirs]
    found = [_unclocked(one) if first.by_clock(one.first.name) or second.by_clock(one.first.name) else one for one in found]
    corrected, tests = _corrected(found)
    order = sorted(corrected, key=lambda d: (not d.differs, 2.0 if d.p is None else d.p))
    left = tuple(m for key, m in ours.items() if key not in theirs), tuple(m for key, m in theirs.items() if key not in ours)
    return RunDifferences(rows=rows, measures=tuple(order), lacking=left, tests=tests)


def _rows(first: Judged, second: Judged) -> tuple[SameRows, tuple[Resamples, Resamples] | None]:
    nothing = np.array([], dtype=np.int64)
    if first.frame is None or second.frame is None:
        lacking = first if first.frame is None else second
        words = f"run {lacking.name} holds no predictions"
        return SameRows(kind="independent", words=words, first=nothing, second=nothing), None
    one = bool(first.fingerprint) and first.fingerprint == second.fingerprint
    rows = same_rows(first.frame, second.frame, one_data_set=one)
    if rows.kind == "independent":
        return rows, (resamples(first), resamples(second))
    return rows, (resamples(first, rows.first), resamples(second, rows.second))


def _difference(
    key: MeasureKey, first: Measure, second: Measure, rows: SameRows, drawn: tuple[Resamples, Resamples] | None
) -> MeasureDifference:
    """Return one measure in both runs, by the sharpest way that its rows and its audit allow."""
    bare = MeasureDifference(first=first, second=second, values=(first.value, second.value), contrast=None, how=None)
    if first.unit != second.unit:
        return replace(bare, reason=f"the units differ: {first.unit or 'none'} and {second.unit or 'none'}")
    for measure in (first, second):
        if measure.value is None or measure.unsupported is not None:
            return replace(bare, reason=measure.undefined or f"too few events: {measure.unsupported}")
    if drawn is not None and (found := _resampled(key, bare, rows, drawn)) is not None:
        return found
    if rows.kind == "shared":
        return replace(bare, reason=f"{rows.words}, and its audit does not measure it on these alone")
    contrast = _by_intervals(first, second)
    if contrast is None:
        return replace(bare, reason="a run gives the measure no interval")
    why = rows.words if rows.kind == "independent" else "its audit does not measure it on resampled rows"
    ends = zip((first.value, first.low, first.high), (second.value, second.low, second.high), strict=True)
    alike = rows.kind == "same" and all(a == b or (a is not None and _equal(a, b)) for a, b in ends)
    return replace(bare, contrast=contrast, how="independent", reason=f"not paired: {why}", alike=alike)


def _unclocked(found: MeasureDifference) -> MeasureDifference:
    """Return a difference of times without an interval: those of the runs say how repeats vary at one moment alone."""
    if found.contrast is None:
        return found
    reason = "it was measured at two moments, and what else the machine did then shows too"
    return replace(found, contrast=None, how=None, reason=reason)


def _by_intervals(first: Measure, second: Measure) -> Contrast | None:
    """Return the difference from the two intervals; a gap may be overstated in either."""
    estimates = [Estimate(value=m.value, low=m.low, high=m.high, level=m.level, n=m.n) for m in (first, second)]
    return independent(estimates[0], estimates[1], biased=first.by is not None and first.group is None)


def _resampled(
    key: MeasureKey, bare: MeasureDifference, rows: SameRows, drawn: tuple[Resamples, Resamples]
) -> MeasureDifference | None:
    """Return a difference from resampled rows; None where an audit computes the measure otherwise than it is stored."""
    paired = rows.kind != "independent"
    if paired and all(key in each.numbers for each in drawn):
        places = [each.numbers[key] for each in drawn]
        values = tuple(float(each.value[at]) for each, at in zip(drawn, places, strict=True))
        contrast, alike = _paired_number(drawn, places)
    elif all(key in each.gaps for each in drawn):
        gaps = [each.gaps[key] for each in drawn]
        values = tuple(each.gap(gap) for each, gap in zip(drawn, gaps, strict=True))
        numbers = [each.of_groups(gap) for each, gap in zip(drawn, gaps, strict=True)]
        units = min(each.sampling.n for each in drawn)
        df = min(_freedom(each) for each in drawn)
        contrast = gap_contrast(numbers[0], numbers[1], gaps[0].kind, units=units, df=df, same_rows=paired)
        alike = paired and np.array_equal(numbers[0].draws, numbers[1].draws, equal_nan=True)
    else:
        return None
    stored = (bare.first.value, bare.second.value)
    if rows.kind != "shared" and not all(_equal(a, b) for a, b in zip(values, stored, strict=True)):
        return None
    told = tuple(value if math.isfinite(value) else None for value in values)
    if contrast is None or None in told:
        return replace(bare, values=told, reason="it is not defined on the rows that are compared")  # type: ignore[arg-type]
    how: How = "paired" if paired else "independent"
    why = None if rows.kind == "same" else rows.words if paired else f"not paired: {rows.words}"
    return replace(bare, values=told, contrast=contrast, how=how, reason=why, alike=alike)  # type: ignore[arg-type]


def _paired_number(drawn: tuple[Resamples, Resamples], places: Sequence[int]) -> tuple[Contrast | None, bool]:
    (first, second), (a, b) = drawn, places
    sampling, number = first.sampling, first.recomputed.numbers[a]
    value = float(second.value[b] - first.value[a])
    moved = second.draws[:, b] - first.draws[:, a]
    error = standard_error(moved, sampling.n)
    n = min(each.size(each.recomputed.numbers[at]) for each, at in zip(drawn, places, strict=True))
    if not (math.isfinite(value) and math.isfinite(error)) or too_few(sampling.effective, sampling.noun) is not None:
        return None, False
    alike = value == 0 and error <= 1e-12
    if number.share:
        return paired_share(value, error, n, _freedom(first)), alike
    return paired_mean(value, error, sampling.n, sampling.freedom), alike


def _freedom(drawn: Resamples) -> float:
    return math.inf if drawn.sampling.binomial else drawn.sampling.freedom


def _equal(computed: float, stored: float | None) -> bool:
    return stored is not None and math.isclose(computed, stored, rel_tol=1e-9, abs_tol=1e-9)


def _corrected(found: Sequence[MeasureDifference]) -> tuple[list[MeasureDifference], int]:
    """Return the differences with p-values corrected for all of them, each distinct one counted once, and how many these are.

    Measures that no row tells apart could not have differed, and are no test; the same number under two names is one.
    """
    tested = [d.contrast is not None and not d.alike and math.isfinite(d.contrast.p) for d in found]
    distinct: dict[tuple[float, ...], float] = {}
    keys = [_identity(d) if test else None for d, test in zip(found, tested, strict=True)]
    for difference, key in zip(found, keys, strict=True):
        if key is not None and difference.contrast is not None:
            distinct.setdefault(key, difference.contrast.p)
    p = dict(zip(distinct, holm(np.array(list(distinct.values()))).tolist(), strict=True))
    corrected = [replace(d, p=1.0 if d.alike else None if key is None else p[key]) for d, key in zip(found, keys, strict=True)]
    return corrected, len(p)


def _identity(difference: MeasureDifference) -> tuple[float, ...]:
    assert difference.contrast is not None
    values = (*difference.values, difference.contrast.p)
    return tuple(round(0.0 if value is None else float(value), 12) for value in values)
