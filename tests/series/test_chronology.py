"""Time stamps become a regular grid, and what they lack is refused or counted."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench_plugins.series.chronology import read_times, regular

TIMES = pd.date_range("2024-03-01", periods=12, freq="h")
VALUES = pd.DataFrame({"a": np.arange(12.0), "b": np.arange(12.0) * 2})


def test_rows_in_any_order_are_sorted_with_a_note():
    order = np.random.default_rng(0).permutation(12)
    series = regular(TIMES[order], VALUES.iloc[order], step=None, gaps="refuse")
    assert (series.values == VALUES.to_numpy()).all()
    assert "sorted" in series.notes[0]


def test_a_gap_is_refused_by_name():
    kept = [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]
    with pytest.raises(DataError, match="gaps") as refused:
        regular(TIMES[kept], VALUES.iloc[kept], step=None, gaps="refuse")
    assert "2 of 12 steps" in refused.value.got
    assert "2024-03-01 03:00" in refused.value.got
    assert "leave-out" in refused.value.fix


def test_a_gap_can_be_filled_by_a_straight_line():
    kept = [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]
    series = regular(TIMES[kept], VALUES.iloc[kept], step=None, gaps="fill")
    assert np.allclose(series.values, VALUES.to_numpy())
    assert series.known.all()
    assert "2 of 12 steps have gaps (2 without a row, 0 without a value)" in series.notes[0]


def test_a_gap_can_be_left_out():
    values = VALUES.copy()
    values.loc[4, "b"] = np.nan
    series = regular(TIMES, values, step=None, gaps="leave-out")
    assert np.flatnonzero(~series.known).tolist() == [4]
    assert np.isfinite(series.values).all()
    assert "(0 without a row, 1 without a value)" in series.notes[0]


def test_a_missing_value_is_refused_by_name():
    values = VALUES.copy()
    values.loc[4, "b"] = np.nan
    with pytest.raises(DataError, match="values are missing") as refused:
        regular(TIMES, values, step=None, gaps="refuse")
    assert "'b' at 2024-03-01 04:00" in refused.value.got


def test_two_rows_of_one_moment_are_refused():
    with pytest.raises(DataError, match="same time stamp"):
        regular(TIMES[[0, 1, 1, 2]], VALUES.iloc[:4], step=None, gaps="fill")


def test_moments_off_every_step_are_refused():
    times = pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 03:25", "2024-01-01 04:00"])
    with pytest.raises(DataError, match="no regular step"):
        regular(times, VALUES.iloc[:5], step=None, gaps="fill")


def test_months_are_a_step_though_their_lengths_differ():
    times = pd.date_range("2020-01-01", periods=12, freq="MS")
    series = regular(times, VALUES, step=None, gaps="refuse")
    assert len(series.times) == 12
    assert series.step is None


def test_what_is_no_time_stamp_is_named():
    with pytest.raises(DataError, match="no time stamp") as refused:
        read_times(pd.Series(["2024-01-01", "soon"], name="when"), None)
    assert "'soon' in row 2" in refused.value.got
