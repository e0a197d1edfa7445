"""The performance audit against scikit-learn, by hand, and on subjects of every kind."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as skm
import torch
from scipy.stats import binomtest

from glassbench.contracts.data import Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.values import Values
from glassbench_audits.performance.audit import audit
from glassbench_plugins.supervised import rates, regression_metrics, scores


def _measure(result, name):
    return next(m for m in result.measures if m.name == f"performance.{name}")


@pytest.fixture(scope="module")
def decided():
    generator = np.random.default_rng(0)
    truth = generator.choice(list("abc"), 200, p=[0.5, 0.3, 0.2])
    return truth, np.where(generator.random(200) < 0.7, truth, "a")


def test_a_share_lies_within_the_exact_interval(classification, decided):
    result = audit(classification(*decided, {}, classes=("a", "b", "c")), replicates=100)
    found, right = _measure(result, "accuracy"), int((decided[0] == decided[1]).sum())
    exact, wilson = (binomtest(right, 200).proportion_ci(method=method) for method in ("exact", "wilson"))
    assert (found.value, found.n) == (right / 200, 200)
    assert exact.low < found.low < found.high < exact.high
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=0.005)


def test_classes_agree_with_scikit_learn(classification, decided):
    result = audit(classification(*decided, {}, classes=("a", "b", "c")), replicates=10)
    precision, recall, _, support = skm.precision_recall_fscore_support(*decided)
    for i, name in enumerate("abc"):
        assert _measure(result, f"precision[{name}]").value == precision[i]
        assert _measure(result, f"recall[{name}]").value == recall[i]
        assert _measure(result, f"recall[{name}]").n == support[i]
    matrix = next(t for t in result.tables if t.title == "Confusion matrix")
    assert [list(row[1:]) for row in matrix.rows] == skm.confusion_matrix(*decided).tolist()


def test_a_class_never_decided_has_no_precision(classification):
    found = _measure(audit(classification([0, 1], [0, 0], {}), replicates=10), "precision[1]")
    assert (found.value, found.n) == (None, 0)


def test_better_than_the_majority_is_said(classification, decided):
    result = audit(classification(*decided, {}, classes=("a", "b", "c")), replicates=200)
    assert result.grade == "ok"
    assert result.findings[0].sentence.startswith("Better than always answering “a”, by accuracy 0.")
    assert _measure(result, "accuracy_baseline").value == np.mean(decided[0] == "a")
    assert _measure(result, "accuracy_gain").low > 0


def test_the_majority_comes_from_training_rows(classification):
    train = Split(inputs=(torch.zeros(3, 1),), rows=np.arange(3), target=torch.tensor([1, 1, 0]))
    result = audit(classification([0, 0, 0, 1] * 10, [0, 0, 0, 1] * 10, {}, train=train), replicates=50)
    assert _measure(result, "accuracy_baseline").value == 0.25


def test_no_better_than_the_majority_fails(classification):
    result = audit(classification([0, 0, 0, 1] * 20, [0, 0, 0, 0] * 20, {}), replicates=100)
    assert result.grade == "concern"
    assert _measure(result, "accuracy_gain").value == 0


def test_surely_worse_than_the_majority_is_said(classification):
    result = audit(classification([0, 0, 0, 1] * 50, [1, 0, 1, 1] * 50, {}), replicates=100)
    assert result.grade == "concern"
    assert result.findings[0].sentence.startswith("Worse than always answering “0”")


@pytest.fixture
def scored(classification):
    """Return a subject of 400 rows that states a probability for the class 1."""
    names = {"roc_auc": True, "log_loss": False}
    task = SimpleNamespace(
        kind=Classes(),
        metrics=(
            Metric(name="accuracy", compute=rates.accuracy, rate=True),
            *(Metric(name=n, compute=getattr(scores, n), higher_is_better=up, scored=True) for n, up in names.items()),
        ),
    )

    def build(stated, truth):
        return classification(truth, (stated > 0.5).astype(int), {}, scores=stated, task=task)

    return build


def test_scores_of_the_other_class_are_noticed(scored):
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 400)
    stated = np.clip(0.5 + 0.2 * (1 - 2 * truth) + 0.2 * generator.normal(size=400), 0.01, 0.99)
    found = [f for f in audit(scored(stated, truth), replicates=200).findings if "wrong way round" in f.sentence]
    assert [f.grade for f in found] == ["concern"]
    assert "The score of “1”" in found[0].sentence


def test_scores_that_know_nothing_are_not_taken_for_reversed(scored):
    generator = np.random.default_rng(1)
    result = audit(scored(generator.random(400), generator.integers(0, 2, 400)), replicates=200)
    assert not any("wrong way round" in f.sentence for f in result.findings)


def test_probabilities_worse_than_the_base_rate_are_noticed(scored):
    """Three decisions in four are right, and all but the first are stated as certain."""
    truth = np.array([0, 1] * 200)
    stated = np.where(np.arange(400) % 8 < 6, truth, 1 - truth).astype(float)
    stated[0] = 0.25
    found = [f for f in audit(scored(stated, truth), replicates=200).findings if "base rate" in f.sentence]
    assert [f.grade for f in found] == ["concern"]
    assert "399 rows state exactly 0 or 1" in found[0].sentence
    assert "still costs 36 nats" in found[0].sentence


def test_sound_probabilities_are_not_blamed(scored):
    generator = np.random.default_rng(2)
    stated = generator.uniform(0.05, 0.95, 400)
    result = audit(scored(stated, (generator.random(400) < stated).astype(int)), replicates=200)
    assert result.grade == "ok"


def test_few_rows_do_not_tell(classification):
    assert audit(classification([0, 0, 1], [0, 0, 1], {}), replicates=200).grade == "unclear"


def test_values_against_their_mean(regression):
    generator = np.random.default_rng(0)
    truth = generator.normal(50, 10, 300)
    result = audit(regression(truth, truth + generator.normal(0, 5, 300), {}), replicates=200)
    found = _measure(result, "mean_absolute_error_baseline")
    assert found.value == pytest.approx(np.abs(truth - truth.mean()).mean())
    assert _measure(result, "mean_absolute_error").low < 4 < _measure(result, "mean_absolute_error").high
    assert _measure(result, "mean_absolute_error_gain").low > 0
    assert {c.kind for c in result.charts} >= {"points", "histogram"}


def test_the_baselines_r2_of_0_lies_in_its_interval(regression):
    """The mean of the rows themselves explains nothing: 0, and every resample has less."""
    truth = np.random.default_rng(3).normal(50, 10, 300)
    task = SimpleNamespace(kind=Values(), metrics=(Metric(name="r2", compute=regression_metrics.r2),))
    found = _measure(audit(replace(regression(truth, truth + 1, {}), task=task), replicates=200), "r2_baseline")
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.low < 0
    assert found.low <= found.value <= found.high


def test_part_of_the_rows_gives_the_interval_of_all(regression):
    """A metric of a plugin says nothing of its inference: of 40,000 rows 10,000 are resampled."""
    generator = np.random.default_rng(0)
    truth = generator.normal(0, 1, 40_000)
    own = Metric(name="own", compute=regression_metrics.mean_absolute_error, higher_is_better=False)
    subject = regression(truth, truth + generator.normal(0, 1, 40_000), {})
    known = next(m for m in subject.task.metrics if m.name == "mean_absolute_error")
    subject = replace(subject, task=SimpleNamespace(kind=Values(), metrics=(own, known)))
    result = audit(subject, replicates=300)
    drawn, closed = _measure(result, "own"), _measure(result, "mean_absolute_error")
    assert drawn.value == closed.value
    assert drawn.high - drawn.low == pytest.approx(closed.high - closed.low, rel=0.2)


def test_other_decisions_have_the_tasks_metrics(sequences):
    result = audit(sequences(["x", "y"] * 10, ["x", "x"] * 10, {}), replicates=10)
    assert _measure(result, "exact_match").value == 0.5
    assert not result.findings


def test_evidence_is_plain_json(classification, regression, decided):
    for subject in (classification(*decided, {}, classes=("a", "b", "c")), regression([1.0, 2.0], [1.0, 2.5], {})):
        json.dumps(audit(subject, replicates=10).to_json(), allow_nan=False)


def test_categorical_columns_are_read(classification):
    subject = classification([0, 1] * 20, [0, 1] * 20, {})
    frame = subject.predictions.frame
    frame[["y_true", "y_pred"]] = frame[["y_true", "y_pred"]].astype(pd.CategoricalDtype(["0", "1"]))
    assert _measure(audit(subject, replicates=10), "accuracy").value == 1
