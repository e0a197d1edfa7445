"""Does the explanation depend on what the network has learnt?"""

from dataclasses import dataclass, replace

import numpy as np

from glassbench.stats.intervals import student_interval
from glassbench_audits.attribution.directions import rank_correlation
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.explain.checks.reinitialisation import learnt_layers, untrained

STEPS, DEAR_STEPS = 20, 10
"""Points of an integral are enough to rank by, also where adding up exactly takes more."""

_LIGHT, _HEAVY, _DEAR = (4, 16), (2, 6), (2, 3)
"""Most depths along the curve, and networks drawn at each."""

_UNSIGNED = ("saliency", "grad-cam", "guided-grad-cam")
"""Methods whose numbers say where and have no sign; they hold no factor of the input either."""

KEPT = 0.5
"""Rank correlation of outputs above which a network still says what it learnt: a quarter of the ranking's variance."""

_ALIKE = 1e-6
"""Attributions that differ by less, in units of the row's largest, have the same rank."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """The explanation with some layers drawn anew.

    Args:
        depth: How many layers, counted from the output back.
        correlations: Mean over rows of the rank correlation with the explanation of the trained network, one per network drawn
            `(draws,)`; NaN where it is not defined.
        kept: Rank correlation over rows of the explained output with that of the trained network, one per network drawn
            `(draws,)`; NaN where it is not defined.
    """

    depth: int
    correlations: np.ndarray
    kept: np.ndarray

    @property
    def forgotten(self) -> bool:
        """Whether what was learnt is lost: not every network drawn still ranks the rows as the trained one does.

        Beside a branch that decides (the trend of a series beside its season), another may lose all it learnt and change little.
        """
        return not bool((self.kept > KEPT).all())

    @property
    def mean(self) -> float:
        """The mean over the networks drawn, NaN where none is defined."""
        finite = self._finite
        return float(finite.mean()) if len(finite) else float("nan")

    def interval(self, level: float) -> tuple[float, float]:
        """Return the ends of Student's interval of the mean over the networks drawn, which vary independently."""
        finite = self._finite
        low, high = student_interval(finite, level)
        return max(-1.0, low), min(1.0, high)

    @property
    def _finite(self) -> np.ndarray:
        finite: np.ndarray = self.correlations[np.isfinite(self.correlations)]
        return finite


def signed(explainer: Explainer) -> bool:
    """Whether a method's numbers have a sign: then what a random network says cancels over the networks drawn."""
    return explainer.method.name not in _UNSIGNED


def cascade(explainer: Explainer, rows: Rows, attributions: np.ndarray, generator: np.random.Generator) -> tuple[Stage, ...]:
    """Return how alike explanations stay while layers lose what they learnt, from the output back.

    Layers are initialised anew (cascading randomization; Adebayo et al. 2018, Sanity checks for saliency maps), several times
    at each depth, and similarities are averaged (Hedström et al. 2024, Sanity checks revisited). What is compared is each
    input's attribution per unit of its distance from the baseline, so that the input, which both explanations share, is not
    mistaken for what was learnt (Yona and Greenfeld 2021, Revisiting sanity checks for saliency maps).

    Args:
        explainer: The explainer under test.
        rows: The rows `(n, ...)`.
        attributions: Their attributions per unit `(n, units)`.
        generator: Draws the networks.

    Returns:
        One stage per depth, the last with all layers; empty where no layer decides the output.
    """
    most, draws = explainer.explained.affords(_LIGHT, _HEAVY, _DEAR)
    names = learnt_layers(explainer.explained, rows, generator)
    if not names:
        return ()
    depths = np.unique(np.linspace(1, len(names), min(len(names), most)).round().astype(int))
    before, said = per_distance(explainer, rows, attributions), explainer.explained.outputs(rows).double().numpy()
    stages = []
    for depth in depths:
        drawn = [_alike(explainer, rows, before, said, names[:depth], generator) for _ in range(draws)]
        correlations, kept = np.array(drawn).T
        stages.append(Stage(depth=int(depth), correlations=correlations, kept=kept))
    return tuple(stages)


def _alike(
    explainer: Explainer, rows: Rows, before: np.ndarray, said: np.ndarray, names: list[str], generator: np.random.Generator
) -> tuple[float, float]:
    """Draw a network; return how alike its explanations and its outputs are to those before."""
    fresh = Explained(untrained(explainer.explained.model, names, generator), explainer.explained.task)
    other = replace(explainer, explained=fresh, steps=min(explainer.steps, explainer.explained.affords(STEPS, STEPS, DEAR_STEPS)))
    after = per_distance(other, rows, other.per_feature_group(rows))
    found = similarities(before, after)
    finite = found[np.isfinite(found)]
    kept = rank_correlation(said[None], fresh.outputs(rows).double().numpy()[None], axis=1)
    return float(finite.mean()) if len(finite) else float("nan"), float(kept[0])


def similarities(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the rank correlation of each row's values `(n,)`: 1 where both are the same for all units, 0 where one is.

    Args:
        before, after: `(n, units)`; NaN where a unit takes no part. Rows without two units are NaN.
    """
    taking_part = np.isfinite(before) & np.isfinite(after)
    x, y = _settled(before, taking_part), _settled(after, taking_part)
    flat = (np.ptp(x, axis=1) == 0).astype(int) + (np.ptp(y, axis=1) == 0)
    found = np.where(flat == 2, 1.0, np.where(flat == 1, 0.0, rank_correlation(x, y, axis=1)))
    return np.where(taking_part.sum(axis=1) >= 2, found, np.nan)


def per_distance(explainer: Explainer, rows: Rows, attributions: np.ndarray) -> np.ndarray:
    """Return attributions per unit of each unit's distance from the baseline `(n, units)`, NaN where it lies there.

    Left as they are where the method has no such factor, or a unit is no part of the input.
    """
    units, method = explainer.feature_groups, explainer.method.name
    if not signed(explainer) or method == "feature-permutation" or units.mask.shape != rows.inputs.shape[1:]:
        return attributions
    moved = (rows.inputs - explainer.baseline_of(rows)).double()
    total, size = units.summed(moved), np.sqrt(units.summed(moved**2))
    single = np.bincount(units.mask.flatten().numpy(), minlength=len(units)) == 1
    distance = np.where(single, total, size)
    there = np.abs(distance) <= _ALIKE * max(float(np.abs(distance).max(initial=0.0)), 1e-12)
    slopes: np.ndarray = np.divide(attributions, distance, out=np.full_like(attributions, np.nan), where=~there)
    return slopes


def _settled(values: np.ndarray, taking_part: np.ndarray) -> np.ndarray:
    """Return values rounded to what can be told apart, with the row's middle for units that take no part."""
    known = np.where(taking_part, values, np.nan)
    none = ~taking_part.any(axis=1)
    known[none] = 0.0
    middle = np.nanmedian(known, axis=1, keepdims=True)
    filled = np.where(np.isfinite(known), known, middle)
    size = np.abs(filled).max(axis=1, keepdims=True) * _ALIKE
    rounded: np.ndarray = np.round(np.divide(filled, size, out=np.zeros_like(filled), where=size > 0))
    return rounded
