"""Labels that few rows have, that are not known, or whose rows weigh little; probabilities exactly at the threshold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.predictions.labels import joined_labels, prediction_columns, truth_columns
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Optimization
from glassbench.stats.sampling import Sampling
from glassbench_plugins.supervised import label_inference
from glassbench_plugins.supervised.metrics import LABEL_SCORES, LABELS
from glassbench_plugins.supervised.multilabel import MultilabelClassification

NAMES = ("a", "b", "c")
SCHEMA = Schema(modality="table", shape=(3,), target=Target(name="labels", kind="labels", classes=NAMES))
NAN = float("nan")


class Said(nn.Module):
    """Answers its inputs as logits."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows


def frame(truth: np.ndarray, decided: np.ndarray) -> pd.DataFrame:
    columns = {**truth_columns(truth, NAMES), **prediction_columns(decided, NAMES)}
    columns |= {f"score.{name}": np.where(decided[:, k], 0.8, 0.2) for k, name in enumerate(NAMES)}
    return pd.DataFrame({"y_true": joined_labels(truth, NAMES), "y_pred": joined_labels(decided, NAMES), **columns})


def rows_of(*having: int, rows: int = 60) -> pd.DataFrame:
    """Return rows of which the first so many have each label, and of which one in four is decided wrongly."""
    truth = np.stack([np.arange(rows) < count for count in having], axis=1)
    return frame(truth.astype(float), truth ^ (np.arange(rows) % 4 == 0)[:, None])


def test_f1_of_all_labels_asks_for_rows_that_have_any_of_them():
    truth = np.eye(3)[np.arange(60) % 3]
    alike = Sampling(weight=np.ones(60))
    assert label_inference.micro_f1(frame(truth, truth == 1), alike).unsupported is None
    assert label_inference.micro_f1(rows_of(2, 4, 3), alike).unsupported.startswith("4 rows that have a label")
    assert label_inference.micro_f1(rows_of(2, 5, 3), alike).unsupported is None


@pytest.mark.parametrize("metric", [LABELS[0], LABEL_SCORES[0]], ids=lambda metric: metric.name)
@pytest.mark.parametrize(
    ("having", "reason"),
    [
        ((30, 20, 5), None),
        ((30, 20, 4), "4 rows that have “c”"),
        ((30, 55, 20), None),
        ((30, 56, 20), "4 rows that do not have “b”"),
        ((30, 20, 0), None),
        ((60, 30, 20), None),
    ],
)
def test_a_label_needs_five_rows_on_either_side_unless_it_has_but_one_side(metric, having, reason):
    found = metric.inference(rows_of(*having), Sampling(weight=np.ones(60)))
    assert (found.unsupported is None) if reason is None else found.unsupported.startswith(reason)


@pytest.mark.parametrize("weights", [None, [0.02, 1.0, 2.0, 0.3, 1.0, 0.5]])
def test_balanced_labels_weigh_rows_that_have_one_by_how_many_are_known_not_to(weights):
    target = torch.tensor([[1, 0, 1], [0, 0, 1], [0, 1, NAN], [NAN, 0, 0], [0, 1, 0], [NAN, NAN, 0]], dtype=torch.float32)
    held = None if weights is None else np.array(weights)
    source = Split(inputs=(torch.zeros(6, 3),), rows=np.arange(6), target=target, weights=held)
    task, data = MultilabelClassification(label_weight="balanced"), Data(schema=SCHEMA, train=source, test=source)
    learner = task.learner(Said(), data, Optimization())
    counted, known = np.ones(6) if held is None else held / held.mean(), target.numpy()
    expected = np.zeros((6, 3))
    for k in range(3):
        have, lack = counted[known[:, k] == 1].sum(), counted[known[:, k] == 0].sum()
        expected[:, k] = np.where(known[:, k] == 1, lack / have, known[:, k] == 0) * np.log(2)
    batch = source.batch(slice(None))
    found = learner._mean_loss(torch.zeros(6, 3), batch)
    assert float(found) == pytest.approx(np.mean(expected * counted[:, None]), rel=1e-5)


def test_a_probability_exactly_at_the_threshold_is_a_label():
    task = MultilabelClassification()
    task.check(SCHEMA)
    logits = torch.tensor([[0.0, -0.1, 0.1], [-2.0, 0.0, -1.0]])
    source = Split(inputs=(logits,), rows=np.arange(2), target=torch.tensor([[1.0, 0, 1], [0, 1, 0]]))
    found = task.predict(Said(), source).frame
    assert found[["y_pred.a", "y_pred.b", "y_pred.c"]].to_numpy().tolist() == [[1, 0, 1], [0, 1, 0]]
    assert task.evaluate(logits, source.target) == {"hamming_loss": 0.0}


def test_weights_weigh_rows_and_not_labels():
    target, output = torch.tensor([[1.0, 0, 1], [0, 0, 1]]), torch.tensor([[0.3, -1.0, 2.0], [1.0, 0.5, -0.2]])
    source = Split(inputs=(output,), rows=np.arange(2), target=target, weights=np.array([3.0, 1.0]))
    task, data = MultilabelClassification(), Data(schema=SCHEMA, train=source, test=source)
    learner = task.learner(Said(), data, Optimization())
    each = nn.functional.binary_cross_entropy_with_logits(output, target, reduction="none").mean(dim=1)
    assert float(learner._mean_loss(output, source.batch(slice(None)))) == pytest.approx(float((3 * each[0] + each[1]) / 4))
    alike = replace(source, weights=np.array([2.0, 2.0]))
    same = task.learner(Said(), replace(data, train=alike), Optimization())._mean_loss(output, alike.batch(slice(None)))
    assert float(same) == pytest.approx(float(each.mean()))
