"""Windows are views that say the same as a loop would."""

import numpy as np
import pytest
import torch

from glassbench_plugins.series.windows import Cut, cut_windows

VALUES = torch.arange(60.0).reshape(30, 2)


@pytest.mark.parametrize("stride", [1, 3])
def test_windows_are_what_a_loop_cuts(stride):
    windows = cut_windows(VALUES, Cut(length=5, horizon=3, stride=stride), 8, 25)
    origins = list(range(8, 25 - 3 + 1, stride))
    assert windows.origins.tolist() == origins
    assert torch.equal(windows.inputs, torch.stack([VALUES[o - 5 : o] for o in origins]))
    assert torch.equal(windows.targets, torch.stack([VALUES[o : o + 3] for o in origins]))


def test_windows_share_the_memory_of_the_series():
    windows = cut_windows(VALUES, Cut(length=5, horizon=3), 0, 30)
    assert windows.inputs.untyped_storage().data_ptr() == VALUES.untyped_storage().data_ptr()
    assert windows.targets.untyped_storage().data_ptr() == VALUES.untyped_storage().data_ptr()


def test_the_first_window_sees_nothing_from_before_the_series():
    assert cut_windows(VALUES, Cut(length=5, horizon=3), 0, 30).origins[0] == 5


def test_no_window_spans_an_unknown_step():
    known = np.ones(30, dtype=bool)
    known[15] = False
    windows = cut_windows(VALUES, Cut(length=5, horizon=3), 0, 30, known)
    spans = [set(range(o - 5, o + 3)) for o in range(5, 28)]
    assert windows.origins.tolist() == [o for o, span in zip(range(5, 28), spans, strict=True) if 15 not in span]
    assert windows.left_out == sum(15 in span for span in spans)
    assert len(windows.inputs) == len(windows.targets) == len(windows.origins)


def test_a_stretch_that_is_too_short_has_no_window():
    assert len(cut_windows(VALUES, Cut(length=5, horizon=3), 0, 7).inputs) == 0
