"""Dates divide rows in their true order or are refused: never in an order that nobody meant."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.split_by_date import by_date

DAYS = pd.Timestamp("2018-03-01") + pd.to_timedelta(np.random.default_rng(2).integers(0, 1800, 300), unit="D")


def parts_of(cells, **split):
    return by_date(pd.Series(cells, name="when"), {"by": "date", "column": "when", **split}, Cells(), validation=0.2, test=0.2)[0]


def in_order(parts):
    times = DAYS.to_numpy()
    ends = [(times[parts[name]].min(), times[parts[name]].max()) for name in ("train", "validation", "test")]
    return ends[0][1] <= ends[1][0] and ends[1][1] <= ends[2][0]


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%Y%m%d", "%A, %d %B %Y", "%Y-%m-%dT%H:%M:%S+02:00"]
)
def test_dates_of_one_order_are_read(form):
    assert in_order(parts_of(DAYS.strftime(form).tolist()))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("%d.%m.%y", "years of two digits"),
        ("%m/%d/%y", "years of two digits"),
        ("%d-%m-%y 10:30", "years of two digits"),
        ("%b-%y", "may be a day or a year"),
        ("%B %y", "may be a day or a year"),
        ("%d%m%Y", "may stand last"),
        ("%d%m%y", "may stand last"),
        ("%y%m%d", "may stand last"),
    ],
)
def test_dates_of_several_orders_are_refused_and_read_once_their_form_is_said(form, words):
    with pytest.raises(DataError, match=words) as error:
        parts_of(DAYS.strftime(form).tolist())
    assert "dataset.split.format=" in str(error.value.fix)
    if "%d" in form:
        assert in_order(parts_of(DAYS.strftime(form).tolist(), format=form))


def test_digits_that_lost_their_first_zero_are_read_by_their_form():
    numbers = [int(text) for text in DAYS.strftime("%d%m%Y")]
    assert min(numbers) < 10_000_000
    with pytest.raises(DataError, match="may stand last"):
        parts_of(numbers)
    assert in_order(parts_of(numbers, format="%d%m%Y"))


@pytest.mark.parametrize("numbers", [DAYS.year, (DAYS - pd.Timestamp("1899-12-30")).days, DAYS.strftime("%Y%m").astype(int)])
def test_numbers_that_rise_with_time_stay_numbers(numbers):
    assert in_order(parts_of(list(numbers)))


def test_numbers_that_happen_to_have_six_digits_are_no_dates():
    assert len(parts_of(list(range(100_000, 100_900, 3)))) == 3
