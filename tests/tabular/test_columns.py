"""What columns hold."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench_plugins.tabular.cells import Cells
from glassbench_plugins.tabular.columns import looks_like_classes, read_columns

TEXTS = [f"text {i}" for i in range(100)]


def read(columns, declared=None):
    return read_columns(pd.DataFrame(columns), declared or {}, Cells())


def test_numbers_and_categories_are_told_apart():
    reading = read({"a": ["1", "2.5", "?"], "b": ["x", "y", "x"], "c": [True, False, True], "d": [1, 2, 3]})
    assert reading.kinds == {"a": "number", "b": "category", "c": "category", "d": "number"}
    assert reading.notes == ()


def test_what_a_person_declares_goes_before():
    reading = read({"code": [1, 2, 3], "id": [1, 2, 3]}, {"code": "category", "id": "number"})
    assert reading.kinds == {"code": "category", "id": "number"}


def test_useless_columns_are_left_out_with_a_note():
    n = np.arange(100)
    columns = {"x": n / 7, "patient_id": n, "empty": ["?"] * 100, "same": ["s"] * 100, "free": TEXTS}
    reading = read(columns)
    assert list(reading.kinds) == ["x"]
    assert [note.split(":")[0] for note in reading.notes] == ["patient_id", "empty", "same", "free"]


def test_a_constant_with_missing_values_still_tells_something():
    assert read({"x": ["yes", "", "yes"]}).kinds == {"x": "category"}


def test_mostly_numbers_are_categories_with_a_note():
    reading = read({"code": ["1", "2", "3", "V57"]})
    assert reading.kinds == {"code": "category"}
    assert "mostly numbers" in reading.notes[0]


def test_dates_are_refused_with_the_way_out():
    with pytest.raises(DataError, match="'seen' holds dates") as error:
        read({"seen": ["2024-01-01", "2024-05-06"], "born": ["1.2.1990", "3.4.1991"]})
    assert "dataset.drop to [seen, born]" in error.value.fix
    assert read({"seen": ["2024-01-01", "2024-05-06"]}, {"seen": "category"}).kinds == {"seen": "category"}


def test_nothing_left_is_an_error():
    with pytest.raises(DataError, match="no column is left"):
        read({"same": [1, 1, 1]})


@pytest.mark.parametrize(
    ("target", "classes"),
    [(["a", "b"], True), ([0, 1, 1], True), (range(10), True), (range(11), False), ([0.5, 1.0], False)],
)
def test_the_kind_of_a_target_is_inferred(target, classes):
    assert looks_like_classes(pd.Series(target), Cells()) is classes
