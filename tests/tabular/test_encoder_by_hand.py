"""A table of four rows encoded by hand: inputs, truths, groups, what a person reads, and the plain values that rebuild it."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells, ColumnReading
from glassbench.toolkit.cells.codes import CategoryCode, NumberCode
from glassbench.toolkit.cells.groups import GroupCode
from glassbench.toolkit.cells.value_labels import Labels
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench.toolkit.table.label_columns import LabelColumns

INCOME = NumberCode(name="income", median=20.0, mean=20.0, std=10.0, indicator=True, low=10.0, high=30.0)
JOB = CategoryCode(name="job", categories=("cook", "nurse", "missing"))
AGE = NumberCode(name="age", median=40.0, mean=40.0, std=5.0, indicator=False, low=30.0, high=50.0)
RAW = pd.DataFrame(
    {
        "sex": ["f", "m", "f", None],
        "paid": ["yes", "no", None, "yes"],
        "age": [45, 40, 30, 60],
        "job": ["nurse", "pilot", "?", "cook"],
        "income": ["30", "", "10", "40"],
        "more": [1, 2, 3, 4],
    },
    index=[7, 5, 9, 2],
)
ENCODER = TableEncoder(
    inputs=(INCOME, JOB, AGE),
    target="paid",
    classes=("no", "yes"),
    sensitive=(GroupCode(name="sex", column="sex"), GroupCode(name="age_band", column="age", bins=(40.0,), whole=True)),
    cells=Cells(
        strip_end=".", columns={"job": ColumnReading(spellings={"chef": "cook"}), "more": ColumnReading(spellings={"x": "y"})}
    ),
    labels=Labels(values={"sex": {"1": "f"}}, titles={"pay": "income"}),
)
INPUTS = [[1, 0, 0, 1, 0, 1], [0, 1, 0, 0, 0, 0], [-1, 0, 0, 0, 1, -2], [2, 0, 1, 0, 0, 4]]


def test_inputs_stand_in_the_order_of_their_columns():
    assert ENCODER.width == 6
    found = ENCODER.encode(RAW)
    assert found.inputs[0].tolist() == INPUTS
    assert found.inputs[0].dtype == torch.float32
    assert found.rows.tolist() == [7, 5, 9, 2]
    alone = TableEncoder(inputs=(AGE, INCOME)).encode(RAW)
    assert alone.inputs[0].tolist() == [[row[5], row[0], row[1]] for row in INPUTS]
    named = TableEncoder(inputs=(JOB,)).encode(RAW)
    assert named.inputs[0].tolist() == [row[2:5] for row in INPUTS]
    assert (alone.target, alone.groups, named.target) == (None, None, None)
    assert TableEncoder(inputs=()).encode(RAW).inputs[0].shape == (4, 0)


def test_features_are_told_with_the_columns_that_carry_them():
    found = {feature.name: feature for feature in ENCODER.features({"income": "EUR"}, {"age": 0})}
    assert {name: feature.columns for name, feature in found.items()} == {"income": (0, 1), "job": (2, 3, 4), "age": (5,)}
    assert [feature.kind for feature in found.values()] == ["number", "category", "number"]
    assert [feature.unit for feature in found.values()] == ["EUR", None, None]
    assert [feature.decimals for feature in found.values()] == [None, None, 0]
    assert [feature.categories for feature in found.values()] == [(), ("cook", "nurse", "missing"), ()]
    assert [feature.decimals for feature in ENCODER.features({})] == [None] * 3


def test_truths_are_codes_and_minus_one_where_they_are_not_known():
    for target in (ENCODER.encode(RAW).target, ENCODER.tensors(RAW)[1]):
        assert (target.tolist(), target.dtype) == ([1, 0, -1, 1], torch.int64)
    assert ENCODER.encode(RAW.assign(paid=None)).target is None
    assert ENCODER.encode(RAW.drop(columns="paid")).target is None
    whole = ENCODER.tensors(RAW.assign(paid=["no", "no", "yes", "no"]))[1]
    assert (whole.tolist(), whole.dtype) == ([0, 0, 1, 0], torch.int64)
    assert ENCODER.tensors(RAW)[0].tolist() == INPUTS


def test_truths_of_a_value_are_numbers():
    encoder = TableEncoder(inputs=(AGE,), target="income")
    for target in (encoder.encode(RAW).target, encoder.tensors(RAW)[1]):
        assert target.dtype == torch.float32
        np.testing.assert_array_equal(target, [30, np.nan, 10, 40])
    assert encoder.encode(RAW).raw["income"].dtype == np.float64


def test_a_class_that_was_not_learnt_is_named_with_its_row():
    strange = RAW.assign(paid=["yes", "perhaps", "never", *["perhaps"]])
    for read in (ENCODER.encode, ENCODER.tensors):
        with pytest.raises(DataError, match="'paid' holds a class that the training rows do not have") as error:
            read(strange)
        assert (error.value.got, error.value.where) == ("'perhaps', 'never'", "row 5")
        assert list(error.value.available) == ["no", "yes"]
    many = pd.concat([RAW] * 2, ignore_index=True).assign(paid=list("abcdefgh"))
    with pytest.raises(DataError) as error:
        ENCODER.encode(many)
    assert error.value.got == "'a', 'b', 'c', 'd', 'e'"


def test_columns_that_lack_are_named_and_those_there_are_told():
    for read in (ENCODER.encode, ENCODER.tensors, ENCODER.unusual):
        with pytest.raises(DataError, match="the rows lack columns the model needs: income, job") as error:
            read(RAW.drop(columns=["income", "job"]))
        assert list(error.value.available) == ["sex", "paid", "age", "more"]


def test_groups_are_read_where_their_columns_are():
    found = ENCODER.encode(RAW).groups
    assert found["sex"].astype(object).where(found["sex"].notna(), None).tolist()[:3] == ["f", "m", "f"]
    assert list(found) == ["sex", "age_band"]
    assert found.index.tolist() == [0, 1, 2, 3]
    banded = found["age_band"].astype(str).tolist()
    assert banded[0] == banded[1] == banded[3] != banded[2]
    assert list(ENCODER.encode(RAW.drop(columns="sex")).groups) == ["age_band"]


def test_a_person_reads_inputs_then_sensitive_columns_then_the_truth():
    found = ENCODER.encode(RAW).raw
    assert list(found) == ["income", "job", "age", "sex", "paid"]
    assert found.index.tolist() == [0, 1, 2, 3]
    assert found["income"].tolist()[::2] == [30, 10]
    assert np.isnan(found["income"][1])
    assert found["job"].tolist() == ["nurse", "pilot", None, "cook"]
    assert found["sex"].tolist()[:3] == ["f", "m", "f"]
    assert found["paid"].tolist() == ["yes", "no", None, "yes"]
    assert list(ENCODER.encode(RAW.drop(columns=["sex", "paid"])).raw) == ["income", "job", "age"]
    twice = TableEncoder(
        inputs=(AGE, JOB), target="job", classes=("cook", "nurse", "pilot"), sensitive=(GroupCode(name="age", column="age"),)
    )
    assert list(twice.encode(RAW).raw) == ["age", "job"]
    assert twice.encode(RAW).raw["age"].tolist() == [45, 40, 30, 60]
    assert twice.encode(RAW).target.tolist() == [1, 2, -1, 0]


def test_names_and_spellings_are_read_as_they_were():
    raw = RAW.rename(columns={"income": "pay"}).assign(sex=["1", "m", "1", "m"], job=["nurse", "chef.", "?", "cook"])
    found = ENCODER.encode(raw)
    assert found.groups["sex"].astype(str).tolist() == ["f", "m", "f", "m"]
    assert found.inputs[0][1].tolist() == [0, 1, 1, 0, 0, 0]
    assert ENCODER.tensors(raw)[0].tolist() == found.inputs[0].tolist()
    assert [one.column for one in ENCODER.unusual(raw)] == ["income", "income", "job", "age"]


def test_what_training_does_not_prepare_for_is_counted_by_column():
    found = {(one.column, one.kind): (one.count, one.rows, one.examples) for one in ENCODER.unusual(RAW)}
    assert found == {
        ("income", "missing"): (1, 4, ()),
        ("income", "outside"): (1, 4, ("40",)),
        ("job", "missing"): (1, 4, ()),
        ("job", "unseen"): (1, 4, ("pilot",)),
        ("age", "outside"): (1, 4, ("60",)),
    }


LABELS = LabelColumns(columns=("sea", "sun"), labels=("sea", "sun"), values=(("no", "yes"), ("0", "1")))


def test_labels_are_a_column_each_and_read_as_text():
    encoder = TableEncoder(inputs=(AGE,), label_columns=LABELS, sensitive=(GroupCode(name="sun", column="sun"),))
    raw = RAW.assign(sea=["no", "yes", "yes", "no"], sun=[1, 0, 1, 1])
    found = encoder.encode(raw)
    assert found.target.tolist() == [[0, 1], [1, 0], [1, 1], [0, 1]]
    assert found.raw["sea"].tolist() == ["no", "yes", "yes", "no"]
    assert set(found.raw) == {"age", "sea", "sun"}
    partly = encoder.encode(raw.drop(columns="sea"))
    assert partly.target is None
    assert "sea" not in partly.raw


@pytest.mark.parametrize("encoder", [ENCODER, TableEncoder(inputs=(JOB,), label_columns=LABELS)], ids=["classes", "labels"])
def test_plain_values_rebuild_the_encoder(encoder):
    plain = json.loads(json.dumps(encoder.to_json()))
    assert TableEncoder.from_json(plain) == encoder
    assert set(plain) == {"inputs", "sensitive", "target", "label_columns", "classes", "cells", "labels"}


def test_plain_values_are_these():
    plain = ENCODER.to_json()
    assert [one["kind"] for one in plain["inputs"]] == ["number", "category", "number"]
    assert plain["inputs"][1] == {"kind": "category", "name": "job", "categories": ["cook", "nurse", "missing"]}
    assert (plain["inputs"][0]["median"], plain["inputs"][0]["indicator"]) == (20.0, True)
    assert (plain["target"], plain["classes"], plain["label_columns"]) == ("paid", ["no", "yes"], None)
    assert [(one["name"], one["column"], one["bins"]) for one in plain["sensitive"]] == [
        *(("sex", "sex", None), ("age_band", "age", [40.0])),
    ]


def test_preprocessing_tells_of_the_columns_that_are_read():
    told = ENCODER.preprocessing()
    assert set(told) == {"kind", "columns", "cells", "labels", "groups"}
    assert (told["kind"], told["columns"], told["labels"]) == ("table", ENCODER.to_json()["inputs"], ENCODER.labels.to_json())
    assert told["cells"] == {**ENCODER.cells.to_json(), "columns": {"job": ENCODER.cells.to_json()["columns"]["job"]}}
    assert told["groups"] == [code.told() for code in ENCODER.sensitive]
    spelled = TableEncoder(
        inputs=(AGE,), sensitive=ENCODER.sensitive[:1], cells=Cells(columns={"sex": ColumnReading(spellings={"w": "f"})})
    )
    assert spelled.preprocessing()["cells"]["columns"].keys() == {"sex"}
    assert TableEncoder(inputs=(AGE,)).preprocessing()["cells"]["columns"] == {}
