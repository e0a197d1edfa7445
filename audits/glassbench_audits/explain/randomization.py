"""Does the explanation depend on what the network has learnt?"""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from glassbench_audits.explain.attribution import Explainer
from glassbench_audits.explain.directions import rank_correlation
from glassbench_audits.explain.explained import Explained, Rows

DRAWS = 4
STEPS = 50
"""Points of an integral are enough to rank by, also where adding up exactly takes more."""


def layers_of(model: nn.Module) -> list[nn.Module]:
    """Return the modules that own parameters themselves, in order of registration from the output back."""
    return [m for m in model.modules() if any(True for _ in m.parameters(recurse=False))][::-1]


def cascade(
    explainer: Explainer, rows: Rows, attributions: np.ndarray, generator: np.random.Generator, *, draws: int = DRAWS
) -> tuple[tuple[int, float], ...]:
    """Return how alike explanations stay while layers lose what they learnt, from the top down.

    Each tensor of weights is shuffled, which keeps its values and destroys their meaning (cascading randomization;
    Adebayo et al. 2018, Sanity checks for saliency maps). An explanation of what was learnt must change.

    Args:
        explainer: The explainer under test.
        rows: The rows `(n, ...)`.
        attributions: Their attributions per unit `(n, units)`.
        generator: Draws the shuffles.
        draws: Shuffles to average over.

    Returns:
        Pairs of layers shuffled and mean rank correlation between the units' attributions before and after; NaN where
        none is defined.
    """
    count = len(layers_of(explainer.explained.model))
    stages = sorted({1, -(-count // 2), count})
    runs = [[_correlation(explainer, rows, attributions, depth, generator) for depth in stages] for _ in range(draws)]
    means = [_mean([run[stage] for run in runs]) for stage in range(len(stages))]
    return tuple(zip(stages, means, strict=True))


def _correlation(explainer: Explainer, rows: Rows, attributions: np.ndarray, depth: int, generator: np.random.Generator) -> float:
    shuffled = Explained(explainer.explained.model, explainer.explained.task)
    for layer in layers_of(shuffled.model)[:depth]:
        shuffle(layer, generator)
    after = replace(explainer, explained=shuffled, steps=min(explainer.steps, STEPS)).per_unit(rows)
    return _mean(list(rank_correlation(attributions, after, axis=1)))


def shuffle(layer: nn.Module, generator: np.random.Generator) -> None:
    """Shuffle each of a layer's own tensors of weights in place."""
    with torch.no_grad():
        for parameter in layer.parameters(recurse=False):
            order = torch.as_tensor(generator.permutation(parameter.numel()))
            parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))


def _mean(values: list[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
