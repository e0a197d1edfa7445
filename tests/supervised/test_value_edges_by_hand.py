"""Losses, intervals and offsets of values at their edges: truths at an end, unknown ones, groups of just enough rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Optimization
from glassbench.errors import DataError
from glassbench_plugins.supervised.interval_offsets import EVERYONE, IntervalOffsets
from glassbench_plugins.supervised.quantile_metrics import quantile_metrics
from glassbench_plugins.supervised.quantile_regression import QuantileRegression
from glassbench_plugins.supervised.regression import Regression
from glassbench_plugins.supervised.standardized import Standardized

SCHEMA = Schema(modality="table", shape=(1,), target=Target(name="price", kind="value"), sensitive=("site",))
NAN = float("nan")


class Fixed(nn.Module):
    """Answers the same quantiles for every row."""

    differentiable = False

    def __init__(self, *quantiles: float) -> None:
        super().__init__()
        self.quantiles = torch.tensor(quantiles)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.quantiles.expand(len(rows), -1)


def split(values: list[float], **more) -> Split:
    n = len(values)
    groups = pd.DataFrame({"site": more.pop("sites", ["north"] * n)})
    return Split(inputs=(torch.zeros(n, 1),), rows=np.arange(n), target=torch.tensor(values), groups=groups, **more)


def offsets(validation: Split, **settings) -> IntervalOffsets:
    task = QuantileRegression(**settings)
    data = Data(schema=SCHEMA, train=validation, validation=validation, test=validation)
    task.check(SCHEMA)
    facts = task.calibrate(Fixed(*([-1.0] * task._middle), *([0.0] * (len(task.levels) - task._middle))), data)
    assert facts is not None
    return IntervalOffsets.from_json(facts)


def test_a_group_of_just_enough_rows_has_an_offset_of_its_own_and_one_row_fewer_has_not():
    outside = np.array([1.0, 2, 3, 4, 5, 6, 7])
    found = IntervalOffsets.measured(outside, 0.5, feature="site", groups=pd.Series([*"aaaabbb"]), fewest=4)
    assert found.groups == {"a": 3.0}  # the third of four, ceil(5 / 2)
    assert (found.group_rows, found.small) == ({"a": 4}, {"b": 3})
    assert found.offset == 4.0  # the fourth of seven
    each, of = found.of(pd.DataFrame({"site": ["a", "b", "c"]}), 3)
    assert each.tolist() == [3.0, 4.0, 4.0]
    assert of.tolist() == ["a", EVERYONE, EVERYONE]


def test_a_group_too_small_for_a_finite_offset_gets_that_of_all_rows():
    found = IntervalOffsets.measured(np.arange(12.0), 0.8, feature="site", groups=pd.Series([*"aaaaaaaaabbb"]))
    assert found.groups == {"a": 7.0}  # the eighth of nine; three rows would need a fourth
    assert found.small == {"b": 3}


def test_intervals_are_judged_by_hand_at_their_ends_and_by_their_own_coverage():
    """Interval score (Gneiting and Raftery 2007): width, and 2 / (1 - coverage) times how far a truth lies outside."""
    rows = pd.DataFrame({"y_true": [1.0, 3.0, 0.0, 5.0], "low": 1.0, "high": 3.0, "quantile.0.5": 2.0})
    found = {m.name: m.compute(rows, np.array([[1.0, 1, 1, 2]]))[0] for m in quantile_metrics(0.5, None)}
    assert found == {
        "pinball_loss": pytest.approx((0.5 + 0.5 + 1.0 + 2 * 1.5) / 5),
        "coverage": pytest.approx(2 / 5),
        "mean_width": 2.0,
        "interval_score": pytest.approx((2 + 2 + (2 + 4 * 1) + 2 * (2 + 4 * 2)) / 5),
    }


def test_while_training_a_truth_at_an_end_is_within_its_interval():
    said = QuantileRegression().evaluate(torch.tensor([[1.0, 2, 3]] * 4), torch.tensor([1.0, 3.0, 0.5, 3.5]))
    assert said["coverage"] == 0.5
    each = [(0.05 * 0 + 0.5 * 1 + 0.05 * 2) / 3, (0.05 * 2 + 0.5 * 1 + 0) / 3]
    each += [(0.95 * 0.5 + 0.5 * 1.5 + 0.05 * 2.5) / 3, (0.05 * 2.5 + 0.5 * 1.5 + 0.95 * 0.5) / 3]
    assert said["pinball_loss"] == pytest.approx(np.mean(each))


def test_the_explained_width_is_that_of_the_interval_whatever_further_levels_there_are():
    output = torch.tensor([[0.0, 1.0, 4.0, 9.0, 20.0], [20.0, 9.0, 4.0, 1.0, 0.0]])
    explained = QuantileRegression(coverage=0.5, levels=(0.05, 0.95)).attribution_output(output)
    assert explained.tolist() == [[4.0, 8.0], [4.0, 8.0]]


def test_the_loss_of_quantiles_is_in_standard_deviations_of_the_target():
    task, source = QuantileRegression(), split([0.0, 10.0, 20.0, 50.0])
    data = Data(schema=SCHEMA, train=source, test=source)
    learner = task.learner(nn.Linear(1, 3), data, Optimization())
    output = torch.tensor([[1.0, 2.0, 30.0]] * 4)
    batch = source.batch(slice(None))
    expected = task.row_loss(output, batch) / np.std([0.0, 10, 20, 50])
    torch.testing.assert_close(learner.loss(output, batch), expected.float())


def test_validation_rows_without_a_value_correct_nothing():
    values = [0.5 * k for k in range(24)]
    weights, sites = np.linspace(3, 0.5, 24), ["north", "south"] * 12
    known = split(values, weights=weights, sites=sites)
    gaps = np.insert(np.array(values), [0, 5, 5, 24], NAN)
    spread = split(
        gaps.tolist(),
        weights=np.insert(weights, [0, 5, 5, 24], 7.0),
        sites=np.insert(np.array(sites, dtype=object), [0, 5, 5, 24], "north").tolist(),
    )
    settings = {"coverage": 0.6, "conformal": "by_group", "conformal_by": "site", "conformal_fewest": 12}
    found = offsets(spread, **settings)
    assert found == offsets(known, **settings)
    assert set(found.groups) == {"north", "south"}
    assert found.rows == 24


def test_rows_that_stand_for_several_are_as_many_validation_rows():
    few = split([0.0, 1.0, NAN], frequency=np.array([4, 5, 9]))
    data = Data(schema=SCHEMA, train=few, validation=few, test=few)
    QuantileRegression().check_data(data)  # nine rows are needed and nine are known
    fewer = replace(few, frequency=np.array([4, 4, 9]))
    with pytest.raises(DataError, match="9 at least"):
        QuantileRegression().check_data(replace(data, validation=fewer))


def test_the_losses_of_values_are_those_by_hand():
    """Errors of 1 and 3, of a target whose standard deviation is 2; Huber turns at 0.5, in standard deviations in training."""
    source = split([10.0, 14.0])
    output, batch = torch.tensor([[11.0], [17.0]]), source.batch(slice(None))
    data = Data(schema=SCHEMA, train=source, test=source)
    training = {"mse": (0.25 + 2.25) / 2, "mae": (0.5 + 1.5) / 2, "huber": (0.5 * 0.25 + 0.5 * (1.5 - 0.25)) / 2}
    of_rows = {"mse": [0.5, 4.5], "mae": [1.0, 3.0], "huber": [0.5 * (1 - 0.25), 0.5 * (3 - 0.25)]}
    for loss in ("mse", "mae", "huber"):
        task = Regression(loss=loss, huber_delta=0.5)
        learner = task.learner(nn.Linear(1, 1), data, Optimization())
        assert float(learner.loss(output, batch)) == pytest.approx(training[loss])
        assert task.row_loss(output, batch).tolist() == pytest.approx(of_rows[loss])
        weighed = Batch(batch.inputs, batch.target, batch.positions, torch.tensor([2.0, 0.0]))
        assert float(learner._mean_loss(output, weighed)) == pytest.approx(float(learner.loss(output[:1], _first(batch))))


def _first(batch: Batch) -> Batch:
    return Batch(tuple(one[:1] for one in batch.inputs), batch.target[:1], batch.positions[:1], None)


def test_a_target_that_does_not_vary_is_learnt_in_its_own_unit():
    wrapped = Standardized(nn.Identity())
    wrapped.measure(torch.full((5,), 7.0))
    assert (wrapped.mean.item(), wrapped.std.item()) == (7.0, 1.0)
    assert wrapped(torch.tensor([0.0, 2.0])).tolist() == [7.0, 9.0]
    wrapped.measure(torch.tensor([1.0, 2.0, 6.0]))
    assert wrapped(torch.tensor([1.0])).item() == pytest.approx(3 + (14 / 3) ** 0.5)
