"""Costs, thresholds and weights of classes at their edges: classes that nobody has, rows that weigh little, exact ties."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import metrics as sk
from torch import nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Optimization
from glassbench.stats.sampling import Sampling
from glassbench_plugins.supervised import inference, rates, scores
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.supervised.costs import Costs, cost_metric
from glassbench_plugins.supervised.metrics import RATES, SCORES

SCHEMA = Schema(modality="table", shape=(2,), target=Target(name="risk", kind="class", classes=("high", "low"), positive="high"))


class Said(nn.Module):
    """Answers its inputs as logits."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows


def split(logits: list[list[float]], target: list[int], weights: np.ndarray | None = None) -> Split:
    rows = np.arange(len(target))
    return Split(inputs=(torch.tensor(logits),), rows=rows, target=torch.tensor(target), weights=weights)


def task(schema: Schema = SCHEMA, **settings) -> Classification:
    made = Classification(**settings)
    made.check(schema)
    return made


def frame(truth: str, decision: str) -> pd.DataFrame:
    return pd.DataFrame({"y_true": list(truth), "y_pred": list(decision)})


@pytest.mark.parametrize(("missed", "alarms", "expected"), [(2.0, 7.0, 7.0), (9.0, 1.0, 9.0)])
def test_a_cost_reaches_its_upper_bound_where_every_row_is_wrong_the_dearer_way(missed, alarms, expected):
    metric = cost_metric(Costs(false_negative=missed, false_positive=alarms), "p")
    each = [metric.compute(frame("pppp", "nnnn"), np.ones((1, 4)))[0], metric.compute(frame("nnnn", "pppp"), np.ones((1, 4)))[0]]
    assert each == [missed, alarms]
    assert metric.bounds == (0.0, expected)


def test_a_cost_is_weighed_by_rows_and_counts_each_way_of_being_wrong():
    metric = cost_metric(Costs(false_negative=5, false_positive=1), "p")
    rows, weights = frame("ppnn", "pnpn"), np.array([[1.0, 2, 3, 4]])
    assert metric.compute(rows, weights)[0] == pytest.approx((5 * 2 + 1 * 3) / 10)
    assert metric.inference(rows, Sampling(weight=weights[0])).value == pytest.approx(1.3)


def test_without_a_positive_class_a_miss_is_one_of_the_last_class():
    bare = replace(SCHEMA, target=replace(SCHEMA.target, positive=None))
    cost = task(bare, costs=Costs(false_negative=5, false_positive=1)).metrics[-1]
    rows = pd.DataFrame({"y_true": ["low", "high"], "y_pred": ["high", "high"]})
    assert cost.compute(rows, np.ones((1, 2)))[0] == 2.5
    named = task(costs=Costs(false_negative=5, false_positive=1)).metrics[-1]
    assert named.compute(rows, np.ones((1, 2)))[0] == 0.5


def test_a_probability_exactly_at_the_threshold_is_decided_positive():
    source = split([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0, 0, 0])
    assert task(threshold=0.5).predict(Said(), source).frame["y_pred"].tolist() == ["high", "high", "low"]


def test_held_out_accuracy_is_that_of_decisions_at_the_threshold():
    logits = torch.log(torch.tensor([[0.3, 0.7], [0.1, 0.9], [0.6, 0.4]]))
    assert task(threshold=0.25).evaluate(logits, torch.tensor([0, 1, 0])) == {"accuracy": 1.0}
    assert task().evaluate(logits, torch.tensor([0, 1, 0])) == {"accuracy": pytest.approx(2 / 3)}


@pytest.mark.parametrize("weights", [None, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.01], [4.0, 1.0, 0.5, 2.0, 3.0, 0.1, 0.3]])
def test_a_balanced_loss_is_the_mean_of_the_classes_mean_losses(weights):
    """Of three classes one has a single row; weighed, its row counts for less than one."""
    target = Target(name="risk", kind="class", classes=("a", "b", "c"))
    held = None if weights is None else np.array(weights)
    output = torch.randn(7, 3, generator=torch.Generator().manual_seed(3))
    source = split(output.tolist(), [0, 0, 0, 1, 1, 1, 2], held)
    data = Data(schema=replace(SCHEMA, target=target), train=source, test=source)
    learner = task(data.schema, class_weight="balanced").learner(Said(), data, Optimization())
    batch = source.batch(slice(None))
    each = nn.functional.cross_entropy(output, batch.target, reduction="none").numpy()
    codes, counted = batch.target.numpy(), np.ones(7) if held is None else held
    expected = np.mean([np.average(each[codes == k], weights=counted[codes == k]) for k in range(3)])
    assert float(learner._mean_loss(output, batch)) == pytest.approx(expected, rel=1e-5)


def test_a_class_that_is_only_decided_has_no_recall_and_an_f1_of_nothing():
    rows, weight = frame("aaaaaabbbbbb", "aaaaacbbbbca"), np.ones(12)
    found = inference.balanced_accuracy(rows, Sampling(weight=weight))
    assert found.value == rates.balanced_accuracy(rows, weight[None])[0] == pytest.approx((5 / 6 + 4 / 6) / 2)
    low, high = found.limits(1.96)
    assert low < found.value < high
    f1 = inference.macro_f1(rows, Sampling(weight=weight))
    expected = sk.f1_score(rows["y_true"], rows["y_pred"], average="macro", zero_division=0)
    assert f1.value == rates.macro_f1(rows, weight[None])[0] == pytest.approx(expected)


def scored(counts: tuple[int, ...]) -> pd.DataFrame:
    """Return rows of as many of each class as asked, one in three decided wrongly."""
    names = np.array([*"abc"[: len(counts)]], dtype=object)
    truth = np.repeat(np.arange(len(counts)), counts)
    chance = np.random.default_rng(0).dirichlet(np.ones(len(counts)), len(truth))
    said = np.where(np.arange(len(truth)) % 3 == 0, chance.argmax(axis=1), truth)
    told = {f"score.{name}": chance[:, k] for k, name in enumerate(names)}
    return pd.DataFrame({"y_true": names[truth], "y_pred": names[said], **told})


@pytest.mark.parametrize("metric", [*RATES[1:], *SCORES], ids=lambda metric: metric.name)
def test_four_rows_of_a_class_support_no_interval_and_five_do(metric):
    for rare, said in ((4, True), (5, False)):
        found = metric.inference(scored((60, rare)), Sampling(weight=np.ones(60 + rare)))
        assert np.isfinite(found.value)
        assert (found.unsupported is not None) is said, (rare, found.unsupported)
        assert np.isnan(found.limits(1.96)).any() == said


@pytest.mark.parametrize("metric", SCORES[1:], ids=lambda metric: metric.name)
def test_means_over_rows_ask_for_rows_of_all_other_classes_together(metric):
    """Two rows and three of classes beside the commonest are five events for a mean, however few each class has."""
    assert metric.inference(scored((60, 2, 3)), Sampling(weight=np.ones(65))).unsupported is None
    assert metric.inference(scored((60, 2, 2)), Sampling(weight=np.ones(64))).unsupported is not None


def test_a_true_class_of_probability_nothing_costs_as_much_as_a_float_tells():
    rows = pd.DataFrame({"y_true": ["a", "b", "b"], "score.a": [0.0, 1.0, 0.5], "score.b": [1.0, 0.0, 0.5]})
    expected = sk.log_loss(rows["y_true"], rows[["score.a", "score.b"]].to_numpy())
    assert scores.log_loss(rows, np.ones((1, 3)))[0] == pytest.approx(expected, rel=1e-12)
    assert scores.log_loss_per_row(rows)[0] == pytest.approx(52 * np.log(2), rel=1e-12)


def test_row_losses_are_not_weighed():
    output, weight = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([3.0, 0.5])
    batch = Batch((output,), torch.tensor([0, 0]), torch.arange(2), weight)
    expected = nn.functional.cross_entropy(output, batch.target, reduction="none")
    torch.testing.assert_close(task(class_weight="balanced").row_loss(output, batch), expected)
