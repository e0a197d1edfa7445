"""What leaving out training rows is worth, and how contradictions are tested, worked out by hand."""

import numpy as np
import pytest
from scipy.stats import fisher_exact
from sklearn.linear_model import LogisticRegression

from glassbench_audits.influence.contradiction import CONFIDENCES, contradiction
from glassbench_audits.influence.last_layer import Traces
from glassbench_audits.influence.refit import DRAWS, class_fit, removal_gain, value_fit


def test_a_gain_is_what_losses_fall_by_beyond_those_without_as_many_rows_drawn():
    asked: list[int] = []

    def fit(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return np.array([10.0, 1.0]) * np.isin([3, 7], rows).sum()  # each of the two suspects that is left in costs as much

    found = removal_gain(fit, np.array([3, 7]), 50, np.random.default_rng(0))
    assert asked == [48] * (1 + DRAWS)
    assert 15 < found[0] <= 20
    assert found[1] == pytest.approx(found[0] / 10)


def test_a_loss_of_values_is_half_the_squared_error_of_a_ridge():
    given, truth = np.array([[1.0], [-1.0], [0.0]]), np.array([3.0, -3.0, 0.0])
    loss = value_fit(given, truth, np.array([[2.0]]), np.array([5.0]))(np.arange(3))
    assert loss == pytest.approx([(2 * 6 / 3 - 5) ** 2 / 2])  # the slope is 6 over 2 and a penalty of 1


def test_more_contradictions_than_held_out_rows_have_are_tested_to_one_side_and_for_every_confidence():
    against, held = np.zeros(100), np.zeros(80)
    against[:12], held[:3] = 0.8, 0.8
    found = contradiction(against, held)
    one_sided = fisher_exact([[12, 88], [3, 77]], alternative="greater").pvalue
    assert found.p == pytest.approx(min(1.0, len(CONFIDENCES) * one_sided))
    assert (found.counted, found.held, found.shares) == (12, (3, 80), (0.12, 3 / 80))


def test_a_row_argues_for_itself_by_the_square_of_its_gradient():
    drawn = np.random.default_rng(0)
    rows = Traces(given=drawn.normal(size=(6, 4)), asked=drawn.normal(size=(6, 3)), loss=np.ones(6))
    gradients = np.einsum("nk,nd->nkd", rows.asked, rows.given).reshape(6, -1)
    assert rows.influence(rows) == pytest.approx(gradients @ gradients.T)
    assert rows.own() == pytest.approx((gradients**2).sum(axis=1))
    assert rows.take(np.array([2])).own() == pytest.approx(rows.own()[[2]])


def test_chances_of_classes_stand_at_their_own_places_where_one_was_left_out() -> None:
    given, truth = np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array([0, 0, 2, 2])
    held, due = np.array([[1.5], [-1.5], [0.0]]), np.array([2, 0, 1])
    loss = class_fit(given, truth, held, due, 3)(np.arange(4))
    chance = LogisticRegression(C=1.0).fit(given, truth == 2).predict_proba(held)
    assert loss == pytest.approx([-np.log(chance[0, 1]), -np.log(chance[1, 0]), -np.log(1e-6)])
