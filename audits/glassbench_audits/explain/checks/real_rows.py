"""What the model says on real rows, which no method made up, beside what an explanation says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit
from sklearn.ensemble import RandomForestRegressor

from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.feature_groups import FeatureGroups

LEADING = 0.5
"""Share of all attribution that the inputs held together carry."""

NEIGHBOURS = 5
"""Rows most alike in all other inputs, one of which provides its value."""

TREES, LEAF = 40, 2
_SINGLE, _STILL = 4, 1e-6


@dataclass(frozen=True, kw_only=True)
class Held:
    """What an explanation gives a set of inputs, beside what they have to do with the model's decisions on real rows.

    Args:
        units: The inputs.
        attributed: Their share of the attribution's variance, on the scale on which real rows contradict it less.
        least, most: Between which shares of the variance of the model's decisions on real rows theirs lies: what is lost without
            them, and what they foretell alone together with all that no input foretells (the other way round where inputs act
            together only).
    """

    units: tuple[int, ...]
    attributed: float
    least: float
    most: float

    @property
    def contradiction(self) -> float:
        """How far what is attributed lies outside what real rows allow."""
        return max(0.0, self.least - self.attributed, self.attributed - self.most)


@dataclass(frozen=True, eq=False, kw_only=True)
class RealRows:
    """An explanation held against real rows.

    Args:
        foretold: R squared of a random forest that foretells what the model says on real rows from all inputs, out of bag.
        held: Sets of inputs; empty where the forest foretells too little.
    """

    foretold: float
    held: tuple[Held, ...]

    @property
    def worst(self) -> Held:
        """The set that contradicts most."""
        return max(self.held, key=lambda one: one.contradiction)


def held_against(
    feature_groups: FeatureGroups,
    inputs: np.ndarray,
    said: np.ndarray,
    attributions: Sequence[np.ndarray],
    seed: int,
    *,
    least: float,
) -> RealRows:
    """Return what an explanation gives inputs beside what these foretell of the model's decisions on real rows.

    Nothing is taken out or put in, so a model that behaves otherwise on rows that are not real cannot hide here (Slack et al.
    2020, Fooling LIME and SHAP): an input that its decisions on real rows hang on is missed when a forest does without it, and
    one that they do not hang on foretells nothing. Inputs that go together leave a wide range, which is no contradiction.

    Args:
        feature_groups: On which elements each lies.
        inputs: Encoded real rows `(n, d)`.
        said: What the model says of them `(n, k)`.
        attributions: Attributions `(m, units)` on each scale on which they may be borne out.
        seed: Seed of the forests.
        least: R squared from all inputs below which nothing is held against anything.
    """
    whole = forest_of(inputs, said, seed)
    foretold = _foretold(whole, said)
    if not foretold >= least:
        return RealRows(foretold=foretold, held=())
    by_forest = np.bincount(feature_groups.mask.numpy(), weights=whole.feature_importances_, minlength=len(feature_groups))
    held = []
    for chosen in _sets(attributions[0], by_forest):
        columns = np.isin(feature_groups.mask.numpy(), chosen)
        alone = _foretold(forest_of(inputs[:, columns], said, seed), said)
        without = _foretold(forest_of(inputs[:, ~columns], said, seed), said)
        ends = np.clip([foretold - without, alone + 1 - foretold], 0, 1)
        scales = [
            Held(units=chosen, attributed=_share(values, chosen), least=float(ends.min()), most=float(ends.max()))
            for values in attributions
        ]
        held.append(min(scales, key=lambda one: one.contradiction))
    return RealRows(foretold=foretold, held=tuple(held))


def _sets(attributions: np.ndarray, by_forest: np.ndarray) -> list[tuple[int, ...]]:
    """Return the inputs that the explanation or the forest puts first, one by one, and those that lead together."""
    size = (attributions**2).mean(axis=0)
    first = np.argsort(-size, kind="stable")
    single = dict.fromkeys([*first[:_SINGLE].tolist(), *np.argsort(-by_forest, kind="stable")[:_SINGLE].tolist()])
    together = leading_features(attributions, LEADING)
    sets: list[tuple[int, ...]] = [(int(unit),) for unit in single]
    return [*sets, tuple(together.tolist())] if 1 < len(together) < attributions.shape[1] else sets


def _share(attributions: np.ndarray, chosen: tuple[int, ...]) -> float:
    """Return the share of some units in the mean square of attributions, theirs and the others' each summed by row."""
    among = np.isin(np.arange(attributions.shape[1]), chosen)
    own, others = ((attributions[:, part].sum(axis=1) ** 2).mean() for part in (among, ~among))
    return float(own / (own + others)) if own + others > 0 else 0.0


def leading_features(attributions: np.ndarray, share: float) -> np.ndarray:
    """Return the fewest units that carry a share of all attribution, the largest first.

    Args:
        attributions: Attributions `(n, units)`, not all 0.
        share: The share.

    Example:
        >>> leading_features(np.array([[3.0, -1.0, 6.0]]), 0.8).tolist()
        [2, 0]
    """
    size = np.abs(attributions).mean(axis=0)
    order = np.argsort(-size, kind="stable")
    carried = np.cumsum(size[order]) / size.sum()
    return order[: int(np.searchsorted(carried, share - 1e-9)) + 1]


def forest_of(inputs: np.ndarray, said: np.ndarray, seed: int) -> RandomForestRegressor:
    """Return a random forest that foretells what a model says `(n, k)` of rows `(n, d)`."""
    forest = RandomForestRegressor(TREES, min_samples_leaf=LEAF, max_features=1 / 3, oob_score=True, random_state=seed)
    return forest.fit(inputs, said if said.shape[1] > 1 else said[:, 0])


def _foretold(forest: RandomForestRegressor, said: np.ndarray) -> float:
    """Return R squared out of bag, 0 where it is worse than the mean."""
    left = ((forest.oob_prediction_.reshape(said.shape) - said) ** 2).sum()
    total = ((said - said.mean(axis=0)) ** 2).sum()
    return max(0.0, float(1 - left / total)) if total > 0 else float("nan")


def in_probability(attributions: np.ndarray, outputs: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Return contributions to log-odds as contributions to the probability `(n, units)`.

    Each row's are multiplied by one factor, the slope of the probability between the baseline and the row, so that what added up
    to the change of the log-odds adds up to that of the probability. Rows whose log-odds are huge then count no more than
    others that are as sure.

    Args:
        attributions: Contributions to log-odds `(n, units)`.
        outputs: Log-odds of the rows `(n,)`.
        references: Log-odds at the baseline `(n,)`.

    Example:
        >>> in_probability(np.array([[20.0, 20.0]]), np.array([40.0]), np.array([0.0])).round(3).tolist()
        [[0.25, 0.25]]
    """
    change, (here, there) = outputs - references, (expit(outputs), expit(references))
    still = np.abs(change) < _STILL
    slopes = np.where(still, here * (1 - here), (here - there) / np.where(still, 1, change))
    scaled: np.ndarray = attributions * slopes[:, None]
    return scaled


def exchanged_effects(explainer: Explainer, rows: Rows, generator: np.random.Generator) -> np.ndarray:
    """Return how far the explained number moves when a unit is exchanged with that of a real row like it, `(n, units)`, sizes.

    The other row is one of the five most alike in all other inputs, so that what the model is asked stays close to the data
    (conditional permutation; Strobl et al. 2008).

    Args:
        explainer: Says what a unit is.
        rows: Real rows of a table, their first input `(n, d)`.
        generator: Draws the rows that provide values.
    """
    inputs, mask = rows.inputs, explainer.feature_groups.mask
    flat = inputs.double().numpy()
    spread = flat.std(axis=0)
    scaled = np.divide(flat, spread, out=np.zeros_like(flat), where=spread > 0)
    whole, before = _squares(scaled), explainer.explained.outputs(rows)
    effects = []
    for unit in range(len(explainer.feature_groups)):
        held = (mask == unit).numpy()
        near = whole - _squares(scaled[:, held])
        np.fill_diagonal(near, np.inf)
        nearest = np.argpartition(near, min(NEIGHBOURS, len(near) - 1) - 1, axis=1)[:, :NEIGHBOURS]
        chosen = nearest[np.arange(len(near)), generator.integers(0, nearest.shape[1], len(near))]
        replaced = torch.where(torch.as_tensor(held), inputs[torch.as_tensor(chosen)], inputs)
        effects.append((explainer.explained.outputs(rows.at(replaced)) - before).abs().double().numpy())
    return np.stack(effects, axis=1)


def untold(effects: np.ndarray, attributions: np.ndarray) -> float:
    """Return the share of the effects of exchanging that attributions leave untold, 0 to 1.

    Two real rows lie apart at most about twice as far as one from the baseline, so that of each unit's mean effect, twice its
    mean attribution is accounted for, and the rest is not.

    Args:
        effects: Sizes `(n, units)`.
        attributions: `(m, units)` in the same unit.

    Example:
        >>> untold(np.array([[4.0, 1.0]]), np.array([[0.5, -3.0]]))
        0.6
    """
    moved, accounted = effects.mean(axis=0), 2 * np.abs(attributions).mean(axis=0)
    return float(np.maximum(moved - accounted, 0).sum() / moved.sum()) if moved.sum() > 0 else float("nan")


def _squares(rows: np.ndarray) -> np.ndarray:
    """Return squared distances between rows `(n, n)`."""
    sizes = (rows**2).sum(axis=1)
    squares: np.ndarray = np.maximum(sizes[:, None] + sizes - 2 * rows @ rows.T, 0)
    return squares
