"""Families of lines that make up one fairness criterion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassbench_audits.fairness import gaps
from glassbench_audits.fairness.gaps import Gap
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

    Where several classes are examined, a criterion speaks of the worst class and each class has its own as well.
    """
    found = {name: _positions(lines, rates) for name, rates in CRITERIA.items()}
    for line in lines:
        found.setdefault(line.name, _positions(lines, (line.name,)))
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
    everyone, large = np.ones(panel.value.shape, dtype=bool), sizeable(panel.n, small)
    done: dict[tuple[int, ...], Comparison] = {}
    for name, which in families(panel.lines).items():
        if which not in done:
            done[which] = _compare(panel, name, which, everyone, large, level, chance, generator)
    return tuple(replace(done[which], name=name) for name, which in families(panel.lines).items())


def _compare(
    panel: Panel,
    name: str,
    which: tuple[int, ...],
    everyone: np.ndarray,
    large: np.ndarray,
    level: float,
    chance: int,
    generator: np.random.Generator,
) -> Comparison:
    defined = np.isfinite(panel.value[list(which)])
    small = tuple(np.flatnonzero((defined & ~large[list(which)]).any(axis=0)).tolist())
    whole = gaps.difference(panel, which, everyone, level)
    ratios = panel.ratios and all(panel.lines[k].name in SHARES for k in which)
    quotient = gaps.ratio(panel, which, everyone, level) if ratios else None
    part = gaps.difference(panel, which, large, level) if small else whole
    part_quotient = gaps.ratio(panel, which, large, level) if small and ratios else quotient
    tested = gaps.against_chance(panel, which, large, part, chance, generator)
    if tested is not None:
        part = replace(part, p=tested[0], chance=tested[1])
    return Comparison(
        name=name,
        which=which,
        difference=whole,
        ratio=quotient,
        large_difference=part,
        large_ratio=part_quotient,
        left_out=small,
    )


def _positions(lines: Sequence[Line], names: Sequence[str], klass: str | None = None) -> tuple[int, ...]:
    return tuple(i for i, line in enumerate(lines) if line.name in names and (klass is None or line.klass == klass))
