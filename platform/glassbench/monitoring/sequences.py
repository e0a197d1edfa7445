"""What is followed, and how the allowed error is split over it."""

from collections.abc import Mapping
from collections.abc import Sequence as Listed
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glassbench.monitoring.observed import each_group
from glassbench.monitoring.reference import Reference
from glassbench.stats.counted_values import NONE, CountedValues
from glassbench.stats.sequential_means import MeanChange

ALPHA = 0.05
"""The chance that anything at all is ever called changed where nothing has."""

SHARES = {"performance": 0.60, "calibration": 0.06, "gaps": 0.08, "inputs": 0.14, "scores": 0.04, "groups": 0.08}
"""How the error is split over families of sequences, before the members of each share their part equally."""

HEADLINE = 0.95
"""The part of the error of performance that its first sequence has."""

PLANNED = 0.8
"""The part of the error of an error rate that is spent on a rise by 5 points within a planned number of rows."""

Looks = Listed[CountedValues]
"""All values up to each look, oldest first, one look at least."""

Family = Literal["performance", "calibration", "gaps", "inputs", "scores", "groups"]


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """One thing that is followed.

    Args:
        key: Where its counts are.
        family: What it is of.
        title: What it is called.
        kind: `mean`, `gap` (of a group's mean from that of all others) or `ranks`.
        alpha: The chance that it ever raises an alarm where nothing has changed.
        worse: Which direction is worse; None where either is a change.
    """

    key: str
    family: Family
    title: str
    kind: Literal["mean", "gap", "ranks"]
    alpha: float
    worse: Literal["up", "apart"] | None = None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A sequence as it stands.

    Args:
        before, now: The mean, gap or 0 of the run and of the new rows; None where there is none.
        rows: How many new rows or clusters it rests on; of a gap, those of the group.
        change, low, high: How far it moved, with the ends of the confidence sequence; of ranks the distance, without ends.
        evidence: The logarithm of the wealth against no change over that which rejects; 1 and above is certain. Only of ranks.
        certain: Whether a change is certain.
        worse: Whether it is for the worse, or one that has no better and worse.
    """

    before: float | None
    now: float | None
    rows: int
    change: float | None
    low: float | None
    high: float | None
    evidence: float | None
    certain: bool
    worse: bool


def sequences_of(reference: Reference) -> list[Sequence]:
    """Return everything that is followed, the headline first. The run alone decides, so the error is split in advance."""
    members: dict[Family, list[Sequence]] = {family: [] for family in SHARES}  # type: ignore[misc]
    for key in reference.means:
        family, _, title = key.partition("|")
        if family != "rates":
            listed: Family = "scores" if family == "decisions" else family  # type: ignore[assignment]
            up: Literal["up"] | None = "up" if family == "performance" else None
            shown = f"share of {title}" if family == "groups" else title
            members[listed].append(Sequence(key=key, family=listed, title=shown, kind="mean", alpha=0.0, worse=up))
    for feature, name in each_group(reference.groups):
        ends = f"|{feature}={name}"
        for key in reference.means:
            if key.startswith("rates|") and key.endswith(ends):
                title = f"{key.split('|')[1]}, {feature} {name} minus others"
                members["gaps"].append(Sequence(key=key, family="gaps", title=title, kind="gap", alpha=0.0, worse="apart"))
    for key in reference.ranks:
        family, _, title = key.partition("|")
        listed = family  # type: ignore[assignment]
        members[listed].append(Sequence(key=key, family=listed, title=title, kind="ranks", alpha=0.0))
    return _with_error(members)


def _with_error(members: Mapping[Family, list[Sequence]]) -> list[Sequence]:
    """Return sequences with their parts of the error; families without members leave theirs to the others."""
    whole = sum(SHARES[family] for family, several in members.items() if several)
    settled = []
    for family, several in members.items():
        part = ALPHA * SHARES[family] / whole
        for place, one in enumerate(several):
            share = 1 / len(several)
            if family == "performance" and len(several) > 1 and not several[1].title.endswith("error rate"):
                share = HEADLINE if place == 0 else (1 - HEADLINE) / (len(several) - 1)
            settled.append(Sequence(**{**vars(one), "alpha": part * share}))
    return settled


def mean_change(one: Sequence) -> MeanChange:
    """Return the confidence sequence that follows a mean."""
    return MeanChange(alpha=one.alpha, up=HEADLINE, planned=PLANNED) if one.worse == "up" else MeanChange(alpha=one.alpha)


def compare(one: Sequence, reference: Reference, means: Mapping[str, Looks], ranks: Mapping[str, np.ndarray]) -> Compared:
    """Return how a sequence stands after all rows so far.

    Args:
        one: The sequence.
        reference: The run.
        means: The new rows up to each look, by key.
        ranks: How many of them lie in each cell, by key.
    """
    if one.kind == "ranks":
        return _compare_ranks(one, reference, ranks)
    if one.kind == "gap":
        return _compare_gap(one, reference, means)
    before, (*earlier, now) = reference.means[one.key], means.get(one.key, (NONE,))
    low, high = mean_change(one).interval(before, now, earlier)
    change = None if before.mean is None or now.mean is None else now.mean - before.mean
    certain = low > 0 or high < 0
    return Compared(
        before=before.mean, now=now.mean, rows=now.n, change=change, low=low, high=high, evidence=None,
        certain=certain, worse=certain and (one.worse is None or low > 0),
    )  # fmt: skip


def _compare_gap(one: Sequence, reference: Reference, means: Mapping[str, Looks]) -> Compared:
    """Compare a gap: the interval of the group's change less that of all others, each at half of the error."""
    keys = one.key, f"{one.key}|others"
    before, now = [reference.means[key] for key in keys], [means.get(key, (NONE,))[-1] for key in keys]
    test = MeanChange(alpha=one.alpha / 2)
    ends = [test.interval(*pair) for pair in zip(before, now, strict=True)]
    low, high = max(-2.0, ends[0][0] - ends[1][1]), min(2.0, ends[0][1] - ends[1][0])
    gaps = [_gap(*pair) for pair in (before, now)]
    certain = low > 0 or high < 0
    apart = gaps[0] is not None and gaps[1] is not None and abs(gaps[1]) > abs(gaps[0])
    return Compared(
        before=gaps[0], now=gaps[1], rows=now[0].n, change=None if None in gaps else gaps[1] - gaps[0],  # type: ignore[operator]
        low=low, high=high, evidence=None, certain=certain, worse=certain and apart,
    )  # fmt: skip


def _gap(own: CountedValues, others: CountedValues) -> float | None:
    return None if own.mean is None or others.mean is None else own.mean - others.mean


def _compare_ranks(one: Sequence, reference: Reference, ranks: Mapping[str, np.ndarray]) -> Compared:
    cells = reference.ranks[one.key]
    counts = ranks.get(one.key, np.zeros(len(cells.reference), dtype=np.int64))
    evidence = cells.log_evidence(counts) / float(-np.log(one.alpha))
    certain = evidence >= 1
    rows = int(counts.sum())
    before = now = None
    if one.family == "performance" and rows:  # one edge, the run's median: the share of errors beyond it
        before, now = cells.reference[-1] / sum(cells.reference), float(counts[-1] / rows)
    return Compared(
        before=before, now=now, rows=rows, change=cells.distance(counts) if rows else None, low=None, high=None,
        evidence=max(0.0, evidence), certain=certain, worse=certain and (before is None or now is None or now > before),
    )  # fmt: skip
