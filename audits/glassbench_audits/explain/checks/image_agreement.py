"""How far methods agree on the same images, and attention with them."""

from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from glassbench.contracts.estimator import differentiable
from glassbench.contracts.exhibits import Table
from glassbench_audits.attribution.directions import rank_correlation
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.methods import METHODS, unavailable
from glassbench_audits.attribution.rollout import attention_rollout
from glassbench_audits.attribution.sampled import Sampled

_BESIDE = ("integrated-gradients", "saliency", "guided-grad-cam", "grad-cam", "occlusion")
_ROWS, _DEAR_ROWS = 16, 6


def agreement_tables(explainer: Explainer, sampled: Sampled) -> tuple[Table, ...]:
    """Return how other methods rank the patches of a few images, beside the method that explains; attention too, said to be
    no attribution."""
    most = explainer.explained.affords(_ROWS, _ROWS, _DEAR_ROWS)
    few = np.unique(np.linspace(0, len(sampled.rows) - 1, min(most, len(sampled.rows))).astype(int))
    rows, held = sampled.rows.take(torch.as_tensor(few)), np.abs(sampled.attributions[few])
    others = {name: _patches(replace(explainer, method=METHODS[name]), rows) for name in _fitting(explainer, rows)}
    rolled = _rolled(explainer, rows)
    if rolled is not None:
        others["attention rollout (no attribution)"] = rolled
    cells = tuple((name, _mean_correlation(held, other), len(rows)) for name, other in others.items())
    if not cells:
        return ()
    return (
        Table(
            title="Other methods beside it",
            columns=("method", f"mean rank correlation with {explainer.method.name}", "images"),
            rows=cells,
            note="Between the sizes of patches' attributions, image by image; 1 is the same order. Methods answer different "
            "questions, so they need not agree. Attention says where a model looks, not what moved the decision.",
        ),
    )


def _fitting(explainer: Explainer, rows: Rows) -> tuple[str, ...]:
    gradients = differentiable(explainer.explained.model)
    return tuple(
        name
        for name in _BESIDE
        if name != explainer.method.name
        and unavailable(METHODS[name], explainer.explained, rows.inputs, len(explainer.feature_groups), differentiable=gradients)
        is None
    )


def _patches(explainer: Explainer, rows: Rows) -> np.ndarray:
    return np.asarray(np.abs(explainer.per_feature_group(rows)))


def _rolled(explainer: Explainer, rows: Rows) -> np.ndarray | None:
    """Return what attention rollout gives each patch of the explanation `(n, units)`."""
    rolled = attention_rollout(explainer.explained, rows)
    if rolled is None:
        return None
    size = rows.inputs.shape[2:]
    pixels = functional.interpolate(rolled[:, None], size=size, mode="nearest").expand_as(rows.inputs)
    patches: np.ndarray = explainer.feature_groups.summed(pixels)
    return patches


def _mean_correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    values = rank_correlation(one, other, axis=1)
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None
