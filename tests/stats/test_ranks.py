"""Ranks of scores, whichever way they are sorted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from glassbench.stats.ranking import placements, ranks


@given(st.lists(st.one_of(st.floats(width=32, allow_nan=False), st.floats(allow_nan=False)), max_size=30))
def test_ranks_are_those_of_sorted_different_scores(scores):
    values, level = np.unique(np.array(scores, dtype=float), return_inverse=True)
    count, found = ranks(np.array(scores, dtype=float))
    assert count == len(values)
    assert found.tolist() == level.tolist()


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=30))
def test_ranks_of_numbers_in_single_precision(scores):
    array = np.array(scores, dtype=float)
    assert ranks(array)[1].tolist() == np.unique(array, return_inverse=True)[1].tolist()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_area_with_ties_is_that_of_scikit_learn(kind):
    generator = np.random.default_rng(3)
    member = generator.random(4000) < 0.2
    score = np.round(generator.normal(size=4000) + member, 2).astype(kind).astype(float)
    assert placements(score, member, np.ones(4000))[0] == pytest.approx(roc_auc_score(member, score), abs=1e-12)
