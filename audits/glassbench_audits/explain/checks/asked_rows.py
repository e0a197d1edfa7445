"""Rows as explanations ask about them, beside real ones: do they look alike, and does the model decide alike on both?"""

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.explain.checks.real_rows import LEAF, TREES, forest_of
from glassbench_audits.explain.checks.removal import removal_of

COPIES = 2
"""Rows asked for each real one."""


def asked_rows(explainer: Explainer, rows: Rows, generator: np.random.Generator) -> Rows:
    """Return two copies of each row in which each unit lies at the baseline with chance one half.

    Deletion, infidelity and Shapley values ask for such rows.

    Args:
        explainer: Says what a unit and the baseline are.
        rows: Real rows of a table, their first input `(n, d)`.
        generator: Draws the units.
    """
    removal = removal_of(explainer, rows)
    gone = torch.as_tensor(generator.random((COPIES * len(rows), len(explainer.feature_groups))) < 0.5)[
        :, explainer.feature_groups.mask
    ]
    repeated = rows.take(torch.arange(len(rows)).repeat(COPIES))
    return repeated.at(torch.where(gone, removal.absent[0].repeat(COPIES, 1), removal.present.repeat(COPIES, 1)))


def asked_auc(real: np.ndarray, asked: np.ndarray, seed: int) -> float:
    """Return how well a random forest tells asked from real rows: area under the ROC curve, out of bag.

    0.5: they look alike; 1: all of what was asked lies off the data.

    Args:
        real: Encoded rows `(n, d)`.
        asked: Likewise `(m, d)`, n at least.
        seed: Seed of the forest.
    """
    made = np.repeat([0, 1], len(real))
    both = np.concatenate([real, asked[: len(real)]])
    forest = RandomForestClassifier(TREES, min_samples_leaf=LEAF, oob_score=True, random_state=seed).fit(both, made)
    return float(roc_auc_score(made, np.nan_to_num(forest.oob_decision_function_[:, 1], nan=0.5)))


def carried_over(asked: np.ndarray, said: np.ndarray, real: np.ndarray, decided: np.ndarray, foretold: float, seed: int) -> float:
    """Return how much of what can be foretold on real rows is foretold by what the model says on asked ones, up to 1.

    A random forest learns what the model says of the rows asked about, and foretells what it says of real ones. The R squared
    of that is divided by the R squared of a forest that learnt from real rows. A model that decides otherwise where it is asked
    (Slack et al. 2020) leaves about 0; a negative value counts as 0.

    Args:
        asked: Encoded rows asked about `(m, d)`.
        said: What the model says of them `(m, k)`.
        real: Encoded real rows `(n, d)`.
        decided: What the model says of those `(n, k)`.
        foretold: R squared of a forest that learnt from real rows, out of bag, above 0.
        seed: Seed of the forest.
    """
    forest = forest_of(asked, said, seed)
    left = ((forest.predict(real).reshape(decided.shape) - decided) ** 2).sum()
    reached = 1 - left / ((decided - decided.mean(axis=0)) ** 2).sum()
    return float(np.clip(reached / foretold, 0, 1))
