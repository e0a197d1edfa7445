"""What predictions carry over from the rows they are of: weights, counts, clusters and groups, in any combination."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Split
from glassbench_plugins.supervised.rows import frame_of

BESIDE = {
    "weights": ("weight", np.array([0.5, 2.0, 1.5])),
    "frequency": ("frequency", np.array([3, 1, 2])),
    "clusters": ("cluster", np.array(["a", "b", "a"])),
    "groups": ("group.side", pd.DataFrame({"side": ["left", "right", "left"]})),
}


@pytest.mark.parametrize("chosen", [c for c in product([False, True], repeat=4) if not (c[0] and c[1])])
def test_everything_that_rows_have_beside_their_inputs_is_carried_over(chosen):
    given = {name: values for (name, (_, values)), there in zip(BESIDE.items(), chosen, strict=True) if there}
    split = Split(inputs=(torch.zeros(3, 1),), rows=np.array([7, 8, 9]), **given)
    found = frame_of(split, None, np.array(["x", "y", "x"]), pd.DataFrame({"score.x": [0.9, 0.2, 0.6]}))
    assert (list(found["row"]), list(found["y_pred"]), "y_true" in found) == ([7, 8, 9], ["x", "y", "x"], False)
    expected = {column for name, (column, _) in BESIDE.items() if name in given}
    assert set(found) & {column for column, _ in BESIDE.values()} == expected
    for name, (column, values) in BESIDE.items():
        if name in given:
            assert list(found[column]) == list(values["side"] if name == "groups" else values)
