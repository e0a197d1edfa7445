"""Principal components."""

import numpy as np
from sklearn.decomposition import PCA
from torch import Tensor

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count
from glassbench_plugins.unsupervised.grown import Grown, flat


class PrincipalAxes(Grown):
    """The directions in which rows vary most.

    Args:
        code: How many.
    """

    mean: Tensor
    axes: Tensor

    def __init__(self, *, code: int) -> None:
        super().__init__()
        self.code = code
        self.grow("mean", "axes")

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "PrincipalAxes":
        """Find the axes of rows `(n, ...)`.

        Raises:
            FitError: There are fewer rows or encoded columns than axes.
        """
        vectors = flat(rows)
        if self.code > min(vectors.shape):
            raise FitError(
                "there are not so many principal axes",
                got=f"{self.code} axes of {vectors.shape[0]} rows with {vectors.shape[1]} columns",
                fix=f"set model.code to at most {min(vectors.shape)}",
            )
        found = PCA(self.code).fit(vectors)
        self.keep(mean=found.mean_, axes=found.components_)
        self.facts = {"explained_variance": [round(float(share), 6) for share in found.explained_variance_ratio_]}
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to codes `(n, m)`, float64."""
        return (inputs.flatten(1).double() - self.mean) @ self.axes.T

    def decode(self, codes: Tensor) -> Tensor:
        """From codes `(n, m)` to rows `(n, d)`."""
        return codes @ self.axes + self.mean

    def score(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to their mean squared reconstruction error `(n,)`."""
        return ((self.decode(self(inputs)) - inputs.flatten(1).double()) ** 2).mean(dim=1)


def pca(schema: Schema, *, code: Count = 2) -> PrincipalAxes:
    """Principal component analysis (Pearson 1901), as scikit-learn has it.

    It serves representation, and anomalies by the reconstruction error.

    Args:
        schema: What the rows are.
        code: How many axes are kept.
    """
    if code < 1:
        raise FitError("a code has at least one entry", got=str(code), fix="set model.code to 1 or more")
    return PrincipalAxes(code=code)
