"""What groups differ by beyond their counts: scores, and values, against scikit-learn through Fairlearn's frame."""

from types import SimpleNamespace

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as skm
from scipy.special import ndtr

from glassbench.contracts.predictions.classes import Classes
from glassbench.stats.ranking import area
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.audit import audit
from glassbench_plugins.supervised.metrics import RATES, SCORES

JUDGED = {"roc_auc": skm.roc_auc_score, "log_loss": skm.log_loss, "brier": skm.brier_score_loss}
TASK = SimpleNamespace(kind=Classes(), metrics=SCORES)


@pytest.fixture
def scored(classification):
    """Audit 600 rows whose scores are noisier for group "b"."""

    def run(noise=1.0, seed=0, **settings):
        generator = np.random.default_rng(seed)
        group, latent = generator.choice(["a", "b"], 600), generator.normal(size=600)
        truth = (latent > 0).astype(int)
        score = 1 / (1 + np.exp(-2 * (latent + np.where(group == "b", noise, 1.0) * generator.normal(size=600))))
        subject = classification(truth, (score > 0.5).astype(int), {"g": group}, scores=score, task=TASK)
        return audit(subject, **{"replicates": 300, **settings}), truth, score, group

    return run


def _measure(result, name, group=None):
    return next(m for m in result.measures if m.name == f"fairness.{name}" and m.by == ("g",) and m.group == group)


def test_scores_per_group_are_scikit_learns(scored):
    result, truth, score, group = scored()
    frame = fl.MetricFrame(metrics=JUDGED, y_true=truth, y_pred=score, sensitive_features=group)
    for name in JUDGED:
        for value in "ab":
            measured = _measure(result, name, {"g": value})
            assert measured.value == pytest.approx(frame.by_group[name][value], rel=1e-9)
            assert measured.low < measured.value < measured.high
        assert _measure(result, f"{name}_difference").value == pytest.approx(frame.difference()[name], rel=1e-9)


def test_a_planted_gap_in_scores_is_sure(scored):
    result, *_ = scored(noise=6.0)
    assert _measure(result, "roc_auc_difference").low > 0.1


def test_a_groups_area_has_the_spread_of_hanley_and_mcneil(scored):
    result, truth, _, group = scored(replicates=1000)
    area = _measure(result, "roc_auc", {"g": "a"})
    positive, negative = (int(((truth == k) & (group == "a")).sum()) for k in (1, 0))
    a = area.value
    first, second = a / (2 - a) - a * a, 2 * a * a / (1 + a) - a * a
    error = ((a * (1 - a) + (positive - 1) * first + (negative - 1) * second) / (positive * negative)) ** 0.5
    assert (area.high - area.low) / 2 == pytest.approx(1.96 * error, rel=0.25)


@pytest.mark.parametrize("rows", [14, 40])
def test_an_area_of_few_rows_stays_within_0_and_1(classification, rows):
    """Five positives of a small group lie near the top, one of its negatives above: an area close to 1, not sure at all."""
    generator = np.random.default_rng(rows)
    truth = np.array([0, 1] * 100 + [1] * 5 + [0] * (rows - 5))
    score = np.concatenate([generator.random(200), [0.98, 0.97, 0.96, 0.92, 0.9], [0.95], generator.random(rows - 6) * 0.8])
    subject = classification(truth, (score > 0.5).astype(int), {"g": ["a"] * 200 + ["b"] * rows}, scores=score, task=TASK)
    area = _measure(audit(subject, replicates=400), "roc_auc", {"g": "b"})
    assert 0 <= area.low < area.value < area.high <= 1
    assert area.high - area.low > 0.05


@pytest.mark.parametrize(("rows", "events", "apart"), [(20, 10, 2.0), (40, 5, 1.0), (60, 30, 1.0)])
def test_areas_of_few_rows_miss_on_neither_side(rows, events, apart):
    """Normal scores, positives higher by `apart`: the true area is Phi(apart / sqrt 2)."""
    truth, missed = np.repeat([1, 0], [events, rows - events]), []
    for seed in range(400):
        score = ndtr(np.random.default_rng(seed).normal(size=rows) + apart * truth)
        found = area(np.stack([1 - score, score], axis=1), truth, Sampling(weight=np.ones(rows)), [1], None)
        low, high = found.limits(1.96)
        missed.append((low > ndtr(apart / 2**0.5), high < ndtr(apart / 2**0.5)))
    assert (np.mean(missed, axis=0) <= 0.05).all()


def test_below_five_positives_an_area_has_a_value_and_no_interval():
    truth, score = np.repeat([1, 0], [4, 200]), np.linspace(1, 0, 204)
    frame = pd.DataFrame({"y_true": truth.astype(str), "y_pred": truth.astype(str), "score.0": 1 - score, "score.1": score})
    for metric in (*SCORES, *RATES[1:]):
        found = metric.infer(frame, np.random.default_rng(0)).estimate(0.95)
        assert found.value is not None
        assert (found.low, found.high) == (None, None)
        assert "4 rows of the class “1”, at least 5 are needed" in found.unsupported


def test_a_log_loss_of_few_rows_is_not_negative(classification):
    truth = np.array([0, 1] * 60)
    score = np.where(truth == 1, 0.999, 0.001)
    score[117] = 0.02
    subject = classification(truth, truth, {"g": ["a"] * 110 + ["b"] * 10}, scores=score, task=TASK)
    assert _measure(audit(subject, replicates=200), "log_loss", {"g": "b"}).low >= 0


def test_a_group_of_one_class_has_no_area(classification):
    truth = np.array([0, 1] * 20 + [1] * 20)
    score = np.linspace(0.1, 0.9, 60)
    subject = classification(truth, truth, {"g": ["a"] * 40 + ["b"] * 20}, scores=score, task=TASK)
    result = audit(subject, replicates=50)
    assert _measure(result, "roc_auc", {"g": "b"}).undefined
    assert _measure(result, "brier", {"g": "b"}).value == pytest.approx(np.mean((1 - score[40:]) ** 2))
