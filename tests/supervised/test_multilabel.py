"""The task of several labels: its loss against scikit-learn and PyTorch by hand, its predictions, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import nn

from glassbench import Batch, DataError, FitError, Optimization, SettingsError
from glassbench.testing import check_kind, check_task, toy_data
from glassbench_plugins.supervised.multilabel import MultilabelClassification
from glassbench_plugins.tabular import estimators
from glassbench_plugins.tabular.conditions import conditions
from glassbench_plugins.tabular.mlp import Mlp

OUTPUT = torch.tensor([[2.0, -1.0], [0.5, 0.0], [-3.0, 1.0]])
TRUTH = torch.tensor([[1.0, 0.0], [0.0, float("nan")], [float("nan"), float("nan")]])


@pytest.fixture(scope="module")
def data():
    return conditions(3, rows=300)


def test_the_loss_of_a_row_is_that_of_its_known_labels():
    batch = Batch((), TRUTH, torch.arange(3))
    chance = torch.sigmoid(OUTPUT).numpy()
    first = sum(log_loss([truth], [c], labels=[0, 1]) for truth, c in zip((1, 0), chance[0], strict=True))
    second = log_loss([0], [chance[1, 0]], labels=[0, 1])
    np.testing.assert_allclose(MultilabelClassification().row_loss(OUTPUT, batch), [first / 2, second / 2, 0], rtol=1e-5)


def test_training_minimises_the_mean_of_the_rows_losses(data):
    task, output = MultilabelClassification(), torch.randn(len(data.train), 4)
    batch = data.train.batch(slice(None))
    loss = task.learner(Mlp(data.schema), data, Optimization()).loss
    torch.testing.assert_close(loss(output, batch), task.row_loss(output, batch).mean())
    torch.testing.assert_close(loss(output, batch), nn.functional.binary_cross_entropy_with_logits(output, batch.target))


def test_balanced_weighs_each_label_by_its_rows(data):
    batch, output = data.train.batch(slice(None)), torch.zeros(len(data.train), 4)
    loss = MultilabelClassification(label_weight="balanced").learner(Mlp(data.schema), data, Optimization()).loss
    lacking = (batch.target == 0).sum(dim=0)
    expected = 2 * lacking.sum() * np.log(2) / batch.target.numel()  # both sides of a label then weigh alike
    assert loss(output, batch).item() == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("settings", [{}, {"threshold": 0.3, "label_weight": "balanced"}])
def test_the_task_and_its_kind_keep_their_promises(data, settings):
    task, model = MultilabelClassification(**settings), Mlp(data.schema)
    check_task(task, data, model)
    found = task.predict(model, data.test)
    check_kind(task.kind, found.frame, data.schema)
    for name in data.schema.target.classes:
        expected = found.frame[f"score.{name}"] >= settings.get("threshold", 0.5)
        assert (found.frame[f"y_pred.{name}"] == expected).all()


def test_partly_unknown_labels_stay_in_the_frame(data):
    target = data.test.target.clone()
    target[0, 1] = target[1] = float("nan")
    task = MultilabelClassification()
    task.check(data.schema)
    frame = task.predict(Mlp(data.schema), replace(data.test, target=target)).frame
    assert frame["y_true"].isna().tolist() == [True, True] + [False] * (len(frame) - 2)
    assert frame["y_true.diabetes"].isna().sum() == 1
    assert frame["y_true.hypertension"].isna().sum() == 2


def test_a_model_of_another_width_is_refused(data):
    task, model = MultilabelClassification(), nn.Linear(data.schema.shape[0], len(data.schema.target.classes) + 1)
    task.check(data.schema)
    with pytest.raises(FitError, match=r"output of \d+ numbers per row, one for each label"):
        task.predict(model, data.test)
    batch = data.train.batch(slice(0, 8))
    with pytest.raises(FitError, match="one for each label"):
        task.learner(model, data, Optimization()).loss(model(*batch.inputs), batch)


def test_other_targets_and_models_for_one_class_are_refused(data):
    with pytest.raises(DataError, match="needs labels, but"):
        MultilabelClassification().check(toy_data().schema)
    with pytest.raises(SettingsError, match="threshold"):
        MultilabelClassification(threshold=1.0)
    for model in (estimators.random_forest, estimators.hist_gradient_boosting, estimators.logistic_regression):
        with pytest.raises(FitError):
            model(data.schema)


def test_labels_that_are_not_known_do_not_count_among_wrong_ones() -> None:
    task = MultilabelClassification()
    assert task.evaluate(OUTPUT, TRUTH)["hamming_loss"] == pytest.approx(1 / 3)  # of three known labels one is wrong
    other = torch.where(torch.isfinite(TRUTH), OUTPUT, -OUTPUT)
    assert task.evaluate(other, TRUTH) == task.evaluate(OUTPUT, TRUTH)
