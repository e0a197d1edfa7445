"""Gaps that vanish or reverse within strata, looked for among all columns that may be strata (Simpson 1951)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.fairness.comparison.adjusted import Adjusted, difference
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.gaps import Extremes, Gap
from glassbench_audits.fairness.comparison.stratifiers import Stratifier, stratifiers
from glassbench_audits.fairness.frames.counts import tally
from glassbench_audits.fairness.frames.group_frame import GroupFrame, critical
from glassbench_audits.fairness.frames.group_frames import Coded, coded
from glassbench_audits.fairness.frames.groups import Column, columns
from glassbench_audits.fairness.frames.rates import share, shares
from glassbench_audits.fairness.frames.stacked_frame import confusion_part
from glassbench_audits.fairness.frames.wording import gap_words

_LOOKED_FOR = ("demographic_parity", "false_negative_rate", "false_positive_rate", "precision", "accuracy")
_ROWS = 200_000
"""The most rows looked through; of more, so many are drawn."""

_OVERLAP = 0.5
"""Share of either group's rows that must lie in strata which hold both."""

_KEPT = 0.5
"""Share of the difference over all rows that those which have a value must show as well."""

_SETTLED = 0.99
"""Share of rows in strata where everyone is decided alike, from which on a column says what was decided and explains nothing."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A gap that is another within the strata of a column.

    Args:
        frame: The numbers over all rows.
        criterion: The criterion.
        column: The column whose values are the strata.
        pair: The difference over all rows and within strata.
        searched: How many columns were looked through.
        missing: Share of the rows that have no value of the column and are in no stratum.
    """

    frame: GroupFrame
    criterion: str
    column: str
    pair: Adjusted
    searched: int
    missing: float


Compared = Sequence[tuple[GroupFrame, Sequence[Comparison]]]


def explained_gaps(subject: Subject, compared: Compared, level: float) -> tuple[Explained, ...]:
    """Return the gaps by single features that within a column's strata surely reverse, or are surely smaller and may be none.

    Of several columns the one within whose strata the gap goes farthest the other way. Intervals within strata hold for all
    columns and gaps together (Bonferroni).

    Args:
        subject: What is examined.
        compared: Panels over all rows with their comparisons.
        level: Confidence level.
    """
    gaps = [
        (frame, c)
        for frame, found in compared
        if len(frame.by) == 1 and confusion_part(frame) is not None
        for c in found
        if c.name in _LOOKED_FOR and len(c.which) == 1 and _sure(c.large_difference)
    ]
    if not gaps or len(subject.class_outputs) != 1:
        return ()
    found = list(stratifiers(subject, subject.sample(_ROWS, "fairness.stratifiers")))
    told = coded(subject.class_outputs[0])
    features = {f.name: f for f in columns(subject.predictions.groups)}
    z = critical(1 - (1 - level) / max(1, len(found) * len(gaps)))
    explained = []
    for frame, comparison in gaps:
        where = comparison.large_difference.where
        assert where is not None
        pairs = [
            Explained(
                frame=frame,
                criterion=comparison.name,
                column=stratifier.column.name,
                pair=pair,
                searched=len(found),
                missing=stratifier.missing,
            )
            for stratifier in found
            if (pair := _within(told, stratifier, features[frame.by[0]], frame, where, z, level)) is not None
            and (pair.reversed or pair.vanishes)
        ]
        if pairs:
            explained.append(min(pairs, key=lambda e: e.pair.within[0]))
    return tuple(explained)


def _sure(gap: Gap) -> bool:
    return gap.where is not None and gap.low is not None and gap.low > 0


def explained_measures(explained: Sequence[Explained], level: float) -> Iterator[Measure]:
    """Yield each difference within the strata that were found, named after the column."""
    for e in explained:
        value, low, high = e.pair.within
        name = f"fairness.{e.criterion}_difference_within[{e.column}]"
        yield Measure(name=name, value=value, low=low, high=high, level=level, by=e.frame.by, n=int(e.frame.rows.sum()))


def explained_findings(explained: Sequence[Explained]) -> Iterator[Finding]:
    """Yield a finding for each gap that is another within strata."""
    for e in explained:
        metric, where = e.frame.metrics[e.pair.where.metric], e.pair.where
        top, bottom = (e.frame.groups[g].words for g in (where.top, where.bottom))
        value, low, high = e.pair.within
        opening = "Simpson's reversal" if e.pair.reversed else "A gap that strata explain"
        inside = (
            f"within values of {e.column} it is lower, by {gap_words(-value, -high, -low, metric)}"
            if e.pair.reversed
            else f"within values of {e.column} the difference is {gap_words(value, low, high, metric)}"
        )
        left = f"; {in_percent(e.missing)} of the rows have no value and are left out" if e.missing else ""
        of = f" of “{metric.outcome}”" if metric.outcome else ""
        sentence = (
            f"{opening}: over all rows the {metric.words}{of} is higher for {top} than for {bottom}, by "
            f"{gap_words(*e.pair.overall, metric)}; {inside} ({e.pair.opposite} of {e.pair.strata} strata point the "
            f"other way{left}). "
            f"The gap comes from how the groups spread over {e.column}; whether that is fair is another question. Found among "
            f"{e.searched} columns, corrected for the search."
        )
        names = (f"fairness.{e.criterion}_difference", f"fairness.{e.criterion}_difference_within[{e.column}]")
        yield Finding(sentence=sentence, grade="unclear", measures=names, weight=0.75, by=e.frame.by)


def _within(
    told: Coded,
    stratifier: Stratifier,
    feature: Column,
    frame: GroupFrame,
    where: Extremes,
    z: float,
    level: float,
) -> Adjusted | None:
    """Return the difference of two groups within strata, with the weights of Mantel and Haenszel; None if they hardly meet."""
    rows = stratifier.rows
    features = [stratifier.column, replace(feature, codes=feature.codes[rows])]
    counts = tally(features, told.truth[rows], told.decision[rows], told.classes, stratifier.held, truths=told.truths)
    names = [frame.groups[g].values[0] for g in (where.top, where.bottom)]
    part, n = (
        numbers[:, where.metric][:, [feature.values.index(name) for name in names]] for numbers in shares(counts, told.rates)
    )
    everyone, decided = counts.sum(axis=(1, 2, 3)), counts.sum(axis=(1, 2)).max(axis=1)
    if decided[decided == everyone].sum() >= _SETTLED * everyone.sum():
        return None
    both = (n > 0).all(axis=1)
    if not both.any() or (n[both].sum(axis=0) < _OVERLAP * n.sum(axis=0)).any():
        return None
    overall = difference(frame, where, critical(level))
    crude = share(part.sum(axis=0), n.sum(axis=0))
    if crude[0] - crude[1] < _KEPT * overall[0]:
        return None
    part, n = part[both], n[both]
    rate, smooth = share(part, n), (part + 1) / (n + 2)
    weight = n.prod(axis=1) / n.sum(axis=1)
    weight = weight / weight.sum()
    variance = smooth * (1 - smooth) / n * _design(frame, where, level)
    value, error = float(weight @ (rate[:, 0] - rate[:, 1])), float(np.sqrt(weight**2 @ variance.sum(axis=1)))
    return Adjusted(
        where=where,
        overall=overall,
        within=(value, value - z * error, value + z * error),
        opposite=int((rate[:, 0] < rate[:, 1]).sum()),
        strata=len(rate),
    )


def _design(frame: GroupFrame, where: Extremes, level: float) -> np.ndarray:
    """Return by how much clusters or weights raise the variance of each of the two groups' rates `(2,)`, 1 where nothing does."""
    counted = confusion_part(frame)
    if counted is None or counted.by_cluster is None:
        return np.ones(2)
    value, low, high = np.array(frame.limits(critical(level)))[:, where.metric, [where.top, where.bottom]]
    plain = np.maximum(value * (1 - value), 1e-9) / counted.whole[where.metric, [where.top, where.bottom]]
    return np.asarray(np.maximum(1, ((high - low) / (2 * critical(level))) ** 2 / plain))
