"""A cell that a spreadsheet would run is written as text."""

import io

import pandas as pd
import pytest

from glassbench.storage.csv_text import csv_text


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x","y")'])
def test_formulas_are_neutralised_in_cells_and_headers(cell):
    text = csv_text(pd.DataFrame({"group": [cell], cell: ["x"]}))
    read = pd.read_csv(io.StringIO(text), dtype=str)
    assert read["group"][0] == f"'{cell}"
    assert read.columns[1] == f"'{cell}"


def test_numbers_and_plain_texts_stay():
    frame = pd.DataFrame({"score": [-0.5, 1e-9], "row": [-1, 2], "group": ["-2.5", "a=b"]})
    assert csv_text(frame) == frame.to_csv(index=False)
