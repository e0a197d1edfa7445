"""A column that is the answer itself under noise: it tells much of the answer, and nothing else once the answer is known.

A cause of the answer that is not its copy goes with other columns, also among rows of one class: with what it depends on, and,
since causes of one answer take each other's place, with the other causes. A noisy copy goes with nothing there. Where the other
columns tell nothing of the answer, a copy cannot be told from a lone cause, and nothing is said.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FEWEST, ROWS, FOLDS = 400, 4000, 4
"""Rows below which nothing is said, rows that are looked at, and folds in which columns are predicted."""

TELLS = 0.3
"""Cramér's V of each of a column's values with a class from which the column is looked at."""

OTHERS = 0.6
"""Area under the ROC curve with which the other columns must tell the answer."""

SILENT = 0.57
"""End of the one-sided 95 % interval of that area, for the column among rows of one class, below which nothing else tells it."""

MOST_COLUMNS, MOST_VALUES = 5, 12
"""Columns that are looked at, the strongest ones, and values of a category that become inputs."""


def blurred_copies(
    columns: pd.DataFrame, answer: np.ndarray, apart: Collection[str], generator: np.random.Generator
) -> list[str]:
    """Return the columns that look like the answer under noise.

    Args:
        columns: Named features: floats, or texts for categories.
        answer: The classes `(n,)`, -1 where they are not known.
        apart: Columns that are suspected already; they are no evidence.
        generator: Draws the rows that are looked at, where there are many.
    """
    rows = generator.permutation(np.flatnonzero(answer >= 0))[:ROWS]
    answer, columns = answer[rows], columns.iloc[rows].reset_index(drop=True)
    if len(rows) < FEWEST or not 2 <= len(np.unique(answer)) <= MOST_VALUES:
        return []
    told = {str(name): told for name in columns if str(name) not in apart and (told := _told(columns[name], answer)) is not None}
    found = []
    for name in sorted(told, key=lambda name: -told[name].strength)[:MOST_COLUMNS]:
        rest = inputs_of(columns.drop(columns=[name, *(n for n in columns if str(n) in apart)]))
        one = told[name]
        if rest.shape[1] and _told_by(rest, one.answer) > OTHERS and _silent(rest, one.copy, one.answer):
            found.append(name)
    return found


@dataclass(frozen=True, eq=False, kw_only=True)
class _Told:
    """A column's value and the class that it goes with most.

    Args:
        strength: Cramér's V of the two; of several classes, that of the class whose value tells least of it.
        copy, answer: Whether a row has the value, and is of the class `(n,)`.
    """

    strength: float
    copy: np.ndarray
    answer: np.ndarray


def _told(column: pd.Series, answer: np.ndarray) -> _Told | None:
    """Return what a column of as many values as there are classes tells; None where its values don't pair off with classes."""
    values, classes = list(column.dropna().unique()), np.unique(answer)
    if len(values) != len(classes) or column.isna().mean() > 1 / FEWEST:
        return None
    copies = [1 * (column == value).to_numpy() for value in values]
    answers = [1 * (answer == one) for one in classes]
    told = np.array([[np.corrcoef(copy, one)[0, 1] for one in answers] for copy in copies])
    pairs = told.argmax(axis=1)
    if len(set(pairs.tolist())) < len(classes) or (weakest := float(told.max(axis=1).min())) < TELLS:
        return None
    value = int(np.argmax(told.max(axis=1)))
    return _Told(strength=weakest, copy=copies[value], answer=answers[pairs[value]])


def inputs_of(columns: pd.DataFrame) -> np.ndarray:
    """Return columns as numbers `(n, k)`: medians in place of what is missing, a slot for each frequent category."""
    return np.column_stack([slot for name in columns for slot in _slots(columns[name])] or [np.empty((len(columns), 0))])


def _slots(column: pd.Series) -> Iterator[np.ndarray]:
    if pd.api.types.is_float_dtype(column):
        if column.nunique() > 1:
            yield column.fillna(column.median()).to_numpy(dtype=float)
        return
    for value in column.value_counts().index[:MOST_VALUES]:
        yield (column == value).to_numpy(dtype=float)


def _told_by(inputs: np.ndarray, wanted: np.ndarray) -> float:
    """Return the area under the ROC curve with which inputs tell a column of 0 and 1, by models that did not see the row."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    trees = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, random_state=0, early_stopping=False)
    areas = []
    for model in (line, trees):
        stated = cross_val_predict(model, inputs, wanted, cv=folds, method="predict_proba")[:, 1]
        areas.append(float(roc_auc_score(wanted, stated)))
    return max(areas)


def _silent(inputs: np.ndarray, copy: np.ndarray, answer: np.ndarray) -> bool:
    """Whether nothing tells the copy among the rows of one class, in each class that has enough of both of its values."""
    shares, areas, errors = [], [], []
    for one in np.unique(answer):
        inside = answer == one
        ones, others = int(copy[inside].sum()), int((1 - copy[inside]).sum())
        if min(ones, others) >= 2 * FOLDS:
            areas.append(_told_by(inputs[inside], copy[inside]))
            errors.append((ones + others + 1) / (12 * ones * others))
            shares.append(1 / errors[-1])
    if not shares:
        return False
    weights = np.array(shares) / np.sum(shares)
    end = float(weights @ np.array(areas)) + 1.645 * float(np.sqrt(weights**2 @ np.array(errors)))
    return end < SILENT
