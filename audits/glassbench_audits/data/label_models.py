"""Models of the data audit's own that question labels: what they learn from, and what they say of rows they did not see."""

import warnings

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench_audits.data.near_duplicates import texts_of

FOLDS = 5
"""Folds of the cross-validation."""

WIDEST = 2000

NARROW = 100
"""Inputs beyond which principal components take their place, and blanks that a text has on average at least."""


def numbers_of(split: Split) -> np.ndarray | None:
    """Return what models can learn from, `(n, k)`: numbers as they are, texts as hashed words; else None."""
    first = split.inputs[0] if isinstance(split.inputs, tuple) and len(split.inputs) == 1 else None
    if first is not None and first.is_floating_point() and first.numel():
        flat = first.detach().cpu().flatten(1).double()
        return np.asarray(np.nan_to_num(flat[:, :: -(-flat.shape[1] // WIDEST)].numpy()))
    longest = texts_of(split)
    if longest is None:
        return None
    return np.asarray(HashingVectorizer(n_features=WIDEST).transform(longest).toarray())


def narrowed(inputs: np.ndarray) -> np.ndarray:
    """Return inputs by their first principal components where they are wide; no label takes part."""
    if inputs.shape[1] <= NARROW:
        return inputs
    return np.asarray(TruncatedSVD(NARROW // 2, random_state=0).fit_transform(inputs - inputs.mean(axis=0)))


def table_of(split: Split) -> Tensor | None:
    """Return the inputs `(n, columns)` where they are one table of numbers in memory, not too wide for quick models."""
    inputs = split.inputs
    if not isinstance(inputs, tuple) or len(inputs) != 1 or not inputs[0].is_floating_point():
        return None
    return inputs[0] if inputs[0].ndim == 2 and 0 < inputs[0].shape[1] <= WIDEST else None


def cross_validated(inputs: np.ndarray, labels: np.ndarray, classes: int, seed: int, clusters: np.ndarray) -> np.ndarray:
    """Return probabilities `(n, classes)`, the mean of a logistic regression and boosted trees that learnt on other folds.

    Rows of one cluster `(n,)` are in one fold.
    """
    stated = np.zeros((len(labels), classes))
    alone = len(np.unique(clusters)) == len(clusters)
    folds = (StratifiedKFold if alone else StratifiedGroupKFold)(FOLDS, shuffle=True, random_state=seed)
    for learn, judge in folds.split(inputs, labels, None if alone else clusters):
        stated[judge] = learnt_elsewhere(inputs[learn], labels[learn], inputs[judge], classes, seed)
    return stated


def learnt_elsewhere(inputs: np.ndarray, labels: np.ndarray, asked: np.ndarray, classes: int, seed: int) -> np.ndarray:
    """Return what both models, learnt from some rows, say on average of other rows: probabilities `(m, classes)`.

    Args:
        inputs, labels: What is learnt from, `(n, k)` and `(n,)`.
        asked: The other rows `(m, k)`.
        classes: Number of classes; those without a row have probability 0.
        seed: Seed of the trees.
    """
    stated, both = np.zeros((len(asked), classes)), _models(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for model in both:
            model.fit(inputs, labels)
            stated[:, model.classes_] += model.predict_proba(asked) / len(both)
    return stated


def _models(seed: int) -> tuple[ClassifierMixin, ...]:
    return (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
        HistGradientBoostingClassifier(max_iter=50, random_state=seed, early_stopping=False),
    )
