"""Inputs without their linear correlation with sensitive features."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from glassbench.contracts.data import Data, Split
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Task
from glassbench.errors import DataError
from glassbench.stats.settings_types import Share
from glassbench_plugins.mitigation.groups import Groups, chosen_features


@dataclass(frozen=True, kw_only=True)
class CorrelationRemoval(Mitigation):
    """Takes from each encoded input what a linear regression on the groups predicts of it.

    The regression is fitted to training rows, and applied to all splits and to rows that are predicted later. Source:
    Fairlearn's `CorrelationRemover`.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        share: How much of the correlation is taken away.
    """

    features: tuple[str, ...] | None = None
    share: Share = 1.0

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse rows that are no encoded table."""
        chosen_features(self.features, data.schema, "correlation-removal")
        train = data.train
        if not isinstance(train, Split) or not isinstance(train.inputs, tuple) or train.inputs[0].ndim != 2:
            raise DataError(
                "the mitigation 'correlation-removal' serves encoded tables",
                got=f"rows of the modality {data.schema.modality}",
                fix="choose a mitigation that acts while training or after it",
            )

    def fit_inputs(self, train: Split, schema: Schema) -> Facts:
        """Return the groups, their shares, and the coefficients of each input column."""
        assert train.groups is not None
        groups = Groups.of(train.groups, chosen_features(self.features, schema, "correlation-removal"))
        indicators = _indicators(groups.codes(train.groups), len(groups.names))
        mean = indicators.mean(axis=0)
        inputs = train.batch(slice(None)).inputs[0].double().numpy()
        coefficients = np.linalg.lstsq(indicators - mean, inputs, rcond=None)[0]
        return {"groups": groups.to_json(), "mean": mean.tolist(), "coefficients": coefficients.tolist()}

    def transform(self, split: Split, facts: Facts) -> Split:
        """Return the rows with inputs that have no correlation with the groups; rows of an unknown group keep theirs."""
        groups = Groups.from_json(facts["groups"])
        codes, mean = groups.codes(split.groups), np.asarray(facts["mean"])
        indicators = np.where(codes[:, None] >= 0, _indicators(codes, len(groups.names)), mean)
        removed = torch.as_tensor((indicators - mean) @ np.asarray(facts["coefficients"]))
        first, *rest = split.batch(slice(None)).inputs
        return replace(split, inputs=((first.double() - self.share * removed).to(first.dtype), *rest))

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say how many columns were changed, and by how much at most."""
        groups, coefficients = Groups.from_json(facts["groups"]), np.abs(np.asarray(facts["coefficients"]))
        largest = float(coefficients.max()) if coefficients.size else 0.0
        return (
            f"{self.share:.0%} of the linear correlation with {', '.join(groups.features)} ({len(groups.names)} groups) was "
            f"taken from {coefficients.shape[1]} input columns, fitted to training rows (largest coefficient "
            f"{largest:.3g}). Inputs in explanations are those after the change."
        )


def _indicators(codes: np.ndarray, groups: int) -> np.ndarray:
    """Return one column for each group but the first `(n, groups - 1)`."""
    return np.asarray(codes[:, None] == np.arange(1, groups)[None], dtype=np.float64)
