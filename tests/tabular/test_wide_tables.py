"""Tables of many columns: they read as narrow ones do, and no column costs much."""

import cProfile
import pstats
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench import DataError
from glassbench.toolkit.reading.tables import WIDE, Format, load
from glassbench_plugins.tabular.files import table
from glassbench_plugins.tabular.inspecting import inspect_table

KINDS = 7


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> Path:
    """Return a file of some 1,000 columns of seven kinds, and a target."""
    rng, rows = np.random.default_rng(0), 30
    columns = {}
    for place in range(0, WIDE + KINDS, KINDS):
        numbers = rng.normal(size=rows).round(4)
        columns |= {
            f"number{place}": numbers.astype(str),
            f"whole{place}": rng.integers(0, 5, rows).astype(str),
            f"gaps{place}": np.where(rng.random(rows) < 0.2, "NA", numbers.astype(str)),
            f"commas{place}": [f"{value:.2f}".replace(".", ",") for value in numbers],
            f"words{place}": rng.choice(["red", " green ", "blue", ""], rows),
            f"levels{place}": rng.permutation(np.tile(["1", "2", "3+"], rows // 3)),
            f"same{place}": ["x"] * rows,
        }
    frame = pd.DataFrame({**columns, "granted": rng.choice(["yes", "no"], rows)})
    path = tmp_path_factory.mktemp("wide") / "wide.csv"
    frame.to_csv(path, index=False, sep=";")
    return path


def test_columns_of_a_wide_table_read_as_those_of_a_narrow_one(wide, tmp_path):
    part = tmp_path / "part.csv"
    names = pd.read_csv(wide, sep=";", nrows=0).columns
    kept = [*names[: 3 * KINDS], "granted"]
    pd.read_csv(wide, sep=";", dtype=str, keep_default_na=False)[kept].to_csv(part, index=False, sep=";")
    whole = table(3, path=wide, target="granted", separator=";")
    narrow = table(3, path=part, target="granted", separator=";")
    encoded_columns = sum(code.width for code in narrow.encoder.inputs)
    assert [code.name for code in narrow.encoder.inputs] == [code.name for code in whole.encoder.inputs][
        : len(narrow.encoder.inputs)
    ]
    np.testing.assert_array_equal(narrow.train.inputs[0], whole.train.inputs[0][:, :encoded_columns])
    pd.testing.assert_frame_equal(narrow.test.raw, whole.test.raw[narrow.test.raw.columns])
    looked, small = inspect_table(wide, {}), inspect_table(part, {})
    assert looked.columns[: 3 * KINDS] == small.columns[: 3 * KINDS]


@pytest.mark.parametrize(("ending", "most"), [("csv", 2300), ("parquet", 1250)])
def test_a_column_costs_little(wide, tmp_path, ending, most):
    frame = pd.read_csv(wide, sep=";", dtype=str, keep_default_na=False)
    numbers = frame[[name for name in frame.columns if name.startswith(("number", "whole", "granted"))]]
    path = tmp_path / f"table.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False, sep=";")
    else:
        numbers.astype(dict.fromkeys(numbers.columns[:-1], float)).to_parquet(path)
        frame = numbers
    profile = cProfile.Profile()
    profile.runcall(table, 0, path=path, target="granted")
    calls = pstats.Stats(profile).total_calls / frame.shape[1]
    assert calls < most, f"{calls:.0f} calls a column"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_more_columns_than_are_read_are_refused_at_once(tmp_path, monkeypatch, ending):
    path = tmp_path / f"wide.{ending}"
    frame = pd.DataFrame([["1"] * 10_001], columns=[f"c{place}" for place in range(10_001)])
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    with pytest.raises(DataError) as caught:
        load(path, Format())
    assert caught.value.got == "10,001 columns"
    assert "GLASSBENCH_MAX_COLUMNS=10001" in caught.value.fix
    monkeypatch.setenv("GLASSBENCH_MAX_COLUMNS", "10001")
    assert load(path, Format()).frame.shape == (1, 10_001)
