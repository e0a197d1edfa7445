"""Does the explanation depend on what the network has learnt?"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from glassbench_audits.explain.attribution import Explainer
from glassbench_audits.explain.directions import rank_correlation
from glassbench_audits.explain.explained import HEAVY_PASS, Explained, Rows

STEPS = 50
"""Points of an integral are enough to rank by, also where adding up exactly takes more."""

_LIGHT, _HEAVY = (8, 4), (5, 2)
"""Most depths along the curve, and shuffles to average over."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """The explanation with some layers shuffled.

    Args:
        depth: How many layers, counted from the output back.
        correlations: Rank correlation of each row's attributions with those before `(n,)`, averaged over the shuffles; NaN
            where none is defined.
    """

    depth: int
    correlations: np.ndarray

    @property
    def mean(self) -> float:
        """The mean over rows where it is defined."""
        return _mean(self.correlations)


def layers_of(model: nn.Module) -> list[nn.Module]:
    """Return the modules that own parameters themselves, in order of registration from the output back."""
    return [m for m in model.modules() if any(True for _ in m.parameters(recurse=False))][::-1]


def cascade(explainer: Explainer, rows: Rows, attributions: np.ndarray, generator: np.random.Generator) -> tuple[Stage, ...]:
    """Return how alike explanations stay while layers lose what they learnt, from the top down.

    Each tensor of weights is shuffled, which keeps its values and destroys their meaning (cascading randomization;
    Adebayo et al. 2018, Sanity checks for saliency maps). An explanation of what was learnt must change.

    Args:
        explainer: The explainer under test.
        rows: The rows `(n, ...)`.
        attributions: Their attributions per unit `(n, units)`.
        generator: Draws the shuffles.
    """
    most, draws = _LIGHT if explainer.explained.pass_rows > HEAVY_PASS else _HEAVY
    count = len(layers_of(explainer.explained.model))
    depths = np.unique(np.linspace(1, count, min(count, most)).round().astype(int))
    runs = [[_correlations(explainer, rows, attributions, int(d), generator) for d in depths] for _ in range(draws)]
    return tuple(
        Stage(depth=int(depth), correlations=_defined_mean(np.array([run[place] for run in runs])))
        for place, depth in enumerate(depths)
    )


def _correlations(
    explainer: Explainer, rows: Rows, attributions: np.ndarray, depth: int, generator: np.random.Generator
) -> np.ndarray:
    shuffled = Explained(explainer.explained.model, explainer.explained.task)
    for layer in layers_of(shuffled.model)[:depth]:
        shuffle(layer, generator)
    after = replace(explainer, explained=shuffled, steps=min(explainer.steps, STEPS)).per_unit(rows)
    return rank_correlation(attributions, after, axis=1)


def shuffle(layer: nn.Module, generator: np.random.Generator) -> None:
    """Shuffle each of a layer's own tensors of weights in place."""
    with torch.no_grad():
        for parameter in layer.parameters(recurse=False):
            order = torch.as_tensor(generator.permutation(parameter.numel()))
            parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))


def _defined_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is defined, NaN where nothing is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: np.ndarray = np.divide(total, known.sum(axis=0), out=np.full_like(total, np.nan), where=known.any(axis=0))
    return mean


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
