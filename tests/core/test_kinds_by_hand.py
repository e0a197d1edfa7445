"""What kinds of prediction say of single rows, worked out by hand where a wrong sign, class or end would read as well."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench import Actions, Classes, Labels, Schema, Target, Values
from glassbench.contracts.predictions.outputs import IntervalOutput
from glassbench.contracts.predictions.quantiles import Quantiles

PRICE = Schema(modality="table", shape=(1,), target=Target(name="price", kind="value", unit="EUR"))


def classes(*names: str, **target: str) -> Schema:
    return Schema(modality="table", shape=(1,), target=Target(name="kind", kind="class", classes=names, **target))


def test_without_scores_a_model_is_held_against_always_naming_the_commonest_class() -> None:
    frame = pd.DataFrame({"y_pred": ["a", "b", "a", "c"], "y_true": ["a", "a", "b", "a"]})
    losses = Classes().losses(frame, classes("a", "b", "c"))
    assert losses is not None
    assert losses.predicted.tolist() == [0, 1, 1, 1]
    assert losses.guessed.tolist() == [0, 0, 1, 0]


def test_what_is_good_of_other_classes_is_not_good_of_those_that_rows_show() -> None:
    frame = pd.DataFrame({"y_pred": ["a", "b"], "y_true": ["a", "b"]})
    (output,) = Classes().class_outputs(frame, Schema(modality="table", shape=(1,), target=Target(
        name="kind", kind="class", favourable=("b", "elsewhere"))))  # fmt: skip
    assert output.favourable == ("b",)


def test_the_spread_of_values_weighs_rows_of_a_survey_on_either_side_of_the_deviation() -> None:
    """0, 0, 10 with weights 1, 1, 2: as four rows of 0, 0, 10, 10, whose mean is 5 and whose deviation is 5."""
    frame = pd.DataFrame({"y_true": [0.0, 0.0, 10.0, np.nan], "y_pred": 1.0, "weight": [1.0, 1.0, 2.0, 9.0]})
    assert Values().spread(frame, PRICE) == pytest.approx(5)


def test_an_interval_holds_both_of_its_ends() -> None:
    ends = IntervalOutput(low=np.zeros(4), high=np.ones(4), coverage=0.9, actual=np.array([0.0, 1.0, -1e-9, 1 + 1e-9]))
    assert ends.holds is not None
    assert ends.holds.tolist() == [True, True, False, False]


def test_a_label_that_is_not_known_is_no_choice() -> None:
    codes = Labels().choice_codes(torch.tensor([[1.0, 0.0], [torch.nan, 1.0]]), classes("a", "b"))
    assert codes is not None
    assert codes.tolist() == [[1, 0], [-1, 1]]


def quantiles() -> tuple[Quantiles, pd.DataFrame]:
    truth = np.arange(101.0) ** 2
    frame = pd.DataFrame({"y_pred": truth, "low": truth - 1, "high": truth + 1, "quantile.0.9": truth, "y_true": truth})
    return Quantiles(coverage=0.8), frame


def test_the_baseline_of_intervals_leaves_half_of_what_they_may_miss_on_either_side() -> None:
    kind, frame = quantiles()
    guess = kind.baseline(frame, PRICE, None)
    assert guess is not None
    shown = guess.frame[["low", "y_pred", "high", "quantile.0.9"]].iloc[0].tolist()
    assert shown == pytest.approx([10.0**2, 50.0**2, 90.0**2, 90.0**2])


def test_medians_are_held_against_the_median() -> None:
    kind, frame = quantiles()
    losses = kind.losses(frame, PRICE)
    assert losses is not None
    assert losses.guessed == pytest.approx(np.abs(frame["y_true"] - 50.0**2))


def test_truths_beyond_either_end_are_missed_the_furthest_first() -> None:
    kind, frame = quantiles()
    found = kind.notable_rows(frame.assign(y_true=frame["y_true"] + np.where(np.arange(101) == 7, -9, 0)
                                           + np.where(np.arange(101) == 30, 4, 0)), PRICE)  # fmt: skip
    missed = next(one for one in found if one.title == "a prediction whose interval misses the truth")
    assert missed.rows.tolist() == [7, 30]


def test_the_last_step_of_the_episode_that_brought_least_is_worth_showing() -> None:
    frame = pd.DataFrame(
        {"y_pred": "left", "episode": [0, 0, 1, 1, 2], "reward": [3.0, 3.0, 1.0, -2.0, 4.0], "spread": [2, 5, 1, 4, 3]}
    )
    found = {one.title: one.rows.tolist() for one in Actions().notable_rows(frame, classes("left", "right"))}
    assert found == {
        "the step where most was at stake": [1],
        "a step where next to nothing was at stake": [2],
        "the last step of the worst episode": [3],
    }
