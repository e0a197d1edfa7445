"""Reading raw cells."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.numerals import Notation

CELLS = Cells()


def test_texts_lose_blanks_and_missing_marks():
    assert CELLS.texts(pd.Series([" a", "b ", "?", "", None, "NA"])).tolist() == ["a", "b", None, None, None, None]


def test_whole_numbers_read_alike_whatever_their_type():
    for column in (pd.Series([1, 2]), pd.Series([1.0, 2.0]), pd.Series(["1", "2"]), pd.Series([1, 2], dtype="Int64")):
        assert CELLS.texts(column).tolist() == ["1", "2"]
    assert CELLS.texts(pd.Series([True, False])).tolist() == ["True", "False"]
    assert CELLS.texts(pd.Series(["x", "y"], dtype="category")).tolist() == ["x", "y"]


def test_a_trailing_dot_can_be_taken_off():
    assert Cells(strip_end=".").texts(pd.Series(["<=50K.", "<=50K", ".5"])).tolist() == ["<=50K", "<=50K", ".5"]


def test_numbers_are_read_from_text_and_marks():
    read = Cells(missing=("", "-999")).numbers(pd.Series(["1.5", "", "-999", "2e3"]))
    np.testing.assert_array_equal(read, [1.5, np.nan, np.nan, 2000])
    np.testing.assert_array_equal(Cells(missing=("-999",)).numbers(pd.Series([-999.0, 3])), [np.nan, 3])


def test_what_is_no_number_is_named():
    with pytest.raises(DataError, match="2 of 3 values are none") as error:
        CELLS.numbers(pd.Series(["1", "old", "new"], name="age"))
    assert error.value.got == "'old', 'new'"


@pytest.mark.parametrize("column", [pd.Series([1.0, np.inf], name="x"), pd.Series(["1", "-inf"], name="x")])
def test_infinite_values_are_refused(column):
    with pytest.raises(DataError, match="infinite") as error:
        CELLS.numbers(column)
    assert "row 1" in error.value.where
    with_mark = Cells(missing=("inf", "-inf"))
    assert with_mark.numbers(column).isna().sum() == 1


@pytest.mark.parametrize("dates", [["2024-01-31", "2024-02-01 10:00"], ["31.01.2024", "1.2.24"], ["1/31/2024", ""]])
def test_dates_are_recognised(dates):
    assert CELLS.are_dates(pd.Series(dates))
    assert CELLS.are_dates(pd.to_datetime(pd.Series(["2024-01-31"])))


def test_other_texts_are_no_dates():
    assert not CELLS.are_dates(pd.Series(["12", "2024", "a-b-c", "10-20"]))


def test_an_amount_in_another_currency_or_without_the_columns_percent_sign_is_no_number_of_the_column() -> None:
    euros = Notation(currency="€", decimal=",", thousands=".")
    assert [euros.value(text) for text in ("1.234,50 €", "€ 5", "5", "-5 €", "(5 €)")] == [1234.5, 5, 5, -5, -5]
    shares = Notation(percent=True)
    assert [shares.value(text) for text in ("12 %", "0", "-3.5 %")] == [12, 0, -3.5]
    strange = [euros.value("5 USD"), euros.value("$5"), euros.value("5 %"), shares.value("12"), Notation().value("5 €")]
    assert np.isnan(strange).all()
