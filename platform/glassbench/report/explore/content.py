"""The explorer of the decision threshold: the counts it works on, checked against the measures of the run's audits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from glassbench.contracts.evidence import Measure
from glassbench.printable import plural
from glassbench.report.explore.threshold_counts import LEAST, RATES, Feature, GroupCounts, ThresholdCounts, count_by_score
from glassbench.report.record import Record

_MOST_ROWS = 2_000_000
_EQUAL = 1e-9
_SELECTION = "selection_rate"
_WEIGHED = {"weight": "rows carry weights", "cluster": "rows hang together in clusters"}


@dataclass(frozen=True)
class Exploring:
    """What the page holds for its explorer.

    Args:
        content: Counts and words as plain JSON values; None where there are none.
        reason: Why a choice by scores has no explorer, or None.
    """

    content: Mapping[str, Any] | None
    reason: str | None = None


def exploring(record: Record) -> Exploring | None:
    """Return the counts of a run that chose by scores, between two classes or for each of several labels; None for others."""
    target, path = record.schema.get("target") or {}, record.folder / "predictions.parquet"
    classes, kind = [str(name) for name in target.get("classes") or ()], target.get("kind")
    if kind not in ("class", "labels") or not path.is_file():
        return None
    names = pq.read_schema(path).names
    choices = choices_of(classes, str(kind), target.get("positive"), names)
    if not choices:
        several = kind == "class" and len(classes) > 2 and f"score.{classes[0]}" in names
        return Exploring(None, f"the likeliest of {len(classes)} classes is predicted") if several else None
    lacking = next((reason for column, reason in _WEIGHED.items() if column in names), None)
    if lacking is not None:
        return Exploring(None, f"{lacking}, and intervals need more than counts then")
    if pq.read_metadata(path).num_rows > _MOST_ROWS:
        return Exploring(None, f"there are more than {_MOST_ROWS:,} rows")
    kept = [name for name in names if name == "frequency" or name.startswith("group.")]
    frame = pd.read_parquet(path, columns=list(dict.fromkeys([*(c for one in choices for c in one.columns), *kept])))
    stated = (record.resolved.get("task") or {}).get("threshold")
    found = [(one, count_by_score(one.rows(frame), one.positive, stated)) for one in choices]
    known = [(one, counts) for one, counts in found if counts is not None]
    if not known:
        return Exploring(None, "the predictions do not follow from a threshold on the scores")
    return Exploring(_content(record, known, classes))


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One choice by a score.

    Args:
        positive: What is predicted from a threshold on.
        label: Its name among several labels; empty where there is one choice between two classes.
    """

    positive: str
    label: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of predictions that it takes: truth, prediction and score."""
        of = f".{self.label}" if self.label else ""
        return f"y_true{of}", f"y_pred{of}", f"score.{self.positive}"

    @property
    def suffix(self) -> str:
        """What measures of it end in."""
        return f"[{self.label}]" if self.label else ""

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return predictions with its truth and prediction as classes."""
        if not self.label:
            return frame
        truth, decided = (frame[column] for column in self.columns[:2])
        said = [values.map({0: "", 1: self.positive}) for values in (truth, decided)]
        return frame.assign(y_true=said[0], y_pred=said[1])


def choices_of(classes: Sequence[str], kind: str, positive: object, names: Sequence[str]) -> list[Choice]:
    """Return the choices by a score that predictions hold.

    Args:
        classes: The classes, or the labels.
        kind: Of the target: `class` or `labels`.
        positive: The positive class, where there is one.
        names: Columns of the predictions.
    """
    if kind == "labels":
        found = [Choice(positive=name, label=name) for name in classes]
    else:
        found = [Choice(positive=str(positive))] if len(classes) == 2 and positive is not None else []
    return [one for one in found if set(one.columns) <= set(names)]


def _content(record: Record, known: Sequence[tuple[Choice, ThresholdCounts]], classes: Sequence[str]) -> dict[str, Any]:
    measures = [measure for result in record.audits for measure in result.measures]
    levels = {m.level for m in measures if m.by and m.group and m.name.partition("[")[0].endswith(f".{_SELECTION}")}
    favourable = str((record.schema.get("target") or {}).get("favourable") or "")
    return {
        "unit": plural(record.unit),
        "level": levels.pop() if len(levels) == 1 else 0.95,
        "least": LEAST,
        "choices": [_choice(one, counts, measures, favourable if favourable in classes else "") for one, counts in known],
    }


def _choice(one: Choice, counts: ThresholdCounts, measures: Sequence[Measure], favourable: str) -> dict[str, Any]:
    selected = favourable if favourable and not one.label else one.positive
    selects = selected == one.positive
    features = [f for f in counts.features if _agrees(f, counts.at, measures, selects=selects, suffix=one.suffix)]
    return {
        "positive": one.positive,
        "selected": selected,
        "selects": selects,
        "thresholds": counts.thresholds.tolist(),
        "at": counts.at,
        "every": _numbers(counts.every),
        "features": [
            {
                "name": feature.name,
                "title": feature.name.replace("_", " "),
                "groups": [_numbers(group) for group in feature.groups],
                "left": [list(pair) for pair in feature.left_out],
                "gaps": dict(_gaps(feature, counts.at, measures, selects=selects, suffix=one.suffix)),
            }
            for feature in features
        ],
    }


def _numbers(group: GroupCounts) -> dict[str, Any]:
    return {
        "name": group.name,
        "positive": group.positive.tolist(),
        "negative": group.negative.tolist(),
        "unknown": group.unknown.tolist() if group.unknown.any() else None,
    }


def shares(group: GroupCounts, at: int, *, selects: bool) -> dict[str, tuple[int, int]]:
    """Return each rate of a group at a threshold as counts: how many, of how many.

    Args:
        group: The group.
        at: Position of the threshold.
        selects: Whether the selection rate counts the positive class; else it counts the other one.
    """
    cells = group.cells(at)
    found = {name: (sum(cells[c] for c in part), sum(cells[c] for c in whole)) for name, (part, whole) in RATES.items()}
    chosen = ("tp", "fp", "up") if selects else ("fn", "tn", "un")
    return {_SELECTION: (sum(cells[c] for c in chosen), group.rows), **found}


def _agrees(feature: Feature, at: int, measures: Sequence[Measure], *, selects: bool, suffix: str) -> bool:
    """Whether the counts give what the audits measured; where they do not, groups are not those of the audits."""
    groups = {group.name: shares(group, at, selects=selects) for group in feature.groups}
    for measure in measures:
        found = groups.get((measure.group or {}).get(feature.name, "")) if measure.by == (feature.name,) else None
        stem = measure.name.partition(".")[2]
        share = (found or {}).get(stem.removesuffix(suffix)) if stem.endswith(suffix) else None
        if (
            share is not None
            and measure.value is not None
            and (not share[1] or abs(share[0] / share[1] - measure.value) > _EQUAL)
        ):
            return False
    return bool(groups)


def _gaps(
    feature: Feature, at: int, measures: Sequence[Measure], *, selects: bool, suffix: str
) -> Iterator[tuple[str, list[float | None]]]:
    """Yield the gap that an audit measured for each rate, where it is that of the groups here: value and ends."""
    groups = [shares(group, at, selects=selects) for group in feature.groups]
    for rate in (_SELECTION, *RATES):
        names = (f"{rate}_difference_without_small{suffix}", f"{rate}_difference{suffix}")
        known = [m for name in names for m in measures if m.by == (feature.name,) and not m.group and m.name.endswith(f".{name}")]
        values = [part / whole for part, whole in (group[rate] for group in groups) if whole >= _enough(groups, rate)]
        if known and known[0].value is not None and len(values) > 1 and abs(max(values) - min(values) - known[0].value) < _EQUAL:
            yield rate, [known[0].value, known[0].low, known[0].high]


def _enough(groups: Sequence[Mapping[str, tuple[int, int]]], rate: str) -> float:
    """Return how many rows a rate must rest on for its group to count in a gap: 2 % of all, 10 to 100."""
    return min(max(0.02 * sum(group[rate][1] for group in groups), LEAST), 100)
