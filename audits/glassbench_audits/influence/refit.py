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


def value_fit(given: np.ndarray, truth: np.ndarray, held: np.ndarray, held_truth: np.ndarray) -> Fit:
    """Return what fits a ridge regression on what the last layer is given, each `(n, d)`; the loss is half the squared error."""

    def fit(rows: np.ndarray) -> np.ndarray:
        rule = Ridge(alpha=PENALTY).fit(given[rows], truth[rows])
        loss: np.ndarray = (rule.predict(held) - held_truth) ** 2 / 2
        return loss

    return fit
