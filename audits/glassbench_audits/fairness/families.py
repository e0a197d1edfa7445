"""Families of lines that make up one fairness criterion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassbench_audits.fairness.chance import against_chance
from glassbench_audits.fairness.gaps import Gap, gaps
from glassbench_audits.fairness.panel import Panel
from glassbench_audits.fairness.rates import Line
from glassbench_audits.fairness.sizes import sizeable
from glassbench_audits.fairness.wording import SHARES

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
        name: The criterion, or a line's name.
        which: Positions of its lines in the panel.
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


def families(lines: Sequence[Line]) -> dict[str, tuple[int, ...]]:
    """Return the lines of each criterion, and each line's name as a criterion of its own.

    The plain name of a criterion speaks of the line without a class where there is one: the only class examined, or the
    favourable outcome. Else it speaks of the class with the widest gap. Each class that lines name has its own as well.
    """
    found = {name: _plain(lines, rates) for name, rates in CRITERIA.items()}
    for line in lines:
        found.setdefault(line.name, _plain(lines, (line.name,)))
    for klass in dict.fromkeys(line.klass for line in lines if line.klass is not None):
        own = {name: _positions(lines, rates, klass) for name, rates in CRITERIA.items()}
        own |= {line.name: (i,) for i, line in enumerate(lines) if line.klass == klass}
        found |= {f"{name}[{klass}]": which for name, which in own.items()}
    return {name: which for name, which in found.items() if which}


def compare(
    panel: Panel,
    *,
    level: float,
    small: int | None,
    chance: int,
    generator: np.random.Generator,
) -> tuple[Comparison, ...]:
    """Compare the groups of a panel by every criterion its lines allow.

    Args:
        panel: What was measured per group.
        level: Confidence level.
        small: Rows below which a group is too small; None for the default rule.
        chance: Draws behind each p-value.
        generator: Source of these draws.
    """
    named = families(panel.lines)
    criteria = list(dict.fromkeys(named.values()))
    everyone, large = np.ones(panel.value.shape, dtype=bool), sizeable(panel.n, small) & panel.supported
    whole = gaps(panel, criteria, everyone, level)
    part = whole if large[np.isfinite(panel.value)].all() else gaps(panel, criteria, large, level)
    spread, taking_part = panel.alike(range(len(panel.lines))), large & np.isfinite(panel.value)
    done = {}
    for which, (difference, ratio), (of_large, ratio_of_large) in zip(criteria, whole, part, strict=True):
        tested = against_chance(panel, which, taking_part, spread, of_large.value, chance, generator)
        ratios = panel.ratios and all(panel.lines[k].name in SHARES for k in which)
        done[which] = Comparison(
            name="",
            which=which,
            difference=difference,
            ratio=ratio if ratios else None,
            large_difference=of_large if tested is None else replace(of_large, p=tested[0], chance=tested[1]),
            large_ratio=ratio_of_large if ratios else None,
            left_out=tuple(np.flatnonzero((np.isfinite(panel.value) & ~large)[list(which)].any(axis=0)).tolist()),
        )
    return tuple(replace(done[which], name=name) for name, which in named.items())


def _plain(lines: Sequence[Line], names: Sequence[str]) -> tuple[int, ...]:
    every = _positions(lines, names)
    return tuple(i for i in every if lines[i].klass is None) or every


def _positions(lines: Sequence[Line], names: Sequence[str], klass: str | None = None) -> tuple[int, ...]:
    return tuple(i for i, line in enumerate(lines) if line.name in names and (klass is None or line.klass == klass))
