"""What columns hold, decided on all of their cells."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.columns import looks_like_classes, read_columns
from glassbench.toolkit.cells.kinds import Asked
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench.toolkit.table.table import table_data
from glassbench_plugins.tabular.files import table

TEXTS = [f"text {i}" for i in range(100)]


def read(columns, declared=None, **asked):
    return read_columns(pd.DataFrame(columns), Cells(), Asked(kinds=declared or {}, **asked))


def numbers(texts, **asked):
    reading = read({"x": texts}, {"x": "number"}, **asked)
    return reading.cells.numbers(pd.Series(texts, name="x")).tolist()


def test_numbers_and_categories_are_told_apart():
    reading = read({"a": ["1", "2.5", "?"], "b": ["x", "y", "x"], "c": [True, False, True], "d": [1, 2, 3]})
    assert reading.kinds == {"a": "number", "b": "category", "c": "category", "d": "number"}
    assert reading.treatments == ()


def test_what_a_person_declares_goes_before():
    reading = read({"code": [1, 2, 3], "id": [1, 2, 3]}, {"code": "category", "id": "number"})
    assert reading.kinds == {"code": "category", "id": "number"}


def test_useless_columns_are_left_out_with_a_record():
    n = np.arange(100)
    columns = {"x": n / 7, "patient_id": n, "empty": ["?"] * 100, "same": ["s"] * 100, "free": TEXTS}
    reading = read(columns)
    assert list(reading.kinds) == ["x"]
    assert [(t.action, t.column) for t in reading.treatments] == [
        ("left out", name) for name in ("patient_id", "empty", "same", "free")
    ]


def test_a_constant_with_missing_values_still_tells_something():
    assert read({"x": ["yes", "", "yes"]}).kinds == {"x": "category"}


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1.234,56", "7,5", "-0,25"], [1234.56, 7.5, -0.25]),
        (["1,234,567", "12.5", "1,000"], [1234567, 12.5, 1000]),
        (["1 234", "12\u00a0345,6", "1\u202f234\u202f567"], [1234, 12345.6, 1234567]),
        (["1'234.50", "12’000", "7"], [1234.5, 12000, 7]),
        (["$1,200.00", "($35.50)", "-$2", "$ 7"], [1200, -35.5, -2, 7]),
        (["1.200,00 €", "2,5 €", "-3,75 €", "12,- €"], [1200, 2.5, -3.75, 12]),
        (["12 %", "7.5%", "0", "n/a"], [12, 7.5, 0, np.nan]),
        (["(1,234)", "56", "78.5"], [-1234, 56, 78.5]),
        (["12-", "3.5", "4-"], [-12, 3.5, -4]),
        (["−5", "٣٤", "１２"], [-5, 34, 12]),
        (["1e3", "2.5E-2", "-1e+2"], [1000, 0.025, -100]),
        (["1,00,000", "12,34,567.5", "5"], [100000, 1234567.5, 5]),
        (["1", "-", "–", "none", "N.A.", "#N/A", "NULL", "2"], [1, *[np.nan] * 6, 2]),
        (["0,5", "1.234", "2.500"], [0.5, 1234, 2500]),
        (["1,5", "1,234"], [1.5, 1.234]),
    ],
)
def test_numbers_read_as_people_write_them(texts, values):
    np.testing.assert_array_equal(numbers(texts), values)


def test_marks_that_may_be_either_are_decided_by_the_table_or_asked_about():
    told = read({"x": ["1.234", "2.345"], "y": ["0,5", "1,25"]})
    assert told.cells.numbers(pd.Series(["1.234"], name="x")).tolist() == [1234]
    with pytest.raises(DataError, match=r"may be 1234 or 1\.234") as error:
        read({"x": ["1,234", "2,345"]})
    assert "dataset.decimal to '.' if it is 1234" in error.value.fix
    assert numbers(["1,234", "2,345"], decimal=",") == [1.234, 2.345]
    assert numbers(["1,234", "2,345"], decimal=".") == [1234, 2345]
    assert numbers(["1,234", "950", "12,000"]) == [1234, 950, 12000]
    assert numbers(["1.234", "2.345"]) == [1.234, 2.345]
    thousands = [f"{i}.{100 * (i % 10):03d}" for i in range(10, 60)]
    with pytest.raises(DataError, match="nothing in the table tells which"):
        read({"x": thousands})


def test_codes_stay_text():
    zips = [f"{501 + 37 * i:05d}" for i in range(40)]
    reading = read({"zip": zips, "account": [str(10**17 + i) for i in range(40)], "income": ["0", "07", *map(str, range(38))]})
    assert reading.kinds == {"zip": "category", "account": "category", "income": "number"}
    assert reading.cells.texts(pd.Series(zips, name="zip")).tolist() == zips


def test_a_few_strange_cells_are_an_error_that_names_them():
    column = [str(i) for i in range(100)]
    column[7], column[8], column[50] = "see file", "see file", "12 or 13"
    with pytest.raises(DataError, match="3 of 100 values are none; also in other") as error:
        read({"income": column, "other": column})
    assert error.value.where == "rows 7, 8, 50 (the first is row 0)"
    assert "income: 'see file' (2 times), '12 or 13'; other:" in error.value.got
    reading = read({"income": column}, strange="missing")
    assert reading.kinds == {"income": "number"}
    assert [(t.action, t.count) for t in reading.treatments] == [("missing", 3)]
    assert reading.cells.numbers(pd.Series(column, name="income")).isna().sum() == 3
    assert reading.cells.texts(pd.Series(column, name="income")).isna().sum() == 3


@pytest.mark.parametrize("odd", ["EUR 5", "5 %", "1,5", "0x1F", "1O", "3+", "5 - 7", "1.2.3", "--5", "(5", "5 kg"])
def test_what_another_notation_would_read_is_strange(odd):
    with pytest.raises(DataError, match="1 of 101 values are none"):
        read({"x": [*(f"{i}.5" for i in range(100)), odd]})


def test_levels_of_a_column_of_few_values_are_no_strange_cells():
    reading = read({"children": ["0", "1", "2", "3+"] * 10})
    assert reading.kinds == {"children": "category"}
    assert "'3+'" in str(reading.treatments[0])


PLAIN = [str(100 + i % 83) for i in range(960)]
RECURRENT = {
    "icd": ["V57"] * 12 + ["V58.1"] * 9 + ["E909"] + ["e888"],
    "product numbers": ["4711-A"] * 8 + ["4711-B"] * 8,
    "account attributes": ["A11"] * 15 + ["A14"] * 15,
    "postcodes, all different": [f"K{i}A 0B6" for i in range(30)],
    "letters within": ["12A4"] * 6 + ["77B1"] * 6 + ["30C9"] * 6,
    "codes and a word": ["V57"] * 15 + ["V58"] * 15 + ["unknown"],
}


@pytest.mark.parametrize("codes", RECURRENT.values(), ids=RECURRENT)
def test_codes_that_recur_among_numbers_make_a_column_of_categories(codes):
    texts = [*PLAIN, "250.0", "250", *codes]
    reading = read({"x": texts})
    assert reading.kinds == {"x": "category"}
    assert "codes, some with letters" in str(reading.treatments[0])
    assert codes[0] in str(reading.treatments[0])
    column = reading.cells.texts(pd.Series(texts, name="x"))
    assert column.notna().all()
    assert (column == "250.0").sum() == 1


ODD = {
    "units": ["12k"] * 9 + ["15k"] * 9 + ["3.5k"] * 9,
    "one code": ["V57"] * 40,
    "misread digits": ["O12", "l50", "S3", "B8"],
    "words": ["unknown"] * 9 + ["n.a. (see note)"] * 9 + ["pending"] * 9,
    "lengths": ["1m75"] * 9 + ["1m80"] * 9,
    "other notation": ["USD 500"] * 9 + ["EUR 7"] * 9,
    "durations": ["12h"] * 9 + ["5d"] * 9 + ["30m"] * 9 + ["7s"] * 9,
    "months": ["5-May"] * 9 + ["6-Jun"] * 9,
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_cells_that_are_no_codes_stay_strange_however_often_they_stand(odd):
    with pytest.raises(DataError, match="holds numbers, but"):
        read({"x": PLAIN + odd})


def test_a_level_of_a_grade_is_a_category():
    assert read({"grade": [str(1 + i % 10) for i in range(300)] + ["A*"] * 12}).kinds == {"grade": "category"}


def test_spellings_of_the_same_are_one_category():
    texts = ["yes"] * 6 + ["Yes", "YES"] + ["no", "No"] + ["a", "A"] + ["1", "1.0"]
    reading = read({"x": texts})
    assert set(reading.cells.texts(pd.Series(texts, name="x"))) == {"yes", "no", "a", "A", "1"}
    assert reading.treatments[0].count == 4


def test_dates_are_refused_with_the_way_out():
    with pytest.raises(DataError, match="'seen' holds dates") as error:
        read({"seen": ["2024-01-01", "2024-05-06"], "born": ["1.2.1990", "3.4.1991"]})
    assert "dataset.drop to [seen, born]" in error.value.fix
    assert read({"seen": ["2024-01-01", "2024-05-06"]}, {"seen": "category"}).kinds == {"seen": "category"}


def test_nothing_left_is_an_error():
    with pytest.raises(DataError, match="no column is left") as error:
        table_data(pd.DataFrame({"same": [1] * 40, "y": ["a", "b"] * 20}), Columns(target="y"), Division(seed=0))
    assert "same: the same value in every row" in error.value.got


def test_an_encoder_reads_later_rows_in_the_notation_of_the_whole_column(people):
    written = people["age"].map(lambda age: f"{1000 * age + 0.5:,.1f}".translate(str.maketrans(".,", ",.")))
    data = table_data(people.assign(age=written), Columns(target="repaid"), Division(seed=0))
    again = TableEncoder.from_json(json.loads(json.dumps(data.encoder.to_json())))
    assert again == data.encoder
    row = people.iloc[[3]].assign(age="41.234")
    assert again.encode(row).raw["age"].tolist() == [41234]
    with pytest.raises(DataError, match="'age' holds numbers"):
        again.encode(row.assign(age="41.23"))


@pytest.mark.parametrize(
    ("target", "classes"),
    [(["a", "b"], True), ([0, 1, 1], True), (range(10), True), (range(11), False), ([0.5, 1.0], False)],
)
def test_the_kind_of_a_target_is_inferred(target, classes):
    assert looks_like_classes(pd.Series(target), Cells()) is classes


def test_whole_categories_are_read_without_a_fraction_of_zeros(tmp_path):
    rows = pd.DataFrame({"x": np.arange(60.0) % 7 + 0.5, "male": [0.0, 1.0, np.nan] * 20, "passed": [0.0, 1.0] * 30})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    data = table(1, path=tmp_path / "rows.csv", target="passed", sensitive=("male",))
    assert data.schema.target.classes == ("0", "1")
    assert set(data.train.groups["male"]) == {"0", "1", "missing"}
    typed = data.encoder.encode(rows.iloc[data.test.rows])
    assert torch.equal(typed.target, data.test.target)
    assert typed.groups["male"].tolist() == data.test.groups["male"].tolist()
    versions = pd.DataFrame({"x": np.arange(60), "version": ["1.0", "1.5", "2.0"] * 20, "y": ["a", "b"] * 30})
    versions.to_csv(tmp_path / "rows.csv", index=False)
    kept = table(1, path=tmp_path / "rows.csv", target="y", sensitive=("version",))
    assert set(kept.train.groups["version"]) == {"1.0", "1.5", "2.0"}
