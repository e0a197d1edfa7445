"""The task of deciding a class."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Optimization
from glassbench.errors import DataError, SettingsError
from glassbench_plugins.supervised.classification import Classification

TARGET = Target(name="risk", kind="class", classes=("low", "high"), positive="high")
SCHEMA = Schema(modality="table", shape=(2,), target=TARGET, sensitive=("sex",))


def rows(n: int = 40) -> Split:
    inputs = torch.randn(n, 2, generator=torch.Generator().manual_seed(0))
    target = (inputs[:, 0] > 0.8).long()
    groups = pd.DataFrame({"sex": ["f", "m"] * (n // 2)})
    return Split(inputs=(inputs,), rows=np.arange(n) + 100, target=target, groups=groups)


def task(**settings) -> Classification:
    made = Classification(**settings)
    made.check(SCHEMA)
    return made


def test_a_prediction_row_names_classes_and_groups():
    source = rows()
    predictions = task().predict(nn.Linear(2, 2), source)
    frame = predictions.frame
    assert list(frame) == ["row", "y_true", "y_pred", "score.low", "score.high", "group.sex"]
    assert set(frame["y_pred"]) <= {"low", "high"}
    assert frame["row"].tolist() == source.rows.tolist()
    np.testing.assert_allclose(predictions.scores.sum(axis=1), 1, atol=1e-15)
    assert predictions.scores.to_numpy().dtype == np.float64


def test_scores_are_the_softmax_and_candidates_the_decided_class():
    model, source = nn.Linear(2, 2), rows()
    predictions = task().predict(model, source)
    logits = model(source.inputs[0]).double()
    np.testing.assert_allclose(predictions.scores, torch.softmax(logits, 1).detach(), atol=1e-7)
    assert torch.equal(predictions.target_index, logits.argmax(1))
    assert task().attribution_output(logits) is logits


def test_truth_is_absent_where_it_is_unknown():
    frame = task().predict(nn.Linear(2, 2), replace(rows(), target=None)).frame
    assert "y_true" not in frame


def test_a_threshold_moves_decisions_to_the_positive_class():
    model, source = nn.Linear(2, 2), rows()
    frame = task(threshold=0.3).predict(model, source).frame
    assert ((frame["score.high"] >= 0.3) == (frame["y_pred"] == "high")).all()


def test_balanced_weights_count_each_class_alike():
    source = rows()
    data = Data(schema=SCHEMA, train=source, test=source)
    batch = source.batch(slice(None))
    output = torch.randn(len(source), 2)
    learner = task(class_weight="balanced").learner(nn.Linear(2, 2), data, Optimization())
    each = nn.functional.cross_entropy(output, batch.target, reduction="none")
    expected = torch.stack([each[batch.target == k].mean() for k in (0, 1)]).mean()
    torch.testing.assert_close(learner.loss(output, batch).mean(), expected)


def test_evaluation_gives_the_accuracy():
    logits, truth = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]]), torch.tensor([0, 1, 1])
    assert task().evaluate(logits, truth) == {"accuracy": pytest.approx(2 / 3)}


def test_what_cannot_be_decided_is_refused():
    value = replace(SCHEMA, target=Target(name="risk", kind="value"))
    with pytest.raises(DataError, match="regression"):
        Classification().check(value)
    with pytest.raises(DataError, match="one class only"):
        Classification().check(replace(SCHEMA, target=replace(TARGET, classes=("low",))))
    with pytest.raises(DataError, match="two classes"):
        Classification(threshold=0.5).check(replace(SCHEMA, target=replace(TARGET, classes=("a", "b", "c"))))
    with pytest.raises(SettingsError):
        Classification(threshold=1.5)


def test_headline_is_accuracy_and_the_only_rate():
    metrics = task().metrics
    assert metrics[0].name == "accuracy"
    assert [metric.name for metric in metrics if metric.rate] == ["accuracy"]
