"""Families of metrics that make up one fairness criterion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassbench_audits.fairness.comparison.chance import against_chance, normal_lines
from glassbench_audits.fairness.comparison.gaps import Gap, gaps
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.rates import GroupMetric
from glassbench_audits.fairness.frames.sizes import sizeable
from glassbench_audits.fairness.frames.wording import SHARES

CRITERIA: Mapping[str, tuple[str, ...]] = {
    "demographic_parity": ("selection_rate",),
    "equalized_odds": ("true_positive_rate", "false_positive_rate"),
    "equal_opportunity": ("true_positive_rate",),
}
"""Criteria by the rates that must agree; the names are Fairlearn's."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How far groups lie apart by one criterion.

    Args:
        name: The criterion, or a metric's name.
        which: Positions of its metrics in the frame.
        difference, ratio: Over all groups, as Fairlearn computes them; the ratio is None where it has no meaning.
        large_difference, large_ratio: Over the groups that are large enough; these carry p-value and verdict.
        left_out: Positions of the groups that are too small.
    """

    name: str
    which: tuple[int, ...]
    difference: Gap
    ratio: Gap | None
    large_difference: Gap
    large_ratio: Gap | None
    left_out: tuple[int, ...]


def families(metrics: Sequence[GroupMetric]) -> dict[str, tuple[int, ...]]:
    """Return the metrics of each criterion, and each metric's name as a criterion of its own.

    The plain name of a criterion speaks of the metric without a class where there is one: the only class examined, or the
    favourable outcome. Else it speaks of the class with the widest gap; of several labels some of which are good for a person, of
    the widest among those. Each class that metrics name has its own as well.
    """
    found = {name: _plain(metrics, rates) for name, rates in CRITERIA.items()}
    for metric in metrics:
        found.setdefault(metric.name, _plain(metrics, (metric.name,)))
    for klass in dict.fromkeys(metric.klass for metric in metrics if metric.klass is not None):
        own = {name: _positions(metrics, rates, klass) for name, rates in CRITERIA.items()}
        own |= {metric.name: (i,) for i, metric in enumerate(metrics) if metric.klass == klass}
        found |= {f"{name}[{klass}]": which for name, which in own.items()}
    return {name: which for name, which in found.items() if which}


def compare(
    frame: GroupFrame,
    *,
    level: float,
    small: int | None,
    chance: int,
    generator: np.random.Generator,
) -> tuple[Comparison, ...]:
    """Compare the groups of a frame by every criterion its metrics allow.

    Args:
        frame: What was measured per group.
        level: Confidence level.
        small: Rows below which a group is too small; None for the default rule.
        chance: Draws behind each p-value.
        generator: Source of these draws.
    """
    named = families(frame.metrics)
    criteria = list(dict.fromkeys(named.values()))
    everyone, large = np.ones(frame.value.shape, dtype=bool), sizeable(frame.evidence, small) & frame.supported
    whole = gaps(frame, criteria, everyone, level)
    part = whole if large[np.isfinite(frame.value)].all() else gaps(frame, criteria, large, level)
    taking_part = large & np.isfinite(frame.value)
    normals, left_out = normal_lines(frame, taking_part), np.isfinite(frame.value) & ~large
    done: dict[tuple[int, ...], dict[str, Any]] = {}
    for which, (difference, ratio), (of_large, ratio_of_large) in zip(criteria, whole, part, strict=True):
        tested = against_chance(frame, which, taking_part, normals, of_large.value, chance, generator)
        ratios = frame.ratios and all(frame.metrics[k].name in SHARES for k in which)
        done[which] = {
            "which": which,
            "difference": difference,
            "ratio": ratio if ratios else None,
            "large_difference": of_large if tested is None else Gap(**{**vars(of_large), "p": tested[0], "chance": tested[1]}),
            "large_ratio": ratio_of_large if ratios else None,
            "left_out": tuple(np.flatnonzero(left_out[list(which)].any(axis=0)).tolist()),
        }
    return tuple(Comparison(name=name, **done[which]) for name, which in named.items())


def _plain(metrics: Sequence[GroupMetric], names: Sequence[str]) -> tuple[int, ...]:
    every = _positions(metrics, names)
    plain = tuple(i for i in every if metrics[i].klass is None) or every
    return tuple(i for i in plain if metrics[i].good) or plain


def _positions(metrics: Sequence[GroupMetric], names: Sequence[str], klass: str | None = None) -> tuple[int, ...]:
    return tuple(i for i, metric in enumerate(metrics) if metric.name in names and (klass is None or metric.klass == klass))
