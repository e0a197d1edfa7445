"""What an input could be instead: values that training rows have."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Feature

ROWS = 20_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Options:
    """The values one input could have.

    Args:
        feature: The input.
        values: Encoded values `(k, encoded_columns)`, each as some training row has it; numbers in rising order.
        rows: Positions of such training rows `(k,)`, for their values in a person's units.
        scale: Distance of a number that counts as 1; NaN for a category, any change of which counts as 1.
    """

    feature: Feature
    values: Tensor
    rows: np.ndarray
    scale: float

    @property
    def columns(self) -> list[int]:
        """Where the input stands in an encoded row."""
        return list(self.feature.columns)

    def distances(self, own: Tensor) -> np.ndarray:
        """Return how far each option is from an encoded row's own values `(encoded_columns,)`, `(k,)`; 0 where it is the same."""
        if np.isnan(self.scale):
            return (self.values != own).any(dim=1).double().numpy()
        gap: np.ndarray = (self.values[:, 0] - own[0]).abs().double().numpy() / self.scale
        return gap

    def some(self, count: int) -> "Options":
        """Return at most `count` of a number's values, evenly spread over the training rows; all of a category's."""
        if np.isnan(self.scale) or len(self.values) <= count:
            return self
        index = np.unique(np.linspace(0, len(self.values) - 1, count).round().astype(int))
        return Options(feature=self.feature, values=self.values[index], rows=self.rows[index], scale=self.scale)


def options_of(features: Sequence[Feature], train: Split, immutable: Sequence[str]) -> tuple[Options, ...]:
    """Return the options of every input that may change and has two values at least.

    What is missing is no option: nobody can be told to lose a value. Values that no training row has do not come up, so types,
    ranges and the one mark of a category are kept.

    Args:
        features: The inputs of the schema.
        train: The training rows.
        immutable: Names of inputs that may not change.
    """
    index = torch.arange(len(train))[:ROWS]
    inputs = train.batch(index).inputs[0]
    found = [_options(feature, inputs, train) for feature in features if feature.columns and feature.name not in immutable]
    return tuple(options for options in found if len(options.values) > 1)


def _options(feature: Feature, inputs: Tensor, train: Split) -> Options:
    encoded = inputs[:, list(feature.columns)]
    known = np.flatnonzero(_known(feature, encoded, train))
    values, first = np.unique(encoded[known].numpy(), axis=0, return_index=True)
    spread = float(np.ptp(np.quantile(values[:, 0], [0.05, 0.95]))) if len(values) else 0.0
    scale = float("nan") if feature.categorical else (float(encoded[known][:, 0].double().std()) or spread or 1.0)
    return Options(feature=feature, values=torch.as_tensor(values), rows=known[first], scale=scale)


def _known(feature: Feature, encoded: Tensor, train: Split) -> np.ndarray:
    """Return which training rows have a value of an input `(n,)`."""
    raw = train.raw
    if raw is not None and feature.name in raw.columns:
        return raw[feature.name].notna().to_numpy()[: len(encoded)]
    return np.ones(len(encoded), dtype=bool) if not feature.categorical else (encoded != 0).any(dim=1).numpy()
