"""Every group against one that was chosen: differences and ratios, corrected for how many there are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.contracts.spelled_names import as_known
from glassbench.errors import SettingsError, suggest
from glassbench.stats.intervals import mover_difference, mover_ratio
from glassbench.stats.percent import in_percent
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical
from glassbench_audits.fairness.frames.sizes import sizeable
from glassbench_audits.fairness.frames.stacked_frame import counted_numbers
from glassbench_audits.fairness.frames.wording import figure, gap_words


@dataclass(frozen=True, kw_only=True)
class Against:
    """One number of one group held against that of the reference group.

    Args:
        frame: The numbers.
        metric, group, reference: Positions in the frame.
        difference, ratio: Group minus reference, and group divided by reference, each with the ends of its interval.
        large: Whether both groups are large enough for a finding.
    """

    frame: GroupFrame
    metric: int
    group: int
    reference: int
    difference: tuple[float, float, float]
    ratio: tuple[float, float, float]
    large: bool


def against_reference(
    group_frames: Sequence[GroupFrame], chosen: Mapping[str, str], level: float, small: int | None
) -> tuple[Against, ...]:
    """Return every rate of every group against the reference group of its feature.

    Intervals hold together over all groups and rates of a feature (Bonferroni).

    Args:
        group_frames: Panels over all rows.
        chosen: The reference group of each feature.
        level: Confidence level.
        small: As the fairness audit's setting.

    Raises:
        SettingsError: A feature or a group is not there.
    """
    single = {frame.by[0]: frame for frame in group_frames if len(frame.by) == 1}
    found: list[Against] = []
    for feature, value in chosen.items():
        _known("feature", feature, list(single))
        frame = single[feature]
        values = [group.values[0] for group in frame.groups]
        value = _known(f"group of {feature}", as_known(value, values), values)
        found += _of_feature(frame, values.index(value), level, small)
    return tuple(found)


def reference_measures(found: Sequence[Against], level: float) -> Iterator[Measure]:
    """Yield difference and ratio of each rate and group."""
    for a in found:
        metric, group = a.frame.metrics[a.metric], a.frame.groups[a.group]
        of = "" if metric.klass is None else f"[{metric.klass}]"
        for name, (value, low, high) in (("difference", a.difference), ("ratio", a.ratio)):
            known = np.isfinite(value)
            yield Measure(
                name=f"fairness.{metric.name}_{name}_to_reference{of}",
                value=value if known else None,
                low=low if known and np.isfinite(low) else None,
                high=high if known and np.isfinite(high) else None,
                level=level,
                n=int(a.frame.n[a.metric, a.group]),
                by=group.by,
                group=group.mapping,
                undefined=None if known else f"a group has no {metric.of}, or the reference group's rate is 0",
            )


def reference_table(found: Sequence[Against], level: float) -> Iterator[Table]:
    """Yield one table per feature."""
    for feature in dict.fromkeys(a.frame.by[0] for a in found):
        these = [a for a in found if a.frame.by[0] == feature]
        label = these[0].frame.groups[these[0].reference].label
        rows = [
            (a.frame.metrics[a.metric].words, a.frame.groups[a.group].label, *map(_cell, a.difference), *map(_cell, a.ratio))
            for a in these
        ]
        yield Table(
            title=f"Groups of {feature} against “{label}”",
            columns=("what", "group", "difference", "low", "high", "ratio", "low ratio", "high ratio"),
            rows=tuple(rows),
            note=f"Intervals hold together at {in_percent(level)} over the {len(these)} comparisons of the table (Bonferroni).",
        )


def reference_findings(
    found: Sequence[Against], allowed: float, judged: Sequence[str], level: float, remedy: str
) -> Iterator[Finding]:
    """Yield one finding per judged rate and group that surely lies farther from the reference group than is allowed."""
    for a in found:
        metric, (value, low, high) = a.frame.metrics[a.metric], a.difference
        criterion = "demographic_parity" if metric.name == "selection_rate" else metric.name
        beyond = low > allowed or high < -allowed
        named = criterion if metric.klass is None else f"{criterion}[{metric.klass}]"
        if a.large and beyond and named in judged:
            word = "higher" if value > 0 else "lower"
            size = (value, low, high) if value > 0 else (-value, -high, -low)
            of = f" of “{metric.outcome}”" if metric.outcome else ""
            rates = f"{figure(a.frame, a.metric, a.group, level)} against {figure(a.frame, a.metric, a.reference, level)}"
            yield Finding(
                sentence=(
                    f"Against the reference group {a.frame.groups[a.reference].words}, the {metric.words}{of} is {word} for "
                    f"{a.frame.groups[a.group].words}: {rates}. The gap, {gap_words(*size, metric)}, is above the "
                    f"{100 * allowed:.0f} points allowed, corrected for every comparison with the reference group."
                ),
                grade="concern",
                measures=(
                    f"fairness.{metric.name}_difference_to_reference{'' if metric.klass is None else f'[{metric.klass}]'}",
                ),
                weight=round(0.7 + 0.3 * min(1.0, abs(value)), 4),
                group=a.frame.groups[a.group].mapping,
                answers="differences",
                next_step=f"Look at {a.frame.groups[a.group].words} beside the reference group; then {remedy}.",
            )


def _of_feature(frame: GroupFrame, reference: int, level: float, small: int | None) -> list[Against]:
    counted, large = counted_numbers(frame), sizeable(frame.evidence, small)
    metrics = range(len(frame.metrics) if counted is None else len(counted[0]))
    others = [g for g in range(len(frame.groups)) if g != reference]
    z = critical(1 - (1 - level) / max(1, len(metrics) * len(others)))
    limits = frame.limits(z)
    found = []
    for k in metrics:
        base = tuple(part[k, reference] for part in limits)
        for g in others:
            mine = tuple(part[k, g] for part in limits)
            apart = mover_difference(mine, base)
            ratio = mover_ratio(mine, base) if frame.ratios else (np.nan, np.nan)
            quotient = mine[0] / base[0] if frame.ratios and base[0] > 0 else np.nan
            found.append(
                Against(
                    frame=frame,
                    metric=k,
                    group=g,
                    reference=reference,
                    difference=(float(mine[0] - base[0]), float(apart[0]), float(apart[1])),
                    ratio=(float(quotient), float(ratio[0]), float(ratio[1])),
                    large=bool(large[k, g] and large[k, reference]),
                )
            )
    return found


def _known(what: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        fix = suggest(name, known)
        raise SettingsError(f"fairness.reference names no {what}", got=name, available=list(known), fix=fix)
    return name


def _cell(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
