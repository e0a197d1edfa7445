"""Conformal limits and scores of quantiles, by hand, by their promise and against scikit-learn."""

import math

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from glassbench.stats.conformal import conformal_limit, fewest_rows
from glassbench.stats.scoring import interval_score, pinball_loss


def test_the_limit_is_the_finite_sample_quantile():
    scores = np.array([5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 7.0, 6.0])
    assert conformal_limit(scores, 0.5) == 5
    assert conformal_limit(scores, 0.55) == 6
    assert conformal_limit(scores, 0.9) == 9
    assert conformal_limit(scores, 0.91) == math.inf
    assert conformal_limit(scores[:1], 0.5) == 5
    assert conformal_limit(scores, 0.1) == 1


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_the_fewest_rows_are_where_the_limit_becomes_finite(coverage):
    fewest = fewest_rows(coverage)
    assert conformal_limit(np.arange(fewest, dtype=float), coverage) == fewest - 1
    assert fewest == 1 or conformal_limit(np.arange(fewest - 1, dtype=float), coverage) == math.inf


def test_equal_weights_change_nothing_and_rows_of_weight_count():
    scores = np.random.default_rng(0).random(50)
    for coverage in (0.5, 0.8, 0.9):
        for unit in (1.0, 12.5):
            assert conformal_limit(scores, coverage, np.full(50, unit)) == conformal_limit(scores, coverage)
    heavy = np.array([1.0, 1.0, 1.0, 5.0])
    assert conformal_limit(np.array([1.0, 2.0, 3.0, 4.0]), 0.5, heavy) == 4
    assert conformal_limit(np.array([4.0, 3.0, 2.0, 1.0]), 0.3, heavy) == 1
    assert conformal_limit(np.array([1.0, 2.0]), 0.95, np.ones(2)) == math.inf


def test_new_rows_stay_within_as_often_as_promised():
    generator = np.random.default_rng(1)
    drawn = generator.exponential(size=(4000, 20))
    limits = np.array([conformal_limit(row[:19], 0.8) for row in drawn])
    assert (drawn[:, 19] <= limits).mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_pinball_losses_are_those_of_scikit_learn(level):
    generator = np.random.default_rng(2)
    truth, predicted = generator.normal(size=(2, 40))
    assert pinball_loss(truth, predicted, level).mean() == pytest.approx(mean_pinball_loss(truth, predicted, alpha=level))
    assert (pinball_loss(truth, truth, level) == 0).all()


def test_an_interval_pays_its_width_and_for_what_it_misses():
    """Gneiting and Raftery (2007), equation 43: the pinball losses of both ends, times 2 over the share of misses."""
    generator = np.random.default_rng(3)
    truth = generator.normal(size=60)
    low, high = -1 - generator.random(60), 1 + generator.random(60)
    found = interval_score(truth, low, high, 0.8)
    both = pinball_loss(truth, low, 0.1) + pinball_loss(truth, high, 0.9)
    assert found == pytest.approx(both * 2 / 0.2)
    assert interval_score(np.array([0.0, 3.0, -4.0]), np.full(3, -1.0), np.full(3, 2.0), 0.9) == pytest.approx([3.0, 23.0, 63.0])
