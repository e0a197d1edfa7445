"""The measures, findings, tables and cases of counterfactuals."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Case, Part, Table
from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import bootstrap, wilson
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.cases import Chosen
from glassbench_audits.attribution.values import encoded_words, words
from glassbench_audits.counterfactuals.asking import ask
from glassbench_audits.counterfactuals.options import Options
from glassbench_audits.counterfactuals.search import FINE, Change, changed

__all__ = ["FINE", "Case", "case", "findings", "measures", "tables"]

_WHY = "no row's decision could be flipped"


def measures(
    subject: Subject, positions: np.ndarray, changes: Mapping[int, Change], replicates: int, level: float
) -> tuple[Measure, ...]:
    """Return how many decisions can be flipped, by how many inputs and how far, over all rows and per group."""
    found = [changes[int(position)] for position in positions if int(position) in changes]
    everyone = _measures(subject, len(positions), found, replicates, level)
    groups: list[Measure] = []
    for feature in subject.predictions.groups.columns:
        members = subject.predictions.groups[feature].astype(str).to_numpy()[positions]
        for group in np.unique(members):
            rows = positions[members == group]
            own = [changes[int(position)] for position in rows if int(position) in changes]
            groups += _measures(subject, len(rows), own, replicates, level, feature, str(group))
    return (*everyone, *groups)


def _measures(
    subject: Subject,
    n: int,
    found: Sequence[Change],
    replicates: int,
    level: float,
    feature: str | None = None,
    group: str | None = None,
) -> tuple[Measure, ...]:
    by = None if feature is None else (feature,)
    whom = None if feature is None or group is None else {feature: group}
    low, high = wilson(np.array(float(len(found))), np.array(float(n)), level)
    return (
        Measure(
            name="counterfactuals.validity",
            value=len(found) / n,
            low=float(low),
            high=float(high),
            level=level,
            n=n,
            by=by,
            group=whom,
        ),
        *(
            _mean(subject, f"counterfactuals.{name}", np.array(values, dtype=float), replicates, level, by, whom)
            for name, values in (
                ("changes", [len(change.choice) for change in found]),
                ("distance", [change.distance for change in found]),
            )
        ),
    )


def _mean(
    subject: Subject,
    name: str,
    values: np.ndarray,
    replicates: int,
    level: float,
    by: tuple[str, ...] | None,
    group: Mapping[str, str] | None,
) -> Measure:
    if not len(values):
        return Measure(name=name, value=None, by=by, group=group, undefined=_WHY)
    low, high = bootstrap(
        lambda weights: weights @ values / len(values), len(values), subject.generator(name), replicates=replicates, level=level
    )
    mean = float(values.mean())
    return Measure(name=name, value=mean, low=float(low), high=float(high), level=level, n=len(values), by=by, group=group)


def findings(
    positions: np.ndarray, changes: Mapping[int, Change], options: Sequence[Options], most: int, level: float
) -> tuple[Finding, ...]:
    """Return how easily decisions flip, and what has to change most often."""
    found = [changes[int(position)] for position in positions if int(position) in changes]
    low, high = wilson(np.array(float(len(found))), np.array(float(len(positions))), level)
    share = (
        f"{len(found)} of {len(positions)} decisions ({in_percent(len(found) / len(positions))} "
        f"[{in_percent(low)}, {in_percent(high)}])"
    )
    text = f"{share} flip when at most {most} of {len(options)} inputs that can change take other values"
    if not found:
        return (Finding(sentence=f"{text}.", grade="ok", measures=("counterfactuals.validity",), weight=0.4),)
    counts = Counter(options[unit].feature.name for change in found for unit, _ in change.choice)
    named = " and ".join(f"{name} ({in_percent(count / len(found))})" for name, count in counts.most_common(2))
    size = np.mean([len(change.choice) for change in found])
    apart = np.median([change.distance for change in found])
    text += f": {size:.1f} of them on average, by {apart:.2g} standard deviations at the median; most often {named}."
    names = ("counterfactuals.validity", "counterfactuals.changes", "counterfactuals.distance")
    return (Finding(sentence=text, grade="ok", measures=names, weight=0.4),)


def tables(
    subject: Subject, positions: np.ndarray, changes: Mapping[int, Change], options: Sequence[Options]
) -> tuple[Table, ...]:
    """Return how often each input has to change, and how far recourse is for each group."""
    found = [changes[int(position)] for position in positions if int(position) in changes]
    used = [[unit for unit, _ in change.choice] for change in found]
    often = [sum(place in units for units in used) for place in range(len(options))]
    rows = tuple(
        (options[place].feature.name, often[place], sum(units == [place] for units in used))
        for place in sorted(range(len(options)), key=lambda place: -often[place])
    )
    inputs = Table(
        title="What has to change",
        columns=("input", "decisions it helps to flip", "decisions it flips alone"),
        rows=rows,
        note=f"Over {len(found)} decisions that could be flipped; inputs that may not change are left out.",
    )
    return (inputs, *_recourse(subject, positions, changes))


def _recourse(subject: Subject, positions: np.ndarray, changes: Mapping[int, Change]) -> tuple[Table, ...]:
    rows: list[tuple[str | float | int | None, ...]] = []
    for feature in subject.predictions.groups.columns:
        members = subject.predictions.groups[feature].astype(str).to_numpy()[positions]
        for group in np.unique(members):
            own = [changes[int(p)] for p in positions[members == group] if int(p) in changes]
            apart = float(np.median([change.distance for change in own])) if own else None
            rows.append((str(feature), str(group), int((members == group).sum()), len(own), apart))
    columns = ("feature", "group", "decisions", "of them flipped", "median distance")
    note = "How far each group is from the other decision; few rows, so look at the intervals of the measures."
    return (Table(title="How far from the other decision", columns=columns, rows=tuple(rows), note=note),) if rows else ()


def case(subject: Subject, chosen: Chosen, change: Change | None, options: Sequence[Options], towards: str | None) -> Case:
    """Return one decision and what would flip it, in a person's words and units."""
    record = subject.predictions.frame.iloc[chosen.position]
    truth = record.get("y_true")
    parts = () if change is None else _parts(subject, chosen.position, change, options, towards)
    said = "Nothing that may change flips it." if change is None else f"With these changes it would be '{change.decision}'."
    return Case(
        title=chosen.title,
        row=str(record["row"]),
        decision=str(record["y_pred"]),
        truth=None if truth is None or truth != truth else str(truth),
        parts=parts,
        note=said if change is None else f"{said} The bar says how far each change alone moves the score's lead.",
    )


def _parts(subject: Subject, position: int, change: Change, options: Sequence[Options], towards: str | None) -> tuple[Part, ...]:
    source, train = subject.predictions.source, subject.train
    assert source is not None
    assert train is not None
    row = source.batch(torch.tensor([position])).inputs[0]
    alone = torch.cat([row, changed(row, options, [(0, (pair,)) for pair in change.choice])])
    margins = ask(subject, alone, np.full(len(alone), position), towards).margin
    parts = []
    for place, (unit, option) in enumerate(change.choice):
        one = options[unit]
        other = row.clone()
        other[0, one.columns] = one.values[option].to(row.dtype)
        before = words(one.feature, source.raw, position) or encoded_words(one.feature, row[0].double().numpy())
        after = words(one.feature, train.raw, int(one.rows[option])) or encoded_words(one.feature, other[0].double().numpy())
        parts.append(
            Part(name=one.feature.name, value=f"{before} → {after}", contribution=float(margins[place + 1] - margins[0]))
        )
    return tuple(sorted(parts, key=lambda part: -abs(part.contribution)))
