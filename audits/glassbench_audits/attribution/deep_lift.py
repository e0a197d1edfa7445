"""DeepLift of log-odds, whose last step is no module that Captum's rule could hook."""

import warnings
from typing import Any

import torch
from captum.attr import DeepLift, LayerDeepLift
from torch import Tensor, nn

from glassbench_audits.attribution.explained import Explained, odds_among, scores_among
from glassbench_audits.attribution.gradients import gauss_legendre
from glassbench_audits.attribution.method import Request

_POINTS = 50


def deep_lift(request: Request) -> Tensor:
    """Propagate differences from the baseline's activations (rescale rule).

    The log-odds are replaced by the line through the scores that has the same difference between baseline and row: each score
    counts with its gradient, averaged along the way (Aumann and Shapley 1974). Two classes have a straight line as it is.
    """
    model: nn.Module = request.model
    common = request.common
    if request.explained.softmax and request.rows.target_index is not None:
        model = _Weighted(request.explained)
        common["additional_forward_args"] = (*request.rows.others, request.rows.target_index, _weights(request))
    layer = request.explained.layer
    method: Any = DeepLift(model) if layer is None else LayerDeepLift(model, layer)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting forward, backward hooks")
        held = method.attribute(**common, baselines=request.baselines)
    tensor: Tensor = held[0] if isinstance(held, tuple) else held
    return tensor.detach()


class _Weighted(nn.Module):
    """An explained model that gives a weighted sum of the scores each row's choice is among.

    Args:
        explained: The model.
    """

    def __init__(self, explained: Explained) -> None:
        super().__init__()
        self.explained = explained

    def forward(self, *inputs: Tensor) -> Tensor:
        """From the model's inputs, target indices and weights `(n, ..., k)` to `(n,)`."""
        *known, target_index, weights = inputs
        return (scores_among(self.explained(*known), target_index) * weights).flatten(1).sum(dim=1)


def _weights(request: Request) -> Tensor:
    """Return the gradient of the explained number by the scores, averaged from those at the baseline to those at the row."""
    rows, explained = request.rows, request.explained
    assert rows.target_index is not None
    with torch.no_grad():
        outputs = [explained(inputs, *rows.others) for inputs in (request.baselines.expand_as(rows.inputs), rows.inputs)]
    start, end = (scores_among(output, rows.target_index) for output in outputs)
    total = torch.zeros_like(end)
    for point, share in zip(*gauss_legendre(_POINTS), strict=True):
        between = (start + point * (end - start)).requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(odds_among(between, rows.target_index).sum(), (between,))
        total += share * slope
    return total
