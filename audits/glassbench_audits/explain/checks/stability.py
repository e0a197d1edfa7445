"""Does the explanation stay the same when nothing of importance changes?"""

from dataclasses import replace

import numpy as np
import torch

from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer

RADIUS = 0.02
"""Largest change of an input, in its standard deviations."""

LIGHT_DRAWS, HEAVY_DRAWS, DEAR_DRAWS = 10, 3, 2


def perturbed(explainer: Explainer, rows: Rows, generator: np.random.Generator) -> np.ndarray:
    """Return the attributions `(draws, n, units)` of rows whose numbers change by next to nothing.

    Categories and tokens are left as they are; methods that draw at random draw anew, so that their own noise counts too.

    Args:
        explainer: The explainer under test.
        rows: The rows `(n, ...)`.
        generator: Draws the changes, evenly within `RADIUS`.
    """
    draws = explainer.explained.affords(LIGHT_DRAWS, HEAVY_DRAWS, DEAR_DRAWS)
    again = replace(explainer, seed=explainer.seed + 1)
    near = [noisy(explainer, rows, generator) for _ in range(draws)]
    if not together(explainer):
        return np.stack([again.per_feature_group(one) for one in near])
    repeated = rows.take(torch.arange(len(rows)).repeat(draws)).at(torch.cat([one.inputs for one in near]))
    return again.per_feature_group(repeated).reshape(draws, len(rows), -1)


def together(explainer: Explainer) -> bool:
    """Whether a row's attributions are the same whatever rows stand beside it, so that all draws go in one call."""
    return len(explainer.baseline.values) == 1 and explainer.method.name != "feature-permutation"


def stability(attributions: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the mean cosine between attributions `(n, units)` and those after tiny changes `(draws, n, units)`, `(n,)`.

    The cosine forgives a change of scale.
    """
    mean: np.ndarray = np.mean([cosines(attributions, one) for one in after], axis=0)
    return mean


def largest_moves(attributions: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return how far attributions `(n, units)` moved at most under tiny changes `(draws, n, units)`: a length `(n,)`.

    In units of each row's own length this is the max-sensitivity of Yeh et al. (2019), On the (in)fidelity and sensitivity
    of explanations, as Captum's `sensitivity_max` computes it.
    """
    largest: np.ndarray = np.linalg.norm(after - attributions, axis=2).max(axis=0)
    return largest


def testable(explainer: Explainer, rows: Rows) -> bool:
    """Whether anything can vary at all: numbers among the inputs, or a method that draws at random."""
    varies = rows.inputs.is_floating_point() and bool(explainer.feature_groups.numeric().any())
    return varies or explainer.method.random


def noisy(explainer: Explainer, rows: Rows, generator: np.random.Generator) -> Rows:
    """Return the rows with every number changed by at most `RADIUS` standard deviations."""
    inputs = rows.inputs
    if not inputs.is_floating_point():
        return rows
    spread = inputs.double().std(dim=0, correction=0) if len(inputs) > 1 else torch.ones_like(inputs[0].double())
    noise = torch.as_tensor(generator.uniform(-RADIUS, RADIUS, tuple(inputs.shape))) * spread
    if explainer.feature_groups.mask.shape == inputs.shape[1:]:
        noise = noise * explainer.feature_groups.numeric()
    return rows.at((inputs + noise).to(inputs.dtype))


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cosine between the rows of `a` and `b` `(n,)`; 1 where both are zero, 0 where one is."""
    norms = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    product = norms[0] * norms[1]
    cosine = np.divide((a * b).sum(axis=1), product, out=np.zeros_like(product), where=product > 0)
    return np.where((norms[0] == 0) & (norms[1] == 0), 1.0, cosine)
