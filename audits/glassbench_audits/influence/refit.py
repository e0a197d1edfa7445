"""Whether a model without some of its training rows would decide held-out rows better."""

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

DRAWS = 20
PENALTY = 1.0

Fit = Callable[[np.ndarray], np.ndarray]
"""From training rows to the loss of each held-out row, the last layer fitted to those training rows."""


def removal_gain(fit: Fit, suspects: np.ndarray, n: int, generator: np.random.Generator) -> np.ndarray:
    """Return by how much each held-out row's loss is lower without the suspects than without as many rows drawn at random.

    Args:
        fit: Fits the last layer to some of the training rows.
        suspects: Positions of the training rows to leave out.
        n: Training rows.
        generator: Draws what else is left out.
    """
    without = fit(np.setdiff1d(np.arange(n), suspects))
    drawn = [fit(np.sort(generator.permutation(n)[len(suspects) :])) for _ in range(DRAWS)]
    gain: np.ndarray = np.mean(drawn, axis=0) - without
    return gain


def class_fit(given: np.ndarray, truth: np.ndarray, held: np.ndarray, held_truth: np.ndarray, classes: int) -> Fit:
    """Return what fits a softmax on what the last layer is given, each `(n, d)`; a class that is left out counts as never."""

    def fit(rows: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            rule = LogisticRegression(C=1 / PENALTY, max_iter=200).fit(given[rows], truth[rows])
        chances = np.full((len(held), classes), 1e-6)
        chances[:, rule.classes_] = np.clip(rule.predict_proba(held), 1e-6, 1)
        loss: np.ndarray = -np.log(chances[np.arange(len(held)), held_truth])
        return loss

    return fit


def label_fit(given: np.ndarray, truth: np.ndarray, held: np.ndarray, held_truth: np.ndarray) -> Fit:
    """Return what fits a logistic regression for each label on what the last layer is given, each `(n, d)`; losses add up.

    Args:
        given, held: What the last layer is given, of training and of held-out rows.
        truth, held_truth: Which labels rows have, 1, 0 or NaN `(n, labels)`; unknown ones take no part.
    """

    def fit(rows: np.ndarray) -> np.ndarray:
        loss: np.ndarray = np.zeros(len(held))
        for own, due in zip(truth.T, held_truth.T, strict=True):
            chance = np.clip(_chance(given[rows], own[rows], held), 1e-6, 1 - 1e-6)
            loss += np.nan_to_num(-np.where(due > 0, np.log(chance), np.log(1 - chance)) * np.where(np.isnan(due), np.nan, 1))
        return loss

    return fit


def _chance(given: np.ndarray, truth: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Return the probability of a label for held-out rows `(m,)`, learnt from the rows of which it is known."""
    known = np.isfinite(truth)
    if len(np.unique(truth[known])) < 2:
        return np.full(len(held), float(truth[known].mean()) if known.any() else 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        rule = LogisticRegression(C=1 / PENALTY, max_iter=200).fit(given[known], truth[known])
    return np.asarray(rule.predict_proba(held)[:, 1])


def value_fit(given: np.ndarray, truth: np.ndarray, held: np.ndarray, held_truth: np.ndarray) -> Fit:
    """Return what fits a ridge regression on what the last layer is given, each `(n, d)`; the loss is half the squared error."""

    def fit(rows: np.ndarray) -> np.ndarray:
        rule = Ridge(alpha=PENALTY).fit(given[rows], truth[rows])
        loss: np.ndarray = (rule.predict(held) - held_truth) ** 2 / 2
        return loss

    return fit
