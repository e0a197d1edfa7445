"""Labels of rows and what is measured of inputs at their edges: names of just enough rows, unknown labels, still columns."""

import numpy as np
import pandas as pd
import pytest

from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.label_columns import LabelColumns, RowLabels, read_labels
from glassbench.toolkit.table.measured import Measuring, measure
from glassbench.toolkit.table.table import table_data

NAN = float("nan")


def test_a_name_is_a_label_where_ten_rows_have_it_however_often_a_cell_repeats_it():
    cells = ["a; b"] * 10 + ["a;c;c"] * 9 + ["", "?", "a"]
    frame = pd.DataFrame({"tags": cells})
    labels = read_labels(LabelColumns(columns=("tags",), separator=";"), frame, Cells())
    assert labels.columns.labels == ("a", "b")
    expected = [[1, 1]] * 10 + [[1, 0]] * 9 + [[0, 0], [NAN, NAN], [1, 0]]
    np.testing.assert_array_equal(labels.given, np.array(expected))
    assert [(one.action, one.count) for one in labels.treatments] == [("left out", 1), ("converted", 1)]


def strata(*counted: tuple[tuple[float, ...], int], given: bool = False) -> list[str | None]:
    rows = np.array([labels for labels, times in counted for _ in range(times)])
    columns = LabelColumns(columns=tuple(f"label {k}" for k in range(rows.shape[1])))
    found = RowLabels(columns=columns, given=rows).strata(given=given)
    return [None if pd.isna(one) else one for one in found]


def test_rows_are_stratified_by_the_combination_of_their_labels_and_of_what_is_not_known():
    found = strata(((1, 0), 10), ((0, 0), 12), ((NAN, 0), 11), ((NAN, NAN), 3))
    parts = [found[:10], found[10:22], found[22:33]]
    assert [len(set(part)) for part in parts] == [1, 1, 1]
    assert len({part[0] for part in parts}) == 3
    assert found[33:] == [None] * 3
    assert set(strata(((1, 0), 4), ((NAN, NAN), 1), given=True)) == {"", None}


def test_rare_combinations_are_one_stratum_where_they_are_ten_rows_together_and_else_of_the_commonest():
    found = strata(((1, 0), 10), ((0, 0), 9), ((0, 1), 1), ((1, 1), 20))
    assert len({*found[:10]}) == len({*found[20:]}) == 1
    assert set(found[10:20]) == {"rare"}
    few = strata(((1, 0), 10), ((0, 0), 8), ((0, 1), 1), ((1, 1), 20))
    assert set(few[10:19]) == set(few[19:])
    unknown = strata(((1, 0), 10), ((NAN, NAN), 30), ((1, 1), 9), ((0, 1), 1))
    assert unknown[10:40] == [None] * 30
    assert set(unknown[40:]) == {"rare"}
    commonest = strata(((1, 0), 10), ((NAN, NAN), 30), ((1, 1), 12), ((0, 1), 1))
    assert commonest[-1] == commonest[40]


def frame_of(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


ROWS = frame_of(
    fixed=[4.0] * 6,
    gap=[4.0, np.nan, 4.0, 4.0, 4.0, 4.0],
    none=[np.nan] * 6,
    moves=[1.0, 2.0, np.nan, 9.0, 4.0, 5.0],
    word=["a"] * 6,
    some=["a", None, "a", "a", "a", "a"],
    two=["a", "b", "a", "a", "a", "a"],
)
KINDS = {name: "category" if name in ("word", "some", "two") else "number" for name in ROWS}


@pytest.mark.parametrize("ends", [(6,), (2, 6), (1, 2, 3, 4, 5, 6)])
def test_inputs_read_in_parts_are_measured_as_at_once(ends):
    whole = measure(ROWS, KINDS, Cells())
    parts, start = Measuring(KINDS), 0
    for end in ends:
        parts.add(ROWS.iloc[start:end], Cells())
        start = end
    found = parts.measured(whole.numbers)
    assert found.still == whole.still == {"fixed", "none", "word"}
    assert found.rows == 6
    assert (
        dict(found.lacking)
        == dict(whole.lacking)
        == {"gap": 1, "none": 6, "moves": 1, "some": 1, **dict.fromkeys(("fixed", "word", "two"), 0)}
    )
    assert {name: dict(counts) for name, counts in found.counts.items()} == whole.counts
    for name in ("fixed", "gap", "moves"):
        for of in ("median", "mean", "std", "low", "high", "indicator"):
            assert getattr(found.numbers[name], of) == pytest.approx(getattr(whole.numbers[name], of)), (name, of)
    moves = whole.numbers["moves"]
    filled = np.array([1.0, 2, 4, 9, 4, 5])
    assert (moves.median, moves.mean, moves.std) == pytest.approx((4.0, filled.mean(), filled.std()))
    assert whole.number("moves", "none").mean == 0.0
    assert whole.number("moves", "none").std == 1.0
    assert whole.number("moves", "standard") == moves


def test_the_median_of_a_sample_widens_the_range_of_what_it_fills():
    parts = Measuring({"x": "number"})
    parts.add(frame_of(x=[5.0, np.nan, 7.0]), Cells())
    for median, low, high in ((3.0, 3.0, 7.0), (9.0, 5.0, 9.0), (6.0, 5.0, 7.0)):
        sample = measure(frame_of(x=[median, np.nan]), {"x": "number"}, Cells()).numbers
        found = parts.measured(sample).numbers["x"]
        assert (found.low, found.high) == (low, high)
        assert found.mean == pytest.approx((12 + median) / 3)


def test_declared_columns_stay_though_they_do_not_vary_and_rows_that_weigh_nothing_are_in_no_part():
    n = 60
    frame = frame_of(
        x=np.arange(n) / 7,
        still=[1] * n,
        kept=[2] * n,
        y=["a", "b"] * (n // 2),
        w=[0.0 if k % 6 == 0 else 1.0 + k for k in range(n)],
    )
    frame.loc[[5, 11], "y"] = None
    columns = Columns(target="y", weight="w", types={"kept": "number"})
    division = Division(seed=0, given={"train": np.arange(20, n), "test": np.arange(20)}, validation=0.0)
    data = table_data(frame, columns, division)
    assert [feature.name for feature in data.schema.features] == ["x", "kept"]
    assert data.test.rows.tolist() == [k for k in range(20) if k % 6]
    assert data.train.rows.tolist() == [k for k in range(20, n) if k % 6]
    assert data.test.weights.tolist() == [1.0 + k for k in range(20) if k % 6]
    assert data.test.target.tolist() == [-1 if k in (5, 11) else k % 2 for k in range(20) if k % 6]
    said = {one.sentence: one.count for one in data.treatments if one.action == "rows left out"}
    assert said == {
        "2 rows without a value of 'y' were left out, but for 2 test rows, which are decided and count towards selection "
        "rates alone": 0,
        "10 rows with a weight of 0 in 'w' were left out": 10,
    }
