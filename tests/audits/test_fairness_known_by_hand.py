"""Metrics of a task beside its rates, where some outcomes are unknown: those that compare with them, and those that do not."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.classes import Classes
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_plugins.supervised.scores import roc_auc


def mean_score(frame, weights):
    return weights @ frame["score.1"].to_numpy() / weights.sum(axis=1)


TASK = SimpleNamespace(
    kind=Classes(),
    metrics=(
        Metric(name="mean_score", compute=mean_score, lowest=0.0, highest=1.0, compares=False, grouped=True, judged=True),
        Metric(name="roc_auc", compute=roc_auc, lowest=0.0, highest=1.0, scored=True),
    ),
)


@pytest.fixture
def made(classification):
    chance, n = np.random.default_rng(2), 300
    truth, groups = (chance.random(n) < 0.4).astype(int), {"g": chance.choice(["a", "b"], n), "h": chance.choice(["x", "y"], n)}
    score = np.clip(0.3 * truth + 0.7 * chance.random(n), 0.01, 0.99)
    subject = classification(truth, (score > 0.5).astype(int), groups, scores=score, task=TASK)
    subject.predictions.frame.loc[(chance.random(n) < 0.15) & (score < 0.4), "y_true"] = None
    return subject


def test_only_metrics_that_compare_are_of_the_rows_whose_outcome_is_known(made):
    frame = made.predictions.frame
    told = {(m.name, m.by, str(m.group)): m.value for m in fairness(made, replicates=50).measures}
    known = frame["y_true"].notna().to_numpy()
    assert not known.all()
    for group in "ab":
        mine = (frame["group.g"] == group).to_numpy()
        assert told["fairness.mean_score", ("g",), str({"g": group})] == pytest.approx(frame["score.1"][mine].mean())
        area = roc_auc_score(frame["y_true"][mine & known] == "1", frame["score.1"][mine & known])
        assert told["fairness.roc_auc", ("g",), str({"g": group})] == pytest.approx(area)
    assert told["fairness.mean_score", None, "None"] == pytest.approx(frame["score.1"].mean())


def test_intersections_have_the_numbers_of_the_same_rows_as_single_features(made):
    frame = made.predictions.frame
    both = {(m.name, m.by, str(m.group)): m.value for m in fairness(made, replicates=50).measures}
    for group in "ab":
        for side in "xy":
            mine = ((frame["group.g"] == group) & (frame["group.h"] == side)).to_numpy()
            found = both["fairness.mean_score", ("g", "h"), str({"g": group, "h": side})]
            assert found == pytest.approx(frame["score.1"][mine].mean())
