"""Dates small enough to be read by hand: which texts are ambiguous, how each form is read, where bounds fall, what is said."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.ambiguous_dates import refuse_ambiguous
from glassbench.toolkit.splits.split_by_date import _first_value, _nearest, _padded, _written, by_date, times_of, year_first


def read(texts, form=None):
    return times_of(pd.Series(texts, name="when", dtype=object), Cells(), form).tolist()


MARKED, NAMED, BARE = "years of two digits", "months with two digits", "digits that are dates"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["1.2.03", "31.12.24"], MARKED),
        (["1/2/03", "1/2/03 10:30"], MARKED),
        (["1 2 '03"], MARKED),
        (["1-2-03", "1-2-2003"], None),  # half of them are not most
        (["1-2-03", "4-5-06", "1-2-2003"], MARKED),
        (["1.2-03"], None),
        (["111.2.03"], None),
        (["1.2.2003"], None),
        (["1.2.034"], None),
        (["Jan 05"], NAMED),
        (["Jan-05", "Feb. '06"], NAMED),
        (["März05"], NAMED),
        (["Ja 05"], None),
        (["Jan 2005"], None),
        (["Jan 5"], None),
        (["J4n 05"], None),
        (["31012024", "1022024"], BARE),  # the second lost its zero: 7 digits
        (["20240131", "20240201"], None),
        (["20240131", "31012024"], None),  # the year first in one, the day first in the other: neither order reads both
        (["01312024", "02282024"], BARE),  # month, day, year
        (["310124", "10224"], BARE),
        (["013124", "022824"], BARE),
        (["240131", "240228"], BARE),
        (["999999", "240131"], None),
        (["99999999"], None),
        (["31012024", "x"], None),
        (["31012024.0", "1022024.0"], BARE),
        (["310124.0"], BARE),
        (["310124.5"], None),
        (["1234"], None),
        (["123456789"], None),
        (["31012024", "310124"], None),
        (["31011899"], None),
        (["31011900"], BARE),
        (["31122100"], BARE),
        (["01012101"], None),
        ([], None),
    ],
    ids=str,
)
def test_which_texts_have_several_readings(texts, words):
    if words is None:
        refuse_ambiguous(texts, "when", "here.format")
        return
    with pytest.raises(DataError, match=f"'when' holds {words}") as error:
        refuse_ambiguous([f" {text} " for text in texts], "when", "here.format")
    assert (error.value.where, error.value.got) == ("here.format", texts[0].removesuffix(".0") if words == BARE else texts[0])
    assert error.value.fix.startswith("say how dates are written: here.format='%")


@pytest.mark.parametrize(
    ("texts", "form", "dates"),
    [
        (["2024-01-31", "2024-02-01T10:30:00+02:00"], None, ["2024-01-31", "2024-02-01 08:30"]),
        (["31.1.2024", "1.2.2024 10:30"], None, ["2024-01-31", "2024-02-01 10:30"]),
        (["31 Jan 2024", "1 February 2024"], None, ["2024-01-31", "2024-02-01"]),
        (["31/01/2024", "01/02/2024"], "%d/%m/%Y", ["2024-01-31", "2024-02-01"]),
        (["1022022", "31012022"], "%d%m%Y", ["2022-02-01", "2022-01-31"]),
        ([1022022.0, 31012022.0], "%d%m%Y", ["2022-02-01", "2022-01-31"]),
        (["10224", "310124"], "%d%m%y", ["2024-02-01", "2024-01-31"]),
        (["103022022", "235931012022"], "%H%M%d%m%Y", ["2022-02-03 00:01", "2022-01-31 23:59"]),
        (["1012022", "1112022"], "%d%m%Y", ["2022-01-01", "2022-11-01"]),  # all lost a zero: no 11 January
        (["1 2 2022", "31 1 2022"], "%d %m %Y", ["2022-02-01", "2022-01-31"]),
    ],
)
def test_dates_are_read(texts, form, dates):
    assert read(texts, form) == [pd.Timestamp(date) for date in dates]


def test_digits_get_the_zeros_that_they_lost():
    assert _padded(pd.Series(["1022022", "31012022"]), "%d%m%Y").tolist() == ["01022022", "31012022"]
    assert _padded(pd.Series([1022022.0, 2022022.0]), "%d%m%Y").tolist() == ["01022022", "02022022"]
    assert _padded(pd.Series(["7", "12"]), "%d%m%y").tolist() == ["000007", "000012"]
    assert _padded(pd.Series(["7"]), "%S").tolist() == ["07"]
    assert _padded(pd.Series(["7"]), "%Y").tolist() == ["0007"]


def test_numbers_stay_numbers_unless_a_form_says_that_they_are_dates():
    assert read(["2019", "2021.5", "-3"]) == [2019, 2021.5, -3]
    assert read(["2019", "2021"], "%Y") == [pd.Timestamp("2019-01-01"), pd.Timestamp("2021-01-01")]
    assert times_of(pd.Series(["5"], name="year"), Cells(), None).name == "year"


def test_a_year_that_was_read_from_something_else_is_no_date():
    with pytest.raises(DataError, match="2 of 2 cells of 'when' hold no date") as error:
        read(["soon", "later"])
    assert error.value.got == "soon, later"
    with pytest.raises(DataError, match="3 of 9 cells") as error:
        read(["2024-01-01"] * 6 + ["soon", "n" * 50, "soon"])
    assert (error.value.got, error.value.where) == (f"soon, {'n' * 40}", "dataset.split.column")
    with pytest.raises(DataError) as error:
        read(["2024-01-01", *(f"none {k}" for k in "abcdefg")])
    assert error.value.got == "none a, none b, none c, none d, none e"


def test_a_date_written_otherwise_than_most_is_the_one_that_is_strange():
    with pytest.raises(DataError, match="1 of 3 cells") as error:
        read(["2024-01-02", "2024-01-03", "3/4/2024"])
    assert error.value.got == "3/4/2024"
    with pytest.raises(DataError, match="1 of 3 cells") as error:
        read(["13/1/2024", "14/1/2024", "2024-01-03"])
    assert error.value.got == "2024-01-03"


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["12/12/2024", "13/12/2024"], "2024-12-12"),
        (["12/11/2024", "12/13/2024"], "2024-12-11"),
        (["3.4.2024", "4.13.2024"], "2024-03-04"),
        (["3.4.2024", "4.12.2024"], "2024-04-03"),
        (["3-4-2024", "13-4-2024"], "2024-04-03"),
    ],
)
def test_a_number_above_twelve_or_points_tell_the_day(texts, first):
    assert year_first(pd.Series(texts, index=[5, 7]), "when", "here").tolist()[0] == first
    assert year_first(pd.Series(texts, index=[5, 7]), "when", "here").index.tolist() == [5, 7]


@pytest.mark.parametrize("texts", [["3/4/2024", "4/5/2024"], ["13/4/2024", "4/13/2024"]])
def test_what_tells_neither_or_both_is_refused(texts):
    with pytest.raises(DataError, match="which is the month in 'when'") as error:
        year_first(pd.Series(["no date", *texts]), "when", "here")
    assert (error.value.where, error.value.got) == ("here", texts[0])
    assert "here='%d/%m/%Y'" in error.value.fix


@pytest.mark.parametrize(
    ("given", "place"),
    [("2024-01-02", 1), ("2024-01-02 00:00:01", 2), ("2023-01-01", 0), ("2025-01-01", 3), ("2024-01-03T01:00:00+02:00", 2)],
)
def test_the_first_date_that_is_not_before_a_given_one(given, place):
    values = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]).to_numpy()
    assert _first_value(given, values, "from") == place


def test_bounds_that_are_no_such_value():
    days, numbers = pd.to_datetime(["2024-01-01", "2024-01-02"]).to_numpy(), np.array([1.5, 2.0, 40.0])
    assert [_first_value(bound, numbers, "from") for bound in (1, "1.5", 1.6, 2, 41)] == [0, 0, 1, 1, 3]
    for values, given, fix in (
        (days, "x" * 300, "give a date such as 20"),
        (numbers, "soon", "give a number between 1.5 and 40"),
    ):
        with pytest.raises(DataError, match="'validation_from' is no such value") as error:
            _first_value(given, values, "validation_from")
        assert (error.value.where, error.value.got) == ("dataset.split.validation_from", given[:200])
        assert error.value.fix.startswith(fix)


@pytest.mark.parametrize(
    ("end", "wanted", "kept", "place"),
    [
        (5, 2, 1, 3),  # of sizes 4, 2, 2, 1, 1
        (5, 1.4, 1, 4),
        (5, 3, 1, 3),  # two rows or four: the earlier of them would be four, and two are met as nearly first
        (3, 3, 1, 2),
        (3, 100, 1, 1),
        (3, 100, 2, 2),
        (2, 1, 2, 2),
        (1, 1, 1, 1),
    ],
)
def test_a_share_is_met_where_it_is_nearest_and_leaves_dates_before(end, wanted, kept, place):
    before = np.array([0, 4, 6, 8, 9, 10])
    rows = [before[end] - before[k] for k in range(kept, end)]
    nearest = kept + int(np.argmin(np.abs(np.array(rows) - wanted))) if rows else end
    assert _nearest(before, end, wanted, kept) == nearest
    assert nearest == place or abs(rows[nearest - kept] - wanted) == abs(rows[place - kept] - wanted)


def test_dates_are_written_with_their_time_where_they_have_one():
    assert _written(pd.Timestamp("2024-01-31")) == "2024-01-31"
    assert _written(np.datetime64("2024-01-31T10:30")) == "2024-01-31 10:30:00"
    assert [_written(number) for number in (2019.0, 0.1, 20190131.0)] == ["2019", "0.1", "20190131"]


@pytest.mark.parametrize(
    ("split", "asked"),
    [
        ({"from": 99}, "from 99"),
        ({"from": 3, "validation_from": 3}, "from 3, validation_from 3"),
        ({"validation_from": 0}, "validation_from 0"),
        ({"test": 0.5, "validation_from": -1}, "validation_from -1, test 0.5"),
        ({"validation": 0.1, "from": 1}, "from 1, validation 0.1"),
    ],
)
def test_what_was_asked_for_is_said_where_a_part_would_be_empty(split, asked):
    column = pd.Series([1, 2, 3, 4], name="year")
    with pytest.raises(DataError, match="no row is left for the") as error:
        by_date(column, split, Cells(), validation=0.2, test=0.2)
    assert error.value.got == f"{asked}; 'year' holds 4 different dates"
    assert (error.value.where, list(error.value.available)) == ("dataset.split", ["1 to 4"])
    assert "validation before test" in error.value.fix


def test_the_usual_shares_are_said_where_one_date_cannot_be_divided():
    with pytest.raises(DataError, match="no row is left") as error:
        by_date(pd.Series(["2024-01-01"] * 5, name="when"), {}, Cells(), validation=0.2, test=0.2)
    assert error.value.got == "the usual shares; 'when' holds 1 different dates"


@pytest.mark.parametrize(
    ("split", "validation", "parts"),
    [
        ({}, 0.2, {"train": [0, 1, 2], "validation": [3], "test": [4]}),
        ({}, 0.0, {"train": [0, 1, 2, 3], "test": [4]}),
        ({"validation_from": 12}, 0.0, {"train": [0, 1], "validation": [2, 3], "test": [4]}),
        ({"from": 12}, 0.2, {"train": [0], "validation": [1], "test": [2, 3, 4]}),
        ({"from": 12, "validation_from": 11}, 0.9, {"train": [0], "validation": [1], "test": [2, 3, 4]}),
    ],
)
def test_numbers_are_divided_in_their_order(split, validation, parts):
    order = np.array([3, 0, 4, 1, 2])
    column = pd.Series((10 + np.arange(5))[order], name="t")
    found, words = by_date(column, split, Cells(), validation=validation, test=0.2)
    assert {part: sorted((column - 10).iloc[rows].tolist()) for part, rows in found.items()} == parts
    assert all((np.diff(rows) > 0).all() for rows in found.values())
    spans = [f"{part} {10 + rows[0]} to {10 + rows[-1]}" for part, rows in parts.items()]
    assert words == f"by date (t): {', '.join(spans)}"


def test_rows_without_a_date_are_counted_and_the_first_is_named():
    for column in (pd.Series(["2024-01-01", "", "2024-01-02", ""], name="t"), pd.Series([1.0, np.nan, 2.0, np.nan], name="t")):
        with pytest.raises(DataError, match="2 of 4 rows have no date in 't'") as error:
            times_of(column, Cells(), None)
        assert (error.value.where, error.value.got) == ("dataset.split.column", "such as row 2")
