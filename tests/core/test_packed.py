"""Rows of bytes come back from their packs, and from a run's folder, as they were."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench import DataError, Predictions, Split
from glassbench.contracts.packed import Packed, pack
from glassbench.runs.artifacts import load_predictions, save_predictions

ROWS = np.random.default_rng(1).integers(0, 256, (5, 2, 3, 4), dtype=np.uint8)


def packed() -> Packed:
    return Packed.of([pack(row) for row in ROWS], ROWS.shape[1:])


def test_rows_are_what_was_packed():
    batch = Split(inputs=packed(), rows=np.arange(5)).batch(torch.tensor([4, 0, 2]))
    assert np.array_equal(batch.inputs[0].numpy(), ROWS[[4, 0, 2]])
    assert batch.inputs[0].dtype == torch.float32


def test_a_run_keeps_them_packed(tmp_path):
    source = Split(inputs=packed(), rows=np.arange(5))
    frame = pd.DataFrame({"row": np.arange(5), "y_pred": "x"})
    save_predictions(tmp_path, Predictions(frame=frame, source=source), None)
    again = load_predictions(tmp_path, None).source
    assert isinstance(again.inputs, Packed)
    assert np.array_equal(again.batch(slice(None)).inputs[0].numpy(), ROWS)


@pytest.mark.parametrize("row", [ROWS[0][:1], np.concatenate([ROWS[0], ROWS[1]]), None])
def test_a_row_of_another_size_is_damaged(row):
    stream = b"no stream" if row is None else pack(row)
    with pytest.raises(DataError, match="row 0 is damaged"):
        Packed.of([stream], ROWS.shape[1:])[0]
