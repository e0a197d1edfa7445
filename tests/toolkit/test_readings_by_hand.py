"""How cells of columns read where it is a near thing: levels, codes, spellings, notations, bands and categories by hand."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells, dates_among
from glassbench.toolkit.cells.code_shapes import are_codes
from glassbench.toolkit.cells.codes import CategoryCode, NumberCode, in_order
from glassbench.toolkit.cells.columns import looks_like_classes, read_columns, whole_classes
from glassbench.toolkit.cells.groups import GroupCode, band_names, group_code
from glassbench.toolkit.cells.kinds import Asked
from glassbench.toolkit.cells.notation import Survey, common_decimal, notation_of
from glassbench.toolkit.cells.spelling import spellings
from glassbench.toolkit.cells.value_labels import Labels


def column(*counted: tuple[str | None, int]) -> pd.Series:
    """Return a column with so many cells of each text."""
    return pd.Series([text for text, times in counted for _ in range(times)], name="x", dtype=object)


def kind_of(cells: pd.Series, **asked) -> str | None:
    return read_columns(cells.to_frame(), Cells(), Asked(**asked)).kinds.get("x")


def survey(*counted: tuple[str, int]) -> Survey:
    return Survey.of(column(*counted), Cells())


def test_every_text_of_a_column_of_few_values_must_recur_for_it_to_have_levels():
    assert kind_of(column(("1", 40), ("2", 40), ("3+", 5))) == "category"
    with pytest.raises(DataError, match="4 of 84 values are none"):
        kind_of(column(("1", 40), ("2", 40), ("3+", 4)))
    assert kind_of(column(("1", 400), ("2", 384), ("3+", 16))) == "category"  # 2 % of 800 cells
    with pytest.raises(DataError, match="16 of 816 values are none"):
        kind_of(column(("1", 400), ("2", 400), ("3+", 16)))  # and a little less than that
    with pytest.raises(DataError, match="21 of 101 values are none"):
        kind_of(column(("1", 40), ("2", 40), ("3+", 20), ("x", 1)))


@pytest.mark.parametrize(
    ("texts", "counts", "total", "expected"),
    [
        (["V57", "E909"], [4, 1], 500, True),
        (["V57", "E909"], [3, 1], 500, False),  # five cells at least
        (["V57", "E909"], [4, 1], 2_500, True),
        (["V57", "E909"], [4, 1], 2_501, False),  # and 0.2 % of the column
        (["V57"], [90], 500, False),  # one text alone is none
        (["V57", "E909", "unknown"], [4, 4, 2], 500, True),  # four fifths are written like codes
        (["V57", "E909", "unknown"], [4, 4, 3], 500, False),
        ([f"A{k}" for k in range(10)], [1] * 10, 4_000, True),  # ten that all differ
        ([f"A{k}" for k in range(9)], [1] * 9, 4_000, False),
        ([f"A{k}" for k in range(9)], [1] * 9, 180, True),  # or 5 % of the column
        ([f"A{k}" for k in range(9)], [1] * 9, 181, False),
        (["1m75", "1m80", "5ft10"], [5, 5, 5], 100, False),
        (["1m75", "1n80", "5p10"], [5, 5, 5], 100, True),
    ],
)
def test_codes_recur_from_so_many_cells_and_shares_on(texts, counts, total, expected):
    assert are_codes(texts, np.array(counts), total) is expected


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (column(("a", 3), (None, 2)), "category"),
        (column(("a", 5)), None),
        (column(("7", 3), (None, 2)), "number"),
        (column(("7", 5)), None),
        (pd.Series([7.0, np.nan, 7.0], name="x"), "number"),
        (pd.Series([7.0, 7.0], name="x"), None),
        (pd.Series([np.nan, np.nan], name="x"), None),
        (column((None, 3)), None),
    ],
)
def test_one_value_says_something_where_other_cells_are_missing(cells, kind):
    assert kind_of(cells) == kind


def test_free_text_differs_in_more_than_half_of_the_cells_that_hold_something():
    texts = [(f"word {k:03}", 2 if k < 48 else 1) for k in range(60)]
    assert kind_of(column(*texts, (None, 92))) is None  # sixty in 108 cells of 200
    more = [(f"word {k:03}", 2) for k in range(60)]
    assert kind_of(column(*more, (None, 80))) == "category"  # sixty in 120
    assert kind_of(column(*[(f"word {k:03}", 1) for k in range(50)])) == "category"  # fifty are few


def test_the_most_frequent_spelling_is_kept_and_of_equal_ones_that_in_small_letters():
    assert spellings(["Yes", "yes", "YES"], np.array([5, 5, 4])) == {"Yes": "yes", "YES": "yes"}
    assert spellings(["New  York", "New York"], np.array([2, 9])) == {"New  York": "New York"}
    assert spellings(["250", "250.0"], np.array([5, 2])) == {"250.0": "250"}
    assert spellings(["250", "250.0"], np.array([5, 2]), values=False) == {}
    assert spellings(["a", "A", "Y", "y"], np.array([5, 2, 3, 1])) == {"y": "Y"}


def test_a_currency_and_a_percent_sign_are_the_columns_where_more_than_half_of_the_numbers_have_them():
    assert notation_of(survey(("$1", 3), ("2", 2))).currency == "$"
    assert notation_of(survey(("$1", 2), ("2", 2))).currency == ""
    assert notation_of(survey(("1%", 3), ("2", 2))).percent is True
    assert notation_of(survey(("1%", 2), ("2", 2))).percent is False


def test_a_decimal_mark_is_told_by_cells_and_not_by_texts():
    one = survey(("0,5", 5), ("0.25", 2), ("0.75", 2))
    assert (one.decimal, notation_of(one).decimal) == (",", ",")
    assert survey(("0,5", 1), ("0.25", 2), ("x", 9)).decimal == "."
    assert common_decimal([survey(("0,5", 3)), survey(("7", 3)), survey(("0.5", 2), ("word", 2))]) == ","
    assert common_decimal([survey(("0,5", 3)), survey(("0.5", 3))]) is None


def test_digits_are_codes_by_their_zeros_in_front_or_their_length():
    assert survey(("01234", 1), ("51234", 99)).codes
    assert not survey(("01234", 1), ("5123", 60), ("512", 39)).codes  # widths differ, and few zeros
    assert survey(("0123", 6), ("51234", 90), ("5123", 4)).codes  # more than 5 %
    assert not survey(("0123", 5), ("51234", 90), ("5123", 5)).codes
    assert survey(("1234567890123456", 51), ("5", 49)).codes
    assert not survey(("1234567890123456", 50), ("5", 50)).codes
    assert not survey(("0", 50), ("5", 50)).codes


def test_dates_are_of_one_form():
    assert dates_among(["2024-01-31"] * 9 + ["31.01.2024"]) == 0.9
    assert dates_among(["2024-01-31"] * 5 + ["31.01.2024"] * 5) == 0.5
    assert dates_among(["word"] * 5 + ["2024-01-31"] * 95) == 0.0  # the first five say that there are none


def test_of_equally_frequent_categories_those_first_by_name_get_a_column():
    counted = {"d": 3, "b": 3, "a": 3, "c": 9}
    assert CategoryCode.fit("x", counted, 18, most=2).categories == ("a", "c")
    assert CategoryCode.fit("x", counted, 18, most=3).categories == ("a", "b", "c")
    assert CategoryCode.fit("x", counted, 22, most=2).categories == ("c", "missing")  # four rows are missing
    assert CategoryCode.fit("x", {"10": 1, "9": 1}, 3).categories == ("9", "10", "missing")
    assert in_order(["b", "10", "9"]) == ("10", "9", "b")


def test_cells_that_training_rows_do_not_prepare_for_lie_beyond_their_range_or_were_not_seen():
    number = NumberCode(name="x", median=2.0, mean=2.0, std=1.0, indicator=False, low=1.0, high=3.0)
    found = number.unusual(pd.Series([1.0, 3.0, 0.9, 3.1, None, 3.1], name="x"), Cells())
    assert [(one.kind, one.count, one.rows, one.examples) for one in found] == [
        ("missing", 1, 6, ()),
        ("outside", 3, 6, ("0.9", "3.1")),
    ]
    category = CategoryCode(name="x", categories=("a", "b"))
    found = category.unusual(pd.Series(["a", "c", None, "c", "b"], name="x"), Cells())
    assert [(one.kind, one.count, one.examples) for one in found] == [("missing", 1, ()), ("unseen", 2, ("c",))]


def test_a_bound_belongs_to_the_upper_band_and_bands_are_whole_where_all_numbers_and_bounds_are():
    ages = pd.Series(["29", "30", "49", "50", "", "80"], name="age")
    code = group_code({"column": "age", "bins": [30, 50]}, ages.to_frame(), Cells())
    assert code == GroupCode(name="age_band", column="age", bins=(30.0, 50.0), whole=True)
    named = ["under 30", "30 to 49", "30 to 49", "50 and over", "missing", "50 and over"]
    assert code.groups(ages, Cells()).tolist() == named
    assert code.categories(ages, Cells()).astype(str).tolist() == named
    assert not group_code({"column": "age", "bins": [30.5, 50]}, ages.to_frame(), Cells()).whole
    assert not group_code({"column": "age", "bins": [30, 50]}, pd.DataFrame({"age": [29.5, 30.0]}), Cells()).whole
    assert band_names((0.5, 2.0), whole=False) == ("under 0.5", "0.5 to under 2", "2 and over")


def test_columns_and_values_that_have_their_label_already_stay_as_they_are():
    labels = Labels.of({"sex": {"1": "man", "2": "woman"}, "bmi": "body mass"}, missing=("",))
    new = labels.apply(pd.DataFrame({"sex": [1, 2, None], "bmi": [20, 21, 22]}))
    assert (list(new), new["sex"].tolist()[:2]) == (["sex", "body mass"], ["man", "woman"])
    again = labels.apply(new)
    assert (list(again), again["sex"].tolist()[:2]) == (["sex", "body mass"], ["man", "woman"])
    both = labels.apply(pd.DataFrame({"sex": ["1", "man"], "bmi": [1, 2], "body mass": [3, 4]}))
    assert (list(both), both["sex"].tolist(), both["body mass"].tolist()) == (["sex", "bmi", "body mass"], ["man", "man"], [3, 4])


def test_ten_different_whole_numbers_are_classes_and_eleven_or_fractions_are_values():
    assert looks_like_classes(pd.Series([*range(10), None, 3.0]), Cells())
    assert not looks_like_classes(pd.Series(range(11)), Cells())
    assert not looks_like_classes(pd.Series([0, 1, 1.5]), Cells())
    assert looks_like_classes(pd.Series(["1", "2", "many"]), Cells())
    floats = pd.Series(["1.0", "2.0", "", "1.0"], name="y")
    assert whole_classes(floats, Cells())["y"].spellings == {"1.0": "1", "2.0": "2"}
    assert whole_classes(pd.Series(["1", "2"], name="y"), Cells()) == {}


def test_marks_of_missing_values_among_whole_numbers_are_absent():
    cells = Cells(missing=("-9", "99.0", "NA"))
    for kind in ("int64", "float64", "object"):
        found = pd.Series([1, -9, 99, 5], name="x").astype(kind)
        assert cells.absent(found).tolist() == cells.texts(found).isna().tolist() == [False, True, False, False]
