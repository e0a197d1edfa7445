"""What is fitted to all rows at once: scikit-learn estimators wrapped as a network, and networks that fit themselves."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

FLOOR = 1e-6

_CLASSES = "schema_classes_"
"""Where an estimator that has not seen every class keeps their number; fitted state, so it is saved with the
estimator."""


@runtime_checkable
class SelfFitting(Protocol):
    """A network that finds its weights from all rows at once, as an estimator does; kept as safetensors like any network.

    Its model spec has the form `estimator`.
    """

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a reader should know of the fit, JSON values."""
        ...

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> object:
        """Fit to encoded rows `(n, ...)`; what learns without a truth ignores it.

        It draws random numbers from NumPy's and PyTorch's own generators, which the trainer seeds.
        """
        ...


class EstimatorModule(nn.Module):
    """Calls a fitted scikit-learn estimator as a network is called, so that tasks and audits need no second way.

    Classifiers return log-probabilities (floored at log 1e-6, since a tree's leaf may say exactly 0), so that a softmax
    gives the estimator's own probabilities back; regressors return the value. There are no gradients. A class that was
    not among the training rows has a column all the same, at the floor.

    Args:
        estimator: A scikit-learn classifier or regressor, fitted to class indices or values.
        classes: How many classes the schema has; None for values, or when the estimator was given here before.
    """

    differentiable = False

    def __init__(self, estimator: Any, *, classes: int | None = None) -> None:
        super().__init__()
        self.estimator = estimator
        if classes is not None and len(getattr(estimator, "classes_", range(classes))) != classes:
            setattr(estimator, _CLASSES, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """From encoded rows `(n, d)` to log-probabilities `(n, classes)` or values `(n,)`, float32."""
        rows = inputs.detach().cpu().numpy()
        if hasattr(self.estimator, "predict_proba"):
            probabilities = self._aligned(np.asarray(self.estimator.predict_proba(rows), dtype=np.float64))
            return torch.as_tensor(np.log(np.clip(probabilities, FLOOR, 1)), dtype=torch.float32)
        return torch.as_tensor(np.asarray(self.estimator.predict(rows)), dtype=torch.float32)

    def _aligned(self, probabilities: np.ndarray) -> np.ndarray:
        """Put the columns of the classes the estimator knows, which are class indices, where the schema has them."""
        classes = getattr(self.estimator, _CLASSES, None)
        if classes is None:
            return probabilities
        aligned = np.zeros((len(probabilities), classes))
        aligned[:, np.asarray(self.estimator.classes_, dtype=np.int64)] = probabilities
        return aligned


def differentiable(model: nn.Module) -> bool:
    """Whether gradients flow through the model; a module that says `differentiable = False` has none."""
    return bool(getattr(model, "differentiable", True))
