"""What flows between data, models and audits keeps its rows, weights and names apart: worked out on a few rows."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.compression import CompressionSource
from glassbench.contracts.data import Split
from glassbench.contracts.estimator import FLOOR, EstimatorModule
from glassbench.contracts.evidence import Measure
from glassbench.contracts.learner import build_schedule, epoch_seed
from glassbench.contracts.measures_chart import measures_chart
from glassbench.contracts.positive_class import checked_favourable, favourable_classes, infer_positive_class
from glassbench.contracts.readable import readable, readable_rows
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.spelled_names import as_known
from glassbench.contracts.task import Optimization, Predictions, forward_all
from glassbench.errors import DataError
from glassbench.stats.estimate import Estimate

ROWS = torch.arange(4.0)[:, None]


def split(**facts: Any) -> Split:
    return Split(inputs=(ROWS,), rows=np.array([5, 6, 7, 8]), **facts)


def test_chosen_rows_keep_what_stands_beside_them() -> None:
    whole = split(
        weights=np.array([1.0, 2.0, 3.0, 0.0]), clusters=np.array(list("abca"), dtype=object), target=torch.tensor([3, 2, 1, 0]),
        groups=pd.DataFrame({"g": list("wxyz")}), raw=pd.DataFrame({"r": [10, 20, 30, 40]}),
    )  # fmt: skip
    part = whole.take(np.array([3, 1]))
    assert part.weights is not None
    assert part.clusters is not None
    assert part.target is not None
    assert part.groups is not None
    assert part.raw is not None
    assert part.rows.tolist() == [8, 6]
    assert (part.weights.tolist(), part.clusters.tolist(), part.target.tolist()) == ([0, 2], ["a", "b"], [0, 2])
    assert (part.groups["g"].tolist(), part.raw["r"].tolist()) == (["z", "x"], [40, 20])
    assert whole.unit_weights is not None
    assert whole.unit_weights.tolist() == pytest.approx([1 / 1.5, 2 / 1.5, 2, 0])
    batch = whole.batch(torch.tensor([2, 0]))
    assert batch.weight is not None
    assert (batch.positions.tolist(), batch.weight.tolist()) == ([2, 0], pytest.approx([2, 1 / 1.5]))
    assert split(frequency=np.array([1, 2, 3, 4])).total == 10
    with pytest.raises(DataError, match="all weights are 0"):
        split(weights=np.zeros(4))


def test_chosen_predictions_keep_their_outputs_and_what_they_count() -> None:
    frame = pd.DataFrame({"row": range(3), "y_pred": list("abc"), "weight": [1.0, 2.0, 3.0]})
    found = Predictions(frame=frame, target_index=torch.tensor([0, 1, 2]))
    part = found.take(np.array([2, 0]))
    assert part.target_index is not None
    assert (part.frame["y_pred"].tolist(), part.target_index.tolist()) == (["c", "a"], [2, 0])
    assert found.held is not None
    assert found.held.tolist() == [0.5, 1, 1.5]
    counted = Predictions(frame=frame.drop(columns="weight").assign(frequency=[2, 1, 4]))
    assert counted.held is not None
    assert counted.held.tolist() == [2, 1, 4]


def test_a_network_that_was_training_goes_on_training() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5))
    for training in (True, False):
        network.train(training)
        first, second = forward_all(network, split(), 3), forward_all(network, split())
        assert torch.allclose(first, second)
        assert network.training is training


class Known:
    """An estimator that has seen the classes 0 and 2 alone."""

    classes_ = np.array([0, 2])

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        return np.array([[1.0, 0.0], [0.25, 0.75]])


def test_a_class_that_was_not_learnt_has_a_column_at_the_floor() -> None:
    found = EstimatorModule(Known(), classes=3)(ROWS[:2]).exp().numpy()
    assert found == pytest.approx(np.array([[1, FLOOR, FLOOR], [0.25, FLOOR, 0.75]]), abs=1e-7)
    assert EstimatorModule(Known())(ROWS[:2])[0, 0] == 0


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("linear", [0.5, 1, 1, 0.75, 0.5, 0.25, 0, 0]),
        ("constant", [0.5, 1, 1, 1, 1, 1, 1, 1]),
        ("cosine", [0.5, 1, 1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5, 0, 0]),
    ],
)
def test_steps_rise_over_the_warm_up_and_stay_at_nothing_behind_the_end(schedule: Any, expected: list[float]) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    found = build_schedule(optimizer, Optimization(schedule=schedule, warmup=1 / 3, total_steps=6))
    assert found is not None
    assert [found.lr_lambdas[0](step) for step in range(8)] == pytest.approx(expected, abs=1e-9)
    assert build_schedule(optimizer, Optimization(total_steps=6)) is None


def test_each_epoch_and_each_process_draws_its_own_numbers() -> None:
    seeds = {epoch_seed(seed, epoch, rank) for seed in range(3) for epoch in range(4) for rank in range(4)}
    assert len(seeds) == 48


def test_rates_speak_of_the_class_that_is_no_plain_no_else_of_the_last_of_two() -> None:
    names = (["yes", "no"], ["0", "1"], ["1.0", "0.0"], ["ham", "spam"], ["no", "none"], ["a", "b", "c"])
    assert [infer_positive_class(each) for each in names] == ["yes", "1", "1.0", "spam", "none", None]


def test_what_is_good_is_told_by_names_that_say_so_of_one_of_two() -> None:
    def good(*classes: str) -> tuple[str, ...]:
        return favourable_classes(Target(name="t", kind="class", classes=classes))

    assert good("Granted", "other") == ("Granted",)
    assert good("rejected", "other") == ("other",)
    assert good("notApproved", "x") == ("x",)
    assert good("never not approved", "denied") == ("never not approved",)
    assert good("approved", "hired") == good("x", "y") == good("approved", "x", "y") == ()
    assert good("approved", "hired", "denied") == ("approved", "hired")
    with pytest.raises(DataError, match="every outcome"):
        checked_favourable(["a", "b"], ["a", "b"], where="favourable")
    assert checked_favourable(["a", "b"], ["a", "b", "c"], where="favourable") == ("a", "b")


def test_a_name_that_could_be_two_is_left_as_it_is() -> None:
    assert as_known("1", ["1.0", "1.00"]) == "1"
    assert as_known("1", ["1.0", "2"]) == "1.0"


def test_a_measure_says_all_that_its_estimate_says() -> None:
    found = Measure.of("a.m", Estimate(value=0.5, level=0.9, n=7, unsupported="2 rows"), higher_is_better=False)
    assert (found.level, found.n, found.unsupported, found.low, found.higher_is_better) == (0.9, 7, "2 rows", None, False)
    assert Measure(name="a.m", value=1.0, low=1.0, high=1.0).low == 1


def test_a_task_says_how_many_numbers_it_wants_before_classes_and_levels_do() -> None:
    wanted = Target(name="t", kind="value", levels=(0.1, 0.5), width=5), Target(name="t", kind="value", levels=(0.1, 0.5))
    assert [target.outputs for target in (*wanted, Target(name="t", kind="class", classes=("a", "b", "c")))] == [5, 2, 3]


def test_a_sample_of_training_rows_is_spread_over_all_of_them() -> None:
    train = Split(inputs=(torch.arange(10.0)[:, None],), rows=np.arange(10))
    source: Any = SimpleNamespace(train=train)
    assert CompressionSource.sample(source, 3)[0].ravel().tolist() == [0, 3, 6]
    assert CompressionSource.sample(source, 20)[0].ravel().tolist() == list(range(10))
    assert CompressionSource.sample(SimpleNamespace(train=None), 3) == ()  # type: ignore[arg-type]


def test_a_chart_shows_groups_where_there_are_any() -> None:
    measures = [
        Measure(name="a.m", value=0.5), Measure(name="a.m", value=0.2, by=("g",)),
        *(Measure(name="a.m", value=value, by=("g",), group={"g": name}) for name, value in (("x", 0.4), ("y", 0.6))),
    ]  # fmt: skip
    drawn = measures_chart(measures, "m").data
    assert drawn["of"].tolist() == ["g x", "g y"]
    assert measures_chart(measures[:2], "a.m").data["value"].tolist() == [0.5, 0.2]


def test_rows_are_read_as_people_know_them() -> None:
    assert readable(pd.Series([1.0, np.inf, -np.inf])).isna().tolist() == [False, True, True]
    schema = Schema(
        modality="table", shape=(1,), target=Target(name="t", kind="none"), features=(Feature(name="r", columns=(0,)),)
    )
    raw = split(raw=pd.DataFrame({"r": [10, 20, 30, 40]}))
    assert readable_rows(raw, schema, np.array([3, 1]))["r"].tolist() == [40, 20]
    assert readable_rows(split(), schema, np.array([3, 1]))["r"].tolist() == [3, 1]
