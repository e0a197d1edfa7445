"""What is fitted to all rows at once: scikit-learn estimators wrapped as a network, and networks that fit themselves."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

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

        Further arguments are given where its signature names them: `sample_weight`, the weights of rows `(n,)` with a mean of 1;
        `validation`, the validation split (`HeldOutRows`) or None; `record`, which takes lines of the training history
        (`glassbench.contracts.trainer.Record`); `seed`, the experiment's; `groups`, the sensitive features of the training rows,
        a frame of n rows, or None.
        """
        ...


class HeldOutRows(NamedTuple):
    """Encoded rows that nothing is fitted to, for a fit that stops early.

    Args:
        rows: Encoded rows `(n, ...)`.
        target: Class indices or values `(n,)`.
        weights: Weights of rows with a mean of 1 `(n,)`; None where rows count alike.
    """

    rows: np.ndarray
    target: np.ndarray
    weights: np.ndarray | None


@runtime_checkable
class OwnFormat(Protocol):
    """A network that is no network inside, kept in a file of its library's own format instead of as safetensors.

    Reading the file must run no code of the file's.
    """

    own_file: str
    """Name of the file in the run's folder (`model.lightgbm.txt`)."""

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        ...

    def from_bytes(self, content: bytes) -> None:
        """Become what the file holds.

        Raises:
            ValueError: It cannot be read by the installed library; the message is one sentence that says why.
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


def opaque(model: nn.Module) -> bool:
    """Whether what computes is no network: an estimator, or what is kept in a library's own format."""
    return isinstance(model, EstimatorModule | OwnFormat)


def differentiable(model: nn.Module) -> bool:
    """Whether gradients flow through the model; a module that says `differentiable = False` has none."""
    return bool(getattr(model, "differentiable", True))
