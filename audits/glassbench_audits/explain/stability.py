"""Does the explanation stay the same when nothing of importance changes?"""

from dataclasses import replace

import numpy as np
import torch

from glassbench_audits.explain.attribution import Explainer
from glassbench_audits.explain.explained import Rows

NOISE = 0.02
"""Noise in standard deviations of each input."""


def stability(explainer: Explainer, rows: Rows, attributions: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the cosine between each row's attributions and those after tiny noise on its numbers `(n,)`.

    Categories and tokens are left as they are; methods that draw at random draw anew, so that their own noise counts
    too. The idea of sensitivity is Yeh et al. (2019), On the (in)fidelity and sensitivity of explanations; the cosine
    forgives a change of scale.

    Args:
        explainer: The explainer under test.
        rows: The rows `(n, ...)`.
        attributions: Their attributions per unit `(n, units)`.
        generator: Draws the noise.
    """
    again = replace(explainer, seed=explainer.seed + 1)
    return cosines(attributions, again.per_unit(noisy(explainer, rows, generator)))


def testable(explainer: Explainer, rows: Rows) -> bool:
    """Whether anything can vary at all: numbers among the inputs, or a method that draws at random."""
    varies = rows.inputs.is_floating_point() and bool(explainer.units.numeric().any())
    return varies or explainer.method.random


def noisy(explainer: Explainer, rows: Rows, generator: np.random.Generator) -> Rows:
    """Return the rows with noise of `NOISE` standard deviations on every number."""
    inputs = rows.inputs
    if not inputs.is_floating_point():
        return rows
    spread = inputs.double().std(dim=0, correction=0) if len(inputs) > 1 else torch.ones_like(inputs[0].double())
    shape = tuple(inputs.shape)
    noise = NOISE * torch.as_tensor(generator.standard_normal(shape)) * spread
    if explainer.units.mask.shape == inputs.shape[1:]:
        noise = noise * explainer.units.numeric()
    return rows.at((inputs + noise).to(inputs.dtype))


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cosine between the rows of `a` and `b` `(n,)`; 1 where both are zero, 0 where one is."""
    norms = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    product = norms[0] * norms[1]
    cosine = np.divide((a * b).sum(axis=1), product, out=np.zeros_like(product), where=product > 0)
    return np.where((norms[0] == 0) & (norms[1] == 0), 1.0, cosine)
