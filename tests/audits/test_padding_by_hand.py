"""Which steps of rows are padding: tokens, and numbers that end alike, worked out by hand."""

import pytest
import torch

from glassbench_audits.learning.padding import real_steps


def lengths(rows: list[list[float]]) -> list[int] | None:
    """How many steps of each row come before padding; None where nothing is padding."""
    found = real_steps([torch.tensor(rows)], None)
    return found[0].sum(dim=1).tolist() if found else None


def test_tokens_are_padding_where_they_are_the_padding_token() -> None:
    tokens = torch.tensor([[3, 0, 4], [5, 0, 0]])
    (found,) = real_steps([tokens], 0)
    assert found.tolist() == [[True, False, True], [True, False, False]]
    assert real_steps([tokens], None) == []


@pytest.mark.parametrize("filler", [0.0, 5.0, 9.0])
def test_what_fills_rows_up_is_the_commonest_end_whatever_its_size(filler: float) -> None:
    """Three rows end in the filler twice or more, two in twice 5 or 6 of their own."""
    own = 6.0 if filler == 5.0 else 5.0
    rows = [[1, 2, filler, filler], [1, filler, filler, filler], [2, 3, filler, filler], [3, 2, own, own], [4, 1, own, own]]
    assert lengths(rows) == [2, 1, 2, 4, 4]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[1.0, 0, 0], [2.0, 0, 0]], [1, 1]),
        ([[1.0, 0, 0], [2.0, 3, 0]], None),  # one row alone ends in two of them
        ([[1.0, 0, 0], [2.0, 7, 7]], None),  # no two rows end alike
        ([[1.0, 2, 0], [2.0, 3, 0]], None),  # one step alone is no run
        ([[0.0, 0, 0], [1.0, 0, 0], [1.0, 2, 0]], [0, 1, 3]),  # a row that is all filler has no step; one zero at the end is real
        ([[1.0], [1.0]], None),
    ],
)
def test_two_rows_that_end_in_two_equal_steps_are_the_fewest(rows: list[list[float]], expected: list[int] | None) -> None:
    assert lengths(rows) == expected


def test_steps_of_several_numbers_are_padding_where_all_of_them_are_alike() -> None:
    """Steps stand in the second axis or in the third: each is read both ways."""
    rows = torch.tensor([[[1.0, 2], [0, 0], [0, 0]], [[3, 4], [0, 0], [0, 0]], [[3, 4], [0, 1], [0, 1]]])
    (along,) = real_steps([rows], None)
    assert along.sum(dim=1).tolist() == [1, 1, 3]
    (across,) = real_steps([rows.transpose(1, 2)], None)
    assert across.sum(dim=1).tolist() == [1, 1, 3]
