"""What a run keeps of its predictions: inputs of their own, and all else of the held-out rows that they speak of."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench import Predictions, Split
from glassbench.runs.artifacts import load_predictions, save_predictions

HELD_OUT = Split(
    inputs=(torch.arange(12.0).reshape(6, 2),),
    rows=np.array([10, 11, 12, 13, 14, 15]),
    target=torch.tensor([0, 1, 0, 1, 1, 0]),
    groups=pd.DataFrame({"sex": list("mfmfmf")}),
    raw=pd.DataFrame({"age": [20, 30, 40, 50, 60, 70]}),
    weights=np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    clusters=np.array(list("aabbcc")),
)


def kept(folder, rows) -> Split:
    """Save predictions of some rows on inputs of their own, and return what is loaded as their source."""
    made = Split(inputs=(-torch.ones(len(rows), 3),), rows=np.array(rows))
    save_predictions(folder, Predictions(frame=pd.DataFrame({"row": rows, "y_pred": "x"}), source=made), HELD_OUT)
    source = load_predictions(folder, HELD_OUT).source
    assert torch.equal(source.inputs[0], made.inputs[0])
    assert source.rows.tolist() == rows
    return source


@pytest.mark.parametrize("rows", [[10, 11, 12, 13, 14, 15], [11, 14], [15, 10, 13]], ids=["all", "some", "in another order"])
def test_rows_keep_their_truth_and_groups(tmp_path, rows):
    source, places = kept(tmp_path, rows), [row - 10 for row in rows]
    assert source.target.tolist() == [[0, 1, 0, 1, 1, 0][place] for place in places]
    assert source.groups["sex"].tolist() == ["mfmfmf"[place] for place in places]
    assert source.raw["age"].tolist() == [20 + 10 * place for place in places]
    assert source.weights.tolist() == [1.0 + place for place in places]
    assert source.clusters.tolist() == ["aabbcc"[place] for place in places]


def test_rows_that_are_none_of_the_held_out_ones_take_nothing_from_them(tmp_path):
    source = kept(tmp_path, [11, 99])
    assert (source.target, source.groups, source.raw, source.weights, source.clusters) == (None,) * 5
