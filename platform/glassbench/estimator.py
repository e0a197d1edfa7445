"""A scikit-learn estimator behind the face of a network."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FLOOR = 1e-6


class EstimatorModule(nn.Module):
    """Calls a fitted scikit-learn estimator as a network is called, so that tasks and audits need no second way.

    Classifiers return log-probabilities (floored at log 1e-6, since a tree's leaf may say exactly 0), so that a softmax gives
    the estimator's own probabilities back; regressors return the value. There are no gradients.

    Args:
        estimator: A scikit-learn classifier or regressor, fitted or about to be.
    """

    differentiable = False

    def __init__(self, estimator: Any) -> None:
        super().__init__()
        self.estimator = estimator

    def forward(self, inputs: Tensor) -> Tensor:
        """From encoded rows `(n, d)` to log-probabilities `(n, classes)` or values `(n,)`, float32."""
        rows = inputs.detach().cpu().numpy()
        if hasattr(self.estimator, "predict_proba"):
            probabilities = np.asarray(self.estimator.predict_proba(rows), dtype=np.float64)
            return torch.as_tensor(np.log(np.clip(probabilities, FLOOR, 1)), dtype=torch.float32)
        return torch.as_tensor(np.asarray(self.estimator.predict(rows)), dtype=torch.float32)


def differentiable(model: nn.Module) -> bool:
    """Whether gradients flow through the model; a module that says `differentiable = False` has none."""
    return bool(getattr(model, "differentiable", True))
