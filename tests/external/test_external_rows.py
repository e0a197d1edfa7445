"""Rows of a frame through tensors and back."""

import numpy as np
import pandas as pd
import torch

from glassbench.external.rows import Frames


def test_an_absent_value_in_a_column_of_whole_numbers_comes_back_absent():
    frame = pd.DataFrame({"visits": [1, 2, 3], "age": [20.5, 30.0, 41.0]})
    form = Frames(frame)
    found = form.decode(torch.tensor([[1.0, 20.5], [np.nan, 30.0], [2.6, 41.0]], dtype=torch.float64))
    assert found["visits"].tolist()[::2] == [1, 3]
    assert np.isnan(found["visits"][1])
    assert form.decode(form.encode(frame)).dtypes.tolist() == frame.dtypes.tolist()
