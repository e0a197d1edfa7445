"""What values, quantiles and written labels say of rows that lack a truth, stand for several or have no width, by hand."""

import numpy as np
import pandas as pd
import pytest

from glassbench import Classes, DataError, Labels, Schema, Target, Values
from glassbench.contracts.predictions.labels import joined_labels, truth_columns
from glassbench.contracts.predictions.quantiles import Quantiles, quantiles_of
from glassbench.stats.sampling import Sampling

PRICE = Schema(modality="table", shape=(1,), target=Target(name="price", kind="value", unit="EUR"))
FRAME = pd.DataFrame({"y_pred": [1.0, 5.0, 9.0, 5.0], "y_true": [2.0, 5.0, 4.0, 1.0]})
ENDS = FRAME.assign(
    **{"low": [0.0, 5.0, 3.0, 4.0], "high": [3.0, 5.0, 9.5, 6.0], "quantile.0.9": 3.0, "quantile.0.05": 1.0, "quantile.0.1": 2.0}
)


def test_errors_and_moves_are_distances_held_against_how_far_predictions_are_spread() -> None:
    """1, 5, 9 and 5 lie 4, 0, 4 and 0 from their mean: a deviation of the root of 8, whatever comes after."""
    errors = Values().row_errors(FRAME, PRICE)
    moved = Values().changes(FRAME, FRAME.assign(y_pred=[0.0, 5.0, 12.0, 5.0]), PRICE)
    assert errors is not None
    assert moved is not None
    assert (errors.size.tolist(), moved.size.tolist()) == ([1, 0, 5, 4], [1, 0, 3, 0])
    assert (errors.usual, moved.usual) == pytest.approx((8**0.5, 8**0.5))


def test_values_are_held_against_the_mean_truth_and_agree_where_they_vary_with_it() -> None:
    """Truths 2, 5, 4 and 1 have a mean of 3; predictions that are all the same agree with no order of them."""
    losses, agreement = Values().losses(FRAME, PRICE), Values().agreement(FRAME, PRICE)
    assert losses is not None
    assert agreement is not None
    assert losses.guessed.tolist() == [1, 4, 1, 4]
    assert agreement(np.arange(4)) == -1 + 10 + 9 - 10
    assert agreement(np.array([3, 0, 1, 2])) == -2 - 5 + 18 + 5
    flat = Values().agreement(FRAME.assign(y_pred=7.0), PRICE)
    assert flat is not None
    assert flat(np.array([1, 0, 2, 3])) == 0


def test_the_mean_is_answered_in_every_column_that_holds_the_prediction() -> None:
    guess = Values().baseline(FRAME.assign(score=FRAME["y_pred"], weight=[1.0, 1.0, 1.0, 3.0]), PRICE, None)
    assert guess is not None
    assert guess.frame["y_pred"].tolist() == guess.frame["score"].tolist() == pytest.approx([14 / 6] * 4)
    assert guess.words == "always answering the mean, 2.333 EUR"


def test_values_that_continue_a_series_are_on_a_scale_of_their_own() -> None:
    assert Values(continues=True).spread(FRAME, PRICE) == 1
    assert Values().spread(FRAME, PRICE) == pytest.approx(2.5**0.5)
    assert Values().spread(FRAME[["y_pred"]], PRICE) == pytest.approx(8**0.5)


def test_spreads_and_quantiles_are_of_the_rows_that_are_stood_for() -> None:
    values, often = np.array([4.0, 1.0, 2.0]), np.array([3.0, 1.0, 2.0])
    written = np.repeat(values, often.astype(int))
    counted = Sampling(weight=often)
    assert counted.deviation(values) == pytest.approx(written.std())
    assert counted.deviation(np.array([4.0, np.nan, 2.0])) == pytest.approx(np.std([4, 4, 4, 2, 2]))
    assert np.isnan(counted.deviation(np.full(3, np.nan)))
    for level in (0.1, 0.3, 0.5, 0.9):
        assert counted.quantile(values, level) == pytest.approx(np.quantile(written, level))
    survey = Sampling(weight=np.array([0.5, 1.5, 1.0]), clusters=np.arange(3), survey=True)
    assert [survey.quantile(values, level) for level in (0.4, 0.5, 0.6, 0.8, 0.9)] == [1, 1, 2, 2, 4]


def test_quantiles_stand_in_the_order_of_their_levels() -> None:
    found = quantiles_of(ENDS)
    assert list(found) == [0.05, 0.1, 0.9]
    assert [values[0] for values in found.values()] == [1, 2, 3]


def test_intervals_may_have_no_width_and_no_end_below_the_other() -> None:
    Quantiles().check(ENDS.assign(row=range(4)), PRICE)
    with pytest.raises(DataError, match="1 of 4 intervals have their low end above"):
        Quantiles().check(ENDS.assign(row=range(4), low=[0.0, 5.1, 3.0, 4.0]), PRICE)


def test_one_truth_that_is_not_known_leaves_nothing_to_hold_intervals_against() -> None:
    assert Quantiles().interval_output(ENDS, PRICE).holds is not None
    lacking = Quantiles().interval_output(ENDS.assign(y_true=[2.0, np.nan, 4.0, 1.0]), PRICE)
    assert (lacking.actual, lacking.holds) == (None, None)


def test_the_widest_interval_is_shown_first_and_only_those_that_miss_as_misses() -> None:
    found = {one.title: one.rows.tolist() for one in Quantiles().notable_rows(ENDS, PRICE)}
    assert found["the prediction with the widest interval"] == [2, 0, 3, 1]
    assert found["a prediction whose interval misses the truth"] == [3]
    assert found["a prediction far from the truth"] == [2, 3, 0, 1]


def test_the_quantiles_that_are_always_answered_never_cross() -> None:
    guess = Quantiles().baseline(ENDS.assign(crossed=[True, False, True, True]), PRICE, None)
    assert guess is not None
    assert guess.frame["crossed"].tolist() == [False] * 4
    assert guess.frame["quantile.0.1"].tolist() == pytest.approx([np.quantile([2, 5, 4, 1], 0.1)] * 4)


def test_labels_are_written_where_all_of_a_row_are_known() -> None:
    given = np.array([[1, np.nan], [0, 0], [1, 1], [np.nan, np.nan], [0, 1]])
    assert joined_labels(given, ["sea", "sky"]).tolist() == [None, "none", "sea, sky", None, "sky"]
    columns = truth_columns(given[:, ::-1], ["sky", "sea"])
    assert columns["y_true.sky"].dtype == columns["y_true.sea"].dtype == np.float64
    whole = truth_columns(np.array([[1.0, np.nan], [0.0, 1.0]]), ["sea", "sky"])
    assert (whole["y_true.sea"].dtype, whole["y_true.sky"].dtype) == (np.dtype(np.int64), np.dtype(np.float64))


def test_certainty_of_exactly_one_is_said_and_a_score_beyond_is_none() -> None:
    schema = Schema(modality="table", shape=(1,), target=Target(name="k", kind="class", classes=("a", "b")))
    frame = pd.DataFrame({"y_pred": ["a", "a", "b"], "score.a": [1.0, 1.2, 0.25], "score.b": [0.0, -0.2, 0.75]})
    said = [Classes().said_with_certainty(frame, row, schema) for row in range(3)]
    assert said == ["a, 100.0 % certain", "a", "b, 75.0 % certain"]


def test_labels_that_rows_have_are_shares_of_weight() -> None:
    """Sea in 3 of 4 by weight: 1/16 where a row has it, 9/16 where not."""
    frame = pd.DataFrame({"y_pred.sea": [0, 0], "y_true.sea": [1, 0], "weight": [3.0, 1.0]})
    losses = Labels().losses(frame, PRICE)
    assert losses is not None
    assert losses.guessed == pytest.approx([1 / 16, 9 / 16])
    assert losses.predicted.tolist() == [1, 0]
