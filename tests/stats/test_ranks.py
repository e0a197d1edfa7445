"""Ranks of scores, whichever way they are sorted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from glassbench.stats.ranking import mean_area, placements, ranks
from glassbench.stats.sampling import Sampling


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


def delong(score, member):
    """Return an area, the two parts of its variance, and the rows of either side, by the definition (DeLong et al. 1988)."""
    pairs = (score[member][:, None] > score[~member]) + 0.5 * (score[member][:, None] == score[~member])
    sides = [pairs.mean(axis=1), pairs.mean(axis=0)]
    return pairs.mean(), [side.var(ddof=1) / len(side) for side in sides], [len(side) for side in sides]


@pytest.mark.parametrize("turned", [1, -1], ids=["above one half", "below one half"])
@pytest.mark.parametrize("rows", [40, 150])
def test_an_area_is_doubted_more_toward_one_half_and_as_delong_says_away_from_it(rows, turned):
    generator = np.random.default_rng(rows)
    member = np.arange(rows) < rows // 4
    score = turned * (generator.normal(size=rows) + 1.5 * member)
    found = mean_area([(score, member)], Sampling(weight=np.ones(rows)), None).estimate(0.9)
    area, variances, sizes = delong(score, member)
    assert found.value == pytest.approx(area)
    df = sum(variances) ** 2 / sum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True))
    arms = [abs(logit(end) - logit(area)) for end in (found.low, found.high)]
    toward, away = arms if turned > 0 else arms[::-1]
    error = away * area * (1 - area) / student.ppf(0.95, df)
    assert error == pytest.approx(sum(variances) ** 0.5, rel=2 / rows)  # variances divide by n or by n - 1
    assert toward > 1.02 * away


def test_the_interval_of_scores_turned_round_is_the_mirror_image():
    generator = np.random.default_rng(0)
    member = generator.random(60) < 0.3
    score = generator.normal(size=60) + member
    one, other = (mean_area([(s, member)], Sampling(weight=np.ones(60)), None).estimate(0.95) for s in (score, -score))
    assert (other.value, other.low, other.high) == pytest.approx((1 - one.value, 1 - one.high, 1 - one.low))
