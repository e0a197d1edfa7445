"""Columns of numbers, read, measured and encoded together."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.table.number_block import encode_numbers, fit_numbers, number_block
from glassbench_plugins.tabular.files import table


def test_texts_floats_and_whole_numbers_read_alike_with_their_missing_marks():
    frame = pd.DataFrame({"a": ["1.5", "?", "-999"], "b": [1.5, np.nan, -999], "c": pd.array([2, None, 3], dtype="Int64")})
    block = number_block(frame, ["a", "b", "c"], Cells(missing=("?", "-999")))
    np.testing.assert_array_equal(block, [[1.5, np.nan, np.nan], [1.5, np.nan, np.nan], [2, np.nan, 3]])
    floats = number_block(frame[["b"]], ["b"], Cells(missing=("?", "-999")))
    np.testing.assert_array_equal(floats, block[1:2])


def test_an_infinite_value_among_floats_is_refused_by_name():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, np.inf]})
    with pytest.raises(DataError, match="column 'b' holds infinite values"):
        number_block(frame, ["a", "b"], Cells())


def test_what_is_measured_equals_pandas_and_scikit_learn():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.lognormal(2, 3, (301, 5)), columns=list("abcde"))
    frame.loc[rng.random(301) < 0.2, "b"] = np.nan
    frame["c"] = np.nan
    frame["d"] = 7.0
    codes = fit_numbers(list(frame), number_block(frame, list(frame), Cells()))
    filled = frame.fillna(frame.median()).fillna(0.0)
    assert [code.median for code in codes] == frame.median().fillna(0.0).tolist()
    assert [code.indicator for code in codes] == [False, True, True, False, False]
    assert [(code.low, code.high) for code in codes] == list(zip(filled.min(), filled.max(), strict=True))
    encoded_columns = encode_numbers(codes, number_block(frame, list(frame), Cells()))
    values, flags = [0, 1, 3, 5, 6], [2, 4]
    np.testing.assert_allclose(encoded_columns[:, values], StandardScaler().fit_transform(filled), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(encoded_columns[:, flags], frame[["b", "c"]].isna())


def test_a_table_of_thousands_of_columns_reads_quickly(tmp_path):
    values = np.random.default_rng(1).normal(size=(40, 2000)).round(4)
    frame = pd.DataFrame(values, columns=[f"g{place}" for place in range(2000)]).assign(y=["yes", "no"] * 20)
    frame.to_csv(tmp_path / "wide.csv", index=False)
    start = time.process_time()
    data = table(0, path=tmp_path / "wide.csv", target="y")
    assert time.process_time() - start < 10
    assert data.train.inputs[0].shape == (24, 2000)
    np.testing.assert_array_equal(data.test.raw[frame.columns[:-1]], values[data.test.rows])
