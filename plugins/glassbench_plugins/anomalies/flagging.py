"""A model of what is usual, and the score from which a row is flagged."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.estimator import differentiable
from glassbench_plugins.density.task import log_density

_CHUNK = 4096


class Flagging(nn.Module):
    """Gives each row a score, higher the more unusual; rows above a threshold are flagged.

    The score is the model's own (`score`), or the negative logarithm of its density. The threshold is a quantile of the
    scores of rows that are taken for usual, and is saved with the weights.

    Args:
        model: A density, or a model with a method `score(inputs)`.
        share: Share of those rows that is flagged.
    """

    threshold: Tensor

    def __init__(self, model: nn.Module, share: float) -> None:
        super().__init__()
        self.model = model
        self.share = share
        self.differentiable = differentiable(model)
        self.register_buffer("threshold", torch.tensor(torch.inf, dtype=torch.float64))

    @property
    def facts(self) -> Mapping[str, Any]:
        """The model's own facts."""
        own: Mapping[str, Any] = getattr(self.model, "facts", {})
        return {**own, "threshold": float(self.threshold), "flagged_share": self.share}

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to scores `(n,)`."""
        score = getattr(self.model, "score", None)
        if not callable(score):
            return torch.neg(log_density(self.model(inputs)))
        values: Tensor = score(inputs)
        return values

    def objective(self, inputs: Tensor) -> Tensor:
        """Return what the model minimises in training; outside it the score `(n,)`."""
        if not self.training:
            score: Tensor = self(inputs)
            return score
        values: Tensor = self.model.objective(inputs)  # type: ignore[operator]
        return values

    def prepare(self, rows: np.ndarray) -> None:
        """Let the model look at the training rows `(n, ...)` before it learns, if it wants to."""
        prepare = getattr(self.model, "prepare", None)
        if callable(prepare):
            prepare(rows)

    def fit(self, rows: np.ndarray, target: np.ndarray | None = None) -> "Flagging":
        """Fit a model that fits itself, and set the threshold by the rows it was fitted to."""
        self.model.fit(rows)  # type: ignore[operator]
        scores = getattr(self.model, "training_scores", None)
        self.measure(self.scores(torch.as_tensor(rows)) if scores is None else torch.as_tensor(scores))
        return self

    def scores(self, rows: Tensor) -> Tensor:
        """Return the scores of rows `(n, ...)` in evaluation mode, `(n,)`, without gradients."""
        with torch.no_grad():
            return torch.cat([self(chunk) for chunk in torch.split(rows, _CHUNK)])

    def measure(self, scores: Tensor) -> None:
        """Set the threshold by the scores of usual rows `(n,)`."""
        self.threshold.copy_(torch.quantile(scores.double(), 1 - self.share))
