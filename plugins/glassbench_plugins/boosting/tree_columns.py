"""The table that a boosting library reads: one column per feature, categories as codes, missing values as NaN."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from glassbench.contracts.schema import Feature, Schema
from glassbench.errors import FitError, SettingsError, suggest

Direction = Literal["increasing", "decreasing"]
Monotone = Mapping[str, Direction]


@dataclass(frozen=True)
class TreeColumns:
    """How encoded rows become the table of a boosting library.

    A number takes one column, with NaN where its second encoded column says that it is missing. A category takes one column of
    codes, its places among `Feature.categories`; one that the training rows did not have is NaN.

    Args:
        features: The inputs, in column order.
    """

    features: tuple[Feature, ...]

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """Return the columns of a schema.

        Raises:
            FitError: Rows are no table.
        """
        if schema.modality != "table" or len(schema.shape) != 1 or schema.shape[0] is None:
            fix = "choose a network for rows of this kind"
            raise FitError("boosted trees are fitted to a table", got=f"{schema.modality} rows of shape {schema.shape}", fix=fix)
        unnamed = tuple(Feature(name=f"x{place}", columns=(place,)) for place in range(schema.shape[0]))
        return cls(schema.features or unnamed)

    @property
    def names(self) -> list[str]:
        """Names that both libraries take: letters, digits and underscores, no two the same."""
        names: list[str] = []
        for feature in self.features:
            name = re.sub(r"\W", "_", feature.name) or "_"
            while name in names:
                name += "_"
            names.append(name)
        return names

    @property
    def categories(self) -> list[int]:
        """Places of columns of codes."""
        return [place for place, feature in enumerate(self.features) if feature.categorical]

    def table(self, rows: np.ndarray) -> np.ndarray:
        """From encoded rows `(n, d)` to a table `(n, features)`, float32."""
        columns = [_codes(rows, feature) if feature.categorical else _numbers(rows, feature) for feature in self.features]
        return np.stack(columns, axis=1).astype(np.float32) if columns else np.empty((len(rows), 0), dtype=np.float32)

    def constraints(self, monotone: Monotone | None, schema: Schema) -> list[int]:
        """Return 1, -1 or 0 for each column: whether the prediction may only rise, only fall, or both.

        Args:
            monotone: Names of columns with their directions; of two classes, what rises is the probability of the positive one,
                or of the last where none is named.
            schema: Tells the columns and the positive class.

        Raises:
            SettingsError: A name is no column of numbers, or there are more than two classes.
        """
        asked, target = monotone or {}, schema.target
        if asked and len(target.classes) > 2:
            fix = "remove model.monotone"
            got = f"{len(target.classes)} classes"
            raise SettingsError("monotone constraints need two classes or a value", got=got, where="model.monotone", fix=fix)
        numbers = [feature.name for feature in self.features if not feature.categorical]
        for name in asked:
            if name not in numbers:
                category = any(feature.name == name for feature in self.features)
                raise SettingsError(
                    "a category cannot be constrained" if category else "there is no such input column",
                    got=name,
                    available=numbers,
                    where=f"model.monotone.{name}",
                    fix=suggest(name, numbers),
                )
        first = bool(target.classes) and target.positive == target.classes[0]
        sign = {"increasing": -1 if first else 1, "decreasing": 1 if first else -1}
        return [sign[asked[feature.name]] if feature.name in asked else 0 for feature in self.features]


def _numbers(rows: np.ndarray, feature: Feature) -> np.ndarray:
    values = rows[:, feature.columns[0]]
    if len(feature.columns) == 1:
        return values
    return np.where(rows[:, feature.columns[1]] > 0.5, np.nan, values)


def _codes(rows: np.ndarray, feature: Feature) -> np.ndarray:
    held = rows[:, list(feature.columns)]
    return np.where(held.max(axis=1) > 0, held.argmax(axis=1), np.nan)


def balanced_weights(target: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return weights of rows `(n,)` under which every class present counts alike.

    Args:
        target: Class indices `(n,)`.
        weights: Weights of rows that they are multiplied with, or None.
    """
    each = np.ones(len(target)) if weights is None else weights
    sums = np.bincount(target, each)
    present = int((sums > 0).sum())
    factors = np.divide(each.sum(), present * sums, out=np.zeros_like(sums), where=sums > 0)
    balanced: np.ndarray = each * factors[target]
    return balanced
