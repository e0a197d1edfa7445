"""The explained rows' values, as numbers to rank and as words to read."""

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.choices import positive_of_two
from glassbench.contracts.readable import in_its_unit, plain_number
from glassbench.contracts.schema import Feature
from glassbench.contracts.subject import Subject


def words(feature: Feature, raw: pd.DataFrame | None, position: int) -> str | None:
    """Return a row's value of a feature in its own units, or None where the raw rows are not known."""
    if raw is None or feature.name not in raw.columns:
        return None
    value = raw[feature.name].iloc[position]
    if pd.isna(value):
        return "missing"
    if isinstance(value, str) or not np.isscalar(value) or isinstance(value, bool | np.bool_):
        return str(value)
    return in_its_unit(float(str(value)), feature)


def encoded_words(feature: Feature, encoded: np.ndarray) -> str:
    """Return an encoded row's value of a feature `(d,)`: the category it marks, or the number the model saw."""
    columns = list(feature.columns)
    if feature.categorical and len(feature.categories) == len(columns):
        return feature.categories[int(encoded[columns].argmax())] if encoded[columns].any() else "none that is known"
    return f"{plain_number(float(encoded[columns[0]]))} (encoded)"


def observed_words(feature: Feature, observed: np.ndarray) -> str:
    """Return an observation's entry `(d,)` in its own unit: what a policy sees is not encoded."""
    if feature.categorical:
        return encoded_words(feature, observed)
    return in_its_unit(float(observed[feature.columns[0]]), feature)


def sides(subject: Subject, positions: np.ndarray) -> np.ndarray | None:
    """Return on which side of its question each row was explained, 1 or -1 `(n,)`; None where there are more than two.

    Values have one side. Of two classes, the positive one (or the second) is the side that directions speak of.
    """
    return subject.kind.sides(subject.predictions.frame.iloc[positions], subject.schema)


def spoken_class(subject: Subject) -> str | None:
    """Return the class that directions speak of: the positive or second of two; None of more classes, labels or none."""
    return None if len(subject.class_outputs) > 1 else positive_of_two(subject.schema)
