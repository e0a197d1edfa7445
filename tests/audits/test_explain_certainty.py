"""A probability of exactly 0 does not outweigh everything else that a forest says."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

import glassbench


def people(n: int = 240) -> tuple[pd.DataFrame, np.ndarray]:
    """Return inputs of which the first decides nearly always and the second sways a little."""
    generator = np.random.default_rng(0)
    X = pd.DataFrame(generator.standard_normal((n, 4)), columns=list("abcd"))
    return X, (X["a"] + 0.3 * X["b"] + 0.2 * generator.standard_normal(n) > 0).astype(int).to_numpy()


def explained(model, X, y, folder):
    audits = {"explain": {"method": "exact-shapley", "rows": 120, "cases": 0, "replicates": 20}}
    return glassbench.audit(model, X, y, audits=audits, held_out=True, runs=folder).audits[0]


def test_the_step_from_the_last_vote_to_none_is_that_of_half_a_vote(tmp_path):
    X, y = people()
    model = RandomForestClassifier(20, random_state=0).fit(X[:120], y[:120])
    chances = model.predict_proba(X[120:])
    assert (chances == 0).any()
    least = chances[chances > 0].min()
    result = explained(model, X[120:], y[120:], tmp_path)
    assert result.method.parameters["probability_floor"] == pytest.approx(least / 2, rel=1e-4)
    sizes = [row[1] for row in result.tables[0].rows]
    assert max(sizes) < 2 * np.log(2 / least)


class Sure(ClassifierMixin, BaseEstimator):
    """Says yes or no and nothing between."""

    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        yes = (np.asarray(X)[:, 0] > 0).astype(float)
        return np.stack([1 - yes, yes], axis=1)

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


def test_a_model_that_says_nothing_between_counts_as_sure_to_one_in_twenty(tmp_path):
    X, y = people()
    result = explained(Sure(), X, y, tmp_path)
    assert result.method.parameters["probability_floor"] == 0.05


def test_a_model_that_never_says_0_is_explained_as_it_is(tmp_path):
    X, y = people()
    model = GradientBoostingClassifier(n_estimators=20, random_state=0).fit(X[:120], y[:120])
    result = explained(model, X[120:], y[120:], tmp_path)
    assert result.method.parameters["probability_floor"] is None
