"""Rows of a frame through tensors and back."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.errors import DataError
from glassbench.external.classes import named_classes
from glassbench.external.rows import Frames


def test_an_absent_value_in_a_column_of_whole_numbers_comes_back_absent():
    frame = pd.DataFrame({"visits": [1, 2, 3], "age": [20.5, 30.0, 41.0]})
    form = Frames(frame)
    found = form.decode(torch.tensor([[1.0, 20.5], [np.nan, 30.0], [2.6, 41.0]], dtype=torch.float64))
    assert found["visits"].tolist()[::2] == [1, 3]
    assert np.isnan(found["visits"][1])
    assert form.decode(form.encode(frame)).dtypes.tolist() == frame.dtypes.tolist()


@pytest.mark.parametrize(
    ("given", "own", "told"),
    [
        ((), ("a", "b"), ("a", "b")),
        (("a", "b"), (), ("a", "b")),
        (("no", "yes"), (0, 1), ("no", "yes")),
        ((0.0, 1.0), (0, 1), (0.0, 1.0)),
        (("b", "a"), ("a", "b"), "another order"),
        (("a", "b"), ("b", "a"), "another order"),
        ((1, 0), (0.0, 1.0), "another order"),
        (("a", "b", "c"), ("a", "b"), "3 classes are named"),
    ],
)
def test_classes_are_those_that_are_named_unless_they_contradict_the_models(given, own, told):
    if not isinstance(told, str):
        assert tuple(named_classes(given, own)) == told
        return
    with pytest.raises(DataError, match=told):
        named_classes(given, own)
