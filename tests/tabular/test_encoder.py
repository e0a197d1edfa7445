"""Encoding rows with what was measured on the training rows."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from glassbench.contracts.data import Encoder
from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.codes import CategoryCode, in_order
from glassbench.toolkit.cells.groups import GroupCode
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench.toolkit.table.number_block import encode_numbers, fit_numbers, number_block
from glassbench.toolkit.table.table import table_data

COLUMNS = Columns(target="repaid", sensitive=("sex", {"column": "age", "bins": [30, 50]}))
CELL = st.one_of(st.none(), st.sampled_from(["", "?", "1", "2.5", "-3", "cook", "nurse "]))
NAME = st.text(min_size=1, max_size=8)


def data(people, **settings):
    return table_data(people, Columns(**{**COLUMNS.__dict__, **settings}), Division(seed=0))


def test_encoded_columns_map_back_to_columns(people):
    made = data(people)
    by_name = {feature.name: feature for feature in made.schema.features}
    assert list(by_name) == ["income", "debts", "job"]
    assert sorted(encoded_column for f in by_name.values() for encoded_column in f.columns) == list(range(made.schema.shape[0]))
    inputs, raw = made.test.inputs[0].numpy(), made.test.raw
    job = by_name["job"]
    assert job.categories == ("clerk", "cook", "nurse", MISSING)
    hot = np.array(job.categories)[inputs[:, list(job.columns)].argmax(axis=1)]
    assert hot.tolist() == raw["job"].fillna(MISSING).tolist()
    value, indicator = by_name["income"].columns
    assert (inputs[:, indicator] == raw["income"].isna()).all()
    assert len(by_name["debts"].columns) == 1
    assert value == 0


def test_one_hot_equals_scikit_learn():
    train, test = pd.Series(["a", "b", "b", "c"], name="x"), pd.Series(["b", "z", "a"], name="x")
    reference = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(train.to_frame())
    code = CategoryCode.fit("x", Cells().counted(train), len(train))
    np.testing.assert_array_equal(code.encode(*Cells().coded(test)), reference.transform(test.to_frame()))


@pytest.mark.parametrize(
    "truth",
    [
        ["yes", "no", "yes"],
        ["yes", None, "no"],
        [None, None, None],
        ["yes", "maybe", "no"],
        [None, "maybe", "no"],
        [" yes", "no", ""],
    ],
    ids=str,
)
@pytest.mark.parametrize("lacking", [[], ["sex", "age"], ["repaid"], ["job"]])
def test_what_is_read_quickly_is_what_is_read_in_full(people, truth, lacking):
    """Inputs and truths without the rest are those of `encode`, and what it refuses is refused in the same words."""
    encoder = data(people).encoder
    raw = people.iloc[:3].assign(repaid=truth).drop(columns=lacking)
    told = []
    for read in (lambda: (encoder.encode(raw).inputs[0], encoder.encode(raw).target), lambda: encoder.tensors(raw)):
        try:
            told.append([None if part is None else part.tolist() for part in read()])
        except DataError as error:
            told.append(str(error))
    assert told[0] == told[1]
    assert isinstance(told[0], str) == ("job" in lacking or ("maybe" in truth and "repaid" not in lacking))


def test_the_most_frequent_categories_get_columns():
    code = CategoryCode.fit("x", {"a": 1, "b": 2, "c": 3}, rows=6, most=2)
    assert code.categories == ("b", "c")
    assert code.encode(*Cells().coded(pd.Series(["a"]))).tolist() == [[0, 0]]


def test_categories_that_are_numbers_sort_as_numbers():
    assert in_order({"10", "9", "-1", MISSING}) == ("-1", "9", "10", MISSING)
    assert in_order({"b", "10", "9"}) == ("10", "9", "b")


def test_a_missing_number_becomes_the_median_and_is_flagged():
    (code,) = fit_numbers(["x"], np.array([[1.0, 2.0, np.nan, 9.0]]))
    filled = np.array([1, 2, 2, 9.0])
    assert (code.median, code.mean, code.indicator) == (2.0, filled.mean(), True)
    encoded = encode_numbers([code], np.array([[np.nan, 9.0]]))
    np.testing.assert_allclose(encoded, [[(2 - 3.5) / filled.std(), 1], [(9 - 3.5) / filled.std(), 0]], rtol=1e-6)


def test_encoding_the_raw_rows_of_a_split_gives_the_split_back(people):
    made = data(people)
    again = made.encoder.encode(made.test.raw)
    assert torch.equal(again.inputs[0], made.test.inputs[0])
    assert torch.equal(again.target, made.test.target)
    assert again.groups.equals(made.test.groups)
    assert made.test.raw["income"].dtype == np.float64


def test_text_rows_encode_as_typed_rows(people):
    made = data(people)
    as_text = made.test.raw.astype(object).where(made.test.raw.notna(), "").astype(str)
    assert torch.equal(made.encoder.encode(as_text).inputs[0], made.test.inputs[0])


def test_truth_and_groups_are_optional_and_inputs_are_not(people):
    made = data(people)
    bare = made.encoder.encode(people[["income", "debts", "job"]])
    assert bare.target is None
    assert bare.groups is None
    unknown = made.encoder.encode(people.assign(repaid=["yes"] * 199 + [None])).target
    assert unknown.tolist() == [made.schema.target.classes.index("yes")] * 199 + [-1]
    with pytest.raises(DataError, match="job"):
        made.encoder.encode(people.drop(columns="job"))
    with pytest.raises(DataError, match="class that the training rows do not have"):
        made.encoder.encode(people.assign(repaid="perhaps"))


def test_the_encoder_meets_its_contract(people):
    encoder: Encoder = data(people).encoder
    assert json.loads(json.dumps(encoder.to_json())) == encoder.to_json()


@settings(deadline=None, max_examples=40)
@given(
    numbers=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=8),
    words=st.lists(CELL, min_size=1, max_size=8),
    names=st.lists(NAME, min_size=4, max_size=4, unique=True),
    bins=st.one_of(st.none(), st.lists(st.floats(-10, 10), min_size=1, max_size=3, unique=True).map(sorted)),
)
def test_json_round_trip(numbers, words, names, bins):
    cells, size = Cells(strip_end="."), min(len(numbers), len(words))
    number, word, target, sensitive = names
    frame = pd.DataFrame({number: pd.Series(numbers[:size], dtype=float), word: pd.Series(words[:size], dtype=object)})
    encoder = TableEncoder(
        inputs=(
            *fit_numbers([number], number_block(frame, [number], cells)),
            CategoryCode.fit(word, cells.counted(frame[word]), size),
        ),
        target=target,
        classes=("no", "yes"),
        sensitive=(GroupCode(name=sensitive, column=number, bins=bins and tuple(bins)),),
        cells=cells,
    )
    rebuilt = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert rebuilt == encoder
    assert torch.equal(rebuilt.encode(frame).inputs[0], encoder.encode(frame).inputs[0])
    assert rebuilt.encode(frame).groups.equals(encoder.encode(frame).groups)


@pytest.mark.parametrize(("index", "rows"), [([7, 3, 9], [7, 3, 9]), ([7, 7, 9], [0, 1, 2]), (["a", "b", "c"], [0, 1, 2])])
def test_rows_keep_ids_that_are_unique_whole_numbers(people, index, rows):
    encoded = data(people).encoder.encode(people.head(3).set_axis(index))
    assert encoded.rows.tolist() == rows
    assert encoded.raw.index.tolist() == [0, 1, 2]
