"""The task of predicting quantiles and an interval: losses, order, corrections on held-out rows, refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import mean_pinball_loss
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Optimization
from glassbench.errors import DataError, FitError, GlassbenchError, SettingsError
from glassbench.testing import check_task, toy_data, toy_model
from glassbench_plugins.supervised.ascending import Ascending
from glassbench_plugins.supervised.interval_offsets import EVERYONE, IntervalOffsets
from glassbench_plugins.supervised.quantile_regression import QuantileRegression

SCHEMA = Schema(modality="table", shape=(1,), target=Target(name="price", kind="value", unit="euro"), sensitive=("site",))


class Constant:
    """An estimator that answers the same quantiles for every row."""

    def __init__(self, *quantiles: float) -> None:
        self.quantiles = quantiles

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.tile(np.array(self.quantiles), (len(rows), 1))


def split(values: np.ndarray, sites: np.ndarray | None = None) -> Split:
    named = np.full(len(values), "north") if sites is None else sites
    target, groups = torch.as_tensor(values, dtype=torch.float32), pd.DataFrame({"site": named})
    return Split(inputs=(torch.zeros(len(values), 1),), rows=np.arange(len(values)), target=target, groups=groups)


def told(task: QuantileRegression, model: nn.Module, validation: Split) -> QuantileRegression:
    data = Data(schema=SCHEMA, train=validation, validation=validation, test=validation)
    task.check(SCHEMA)
    facts = task.calibrate(model, data)
    assert facts is not None
    task.use_calibration(facts)
    return task


@pytest.mark.parametrize("conformal", [{}, {"conformal": "none"}, {"conformal": "by_group", "conformal_by": "side"}])
def test_the_task_conforms(conformal):
    task, data = QuantileRegression(levels=(0.25,), **conformal), toy_data("value")
    check_task(task, data, toy_model(task.model_schema(data.schema)))


def test_the_loss_is_scikit_learns_mean_over_the_levels():
    task, source = QuantileRegression(levels=(0.2,)), split(np.random.default_rng(0).normal(size=40))
    output = torch.randn(40, 4, generator=torch.Generator().manual_seed(0)).sort(dim=1).values
    expected = np.mean(
        [mean_pinball_loss(source.target, output[:, k], alpha=level) for k, level in enumerate((0.05, 0.2, 0.5, 0.95))]
    )
    assert task.row_loss(output, source.batch(slice(None))).mean().item() == pytest.approx(expected, rel=1e-5)


def test_quantiles_of_a_network_never_cross_and_the_median_is_its_own_output():
    model = Ascending(nn.Linear(2, 4), 4, 2)
    rows = torch.randn(200, 2, generator=torch.Generator().manual_seed(0)) * 10
    output = model(rows)
    assert (output.diff(dim=1) >= 0).all()
    assert torch.equal(output[:, 2], model.model(rows)[:, 2])


def test_a_network_of_another_width_is_refused():
    with pytest.raises(FitError, match="3 numbers per row"):
        Ascending(nn.Linear(2, 1), 3, 1)(torch.zeros(4, 2))


def test_crossed_quantiles_of_an_estimator_are_sorted_and_counted():
    task = QuantileRegression(conformal="none")
    task.check(SCHEMA)
    frame = task.predict(EstimatorModule(Constant(3.0, 2.0, 4.0)), split(np.zeros(5))).frame
    assert frame[["quantile.0.05", "quantile.0.5", "quantile.0.95"]].iloc[0].tolist() == [2.0, 3.0, 4.0]
    assert frame["crossed"].all()


def test_the_interval_is_widened_until_it_holds_nine_tenths_of_held_out_truths():
    values = np.arange(19.0)  # 18 of 19 must be held: ceil(20 * 0.9)
    task = told(QuantileRegression(), EstimatorModule(Constant(8.0, 9.0, 10.0)), split(values))
    frame = task.predict(EstimatorModule(Constant(8.0, 9.0, 10.0)), split(values)).frame
    outside = np.sort(np.maximum(8 - values, values - 10))
    assert frame["low"].iloc[0] == 8 - outside[17]
    assert ((frame["low"] <= values) & (values <= frame["high"])).sum() >= 18
    assert "conformalised on 19 validation rows" in task.kind.words


def test_an_interval_that_is_narrowed_still_holds_the_median():
    model, source = EstimatorModule(Constant(-9.0, 5.0, 9.0)), split(np.linspace(-0.1, 0.1, 50))
    frame = told(QuantileRegression(), model, source).predict(model, source).frame
    assert (frame["low"] <= frame["y_pred"]).all()
    assert (frame["y_pred"] <= frame["high"]).all()


def test_groups_get_offsets_of_their_own_and_small_ones_that_of_all_rows():
    sites = np.repeat(["calm", "few", "wild"], [60, 5, 60])
    values = np.random.default_rng(0).normal(size=125) * np.where(sites == "wild", 20.0, 1.0)
    model, source = EstimatorModule(Constant(-1.0, 0.0, 1.0)), split(values, sites)
    task = told(QuantileRegression(conformal="by_group", conformal_by="site"), model, source)
    frame = task.predict(model, source).frame
    high = frame.groupby("group.site")["high"].first()
    assert high["calm"] < high["few"] < high["wild"]
    assert frame.groupby("group.site")["corrected_as"].first().to_dict() == {"calm": "calm", "few": EVERYONE, "wild": "wild"}
    assert "“few” (5)" in task.kind.words
    unknown = replace(source, groups=None)
    assert set(task.predict(model, unknown).frame["corrected_as"]) == {EVERYONE}


def test_counted_rows_correct_as_often_as_they_stand_for_one():
    values = np.arange(10.0)
    counted = replace(split(values), frequency=np.array([1] * 9 + [30]))
    model = EstimatorModule(Constant(-1.0, 0.0, 1.0))
    written = told(QuantileRegression(), model, split(np.repeat(values, counted.frequency)))
    short = told(QuantileRegression(), model, counted)
    assert short.predict(model, counted).frame["high"].iloc[0] == written.predict(model, counted).frame["high"].iloc[0] == 9.0


def test_a_row_that_stands_for_many_lowers_what_they_all_need():
    """Thirty rows of value 0 lie 1 inside, 1 to 9 lie 0 to 8 outside: the 36th of 39 is 5 outside, the 10th of 10 rows 8."""
    values = np.arange(10.0)
    counted = replace(split(values), frequency=np.array([30] + [1] * 9))
    task = told(QuantileRegression(), EstimatorModule(Constant(-1.0, 0.0, 1.0)), counted)
    assert task.predict(EstimatorModule(Constant(-1.0, 0.0, 1.0)), counted).frame["high"].iloc[0] == 6.0
    once = told(QuantileRegression(), EstimatorModule(Constant(-1.0, 0.0, 1.0)), split(values))
    assert once.predict(EstimatorModule(Constant(-1.0, 0.0, 1.0)), counted).frame["high"].iloc[0] == 9.0


def test_offsets_written_as_json_are_the_same_and_others_are_refused():
    offsets = IntervalOffsets(
        offset=0.1 + 0.2, rows=88, feature="site", groups={"north": -1.5}, group_rows={"north": 80}, small={"south": 8}
    )
    assert IntervalOffsets.from_json(offsets.to_json()) == offsets
    with pytest.raises(ValueError, match="finite"):
        IntervalOffsets.from_json({**offsets.to_json(), "offset": float("inf")})


def test_nothing_is_promised_that_was_not_corrected():
    task = QuantileRegression()
    task.check(SCHEMA)
    with pytest.raises(GlassbenchError, match="not corrected"):
        task.predict(EstimatorModule(Constant(1.0, 2.0, 3.0)), split(np.zeros(3)))


@pytest.mark.parametrize("validation", [None, split(np.arange(8.0)), split(np.full(20, np.nan))])
def test_too_few_validation_rows_are_refused_before_training(validation):
    data = Data(schema=SCHEMA, train=split(np.arange(30.0)), validation=validation, test=split(np.arange(30.0)))
    with pytest.raises(DataError, match="9 at least") as raised:
        QuantileRegression().check_data(data)
    assert "task.conformal to none" in str(raised.value)
    QuantileRegression(conformal="none").check_data(data)


def test_a_feature_to_correct_by_is_one_of_the_data_and_belongs_to_by_group():
    with pytest.raises(SettingsError, match="go together"):
        QuantileRegression(conformal="by_group")
    with pytest.raises(SettingsError, match="go together"):
        QuantileRegression(conformal_by="site")
    with pytest.raises(DataError, match="no sensitive feature"):
        QuantileRegression(conformal="by_group", conformal_by="sit").check(SCHEMA)


def test_widths_are_judged_where_one_offset_serves_all_and_not_where_groups_have_their_own():
    judged = [{m.name for m in task.metrics if m.judged} for task in (QuantileRegression(), _by_site())]
    assert judged == [{"coverage", "mean_width"}, {"coverage"}]


def _by_site() -> QuantileRegression:
    return QuantileRegression(conformal="by_group", conformal_by="site")


def test_corrected_intervals_hold_new_truths_as_often_as_promised_over_many_runs():
    generator, held, model = np.random.default_rng(7), [], EstimatorModule(Constant(-0.5, 0.1, 0.9))  # far from the truth
    for _ in range(250):
        task = told(QuantileRegression(coverage=0.8), model, split(generator.exponential(size=40)))
        frame = task.predict(model, split(generator.exponential(size=80))).frame
        held.append(((frame["low"] <= frame["y_true"]) & (frame["y_true"] <= frame["high"])).mean())
    error = np.std(held) / len(held) ** 0.5
    assert 0.8 - 2 * error < np.mean(held) < 0.8 + 1 / 41 + 2 * error  # Romano, Patterson and Candès 2019, theorem 1


def test_training_brings_quantiles_to_those_of_the_noise():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(4000, 1, generator=generator)
    noise = torch.randn(4000, generator=generator)
    source = Split(inputs=(inputs,), rows=np.arange(4000), target=100 + 20 * inputs[:, 0] + 5 * noise)
    task = QuantileRegression(conformal="none")
    data = Data(schema=replace(SCHEMA, sensitive=()), train=source, test=source)
    learner = task.learner(task.adapt(nn.Linear(1, 3), SCHEMA), data, Optimization())
    optimizer = torch.optim.Adam(learner.model.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        learner.loss(learner.model(inputs), source.batch(slice(None))).mean().backward()
        optimizer.step()
    frame = task.predict(learner.model, source).frame
    for level in (0.05, 0.5, 0.95):
        assert (frame["y_true"] <= frame[f"quantile.{level:g}"]).mean() == pytest.approx(level, abs=0.02)


def test_weights_of_a_survey_decide_which_row_an_offset_is_read_off() -> None:
    outside, sites = np.tile([0.0, 1.0, 2.0, 3.0], 2), pd.Series(np.repeat(["even", "late"], 4))
    weight = np.array([1.0, 1, 1, 1, 1, 1, 1, 9])  # the third of equal rows, the last where it outweighs
    found = IntervalOffsets.measured(outside, 0.5, weight=weight, feature="site", groups=sites)
    assert found.groups == {"even": 2.0, "late": 3.0}
    assert IntervalOffsets.measured(outside, 0.5, feature="site", groups=sites).groups == {"even": 2.0, "late": 2.0}
