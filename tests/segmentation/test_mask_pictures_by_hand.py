"""What masks say of single pictures, of pictures of unequal classes and sizes, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from glassbench import Masks, Schema, Target, mask_columns
from glassbench.contracts.predictions.mask_counts import boundary_error
from glassbench.contracts.predictions.masks import picture_dice

CLASSES = ("background", "cell", "nucleus")
SCHEMA = Schema(modality="image", shape=(1, 2, 3), target=Target(name="tissue", kind="mask", classes=CLASSES))
TRUTH = np.array([[[0, 0, 0], [0, 1, 1]], [[0, 0, 0], [0, 0, 0]], [[1, 1, 1], [1, 2, -1]]])
SAID = np.array([[[0, 0, 1], [0, 1, 1]], [[0, 0, 0], [0, 0, 2]], [[1, 1, 2], [1, 2, 2]]])
FRAME = pd.DataFrame({"row": range(3), **mask_columns(SAID, TRUTH, CLASSES)})
KIND = Masks(left_out="background")


def guessed(frame: pd.DataFrame, learnt: np.ndarray | None = None, kind: Masks = KIND) -> tuple[list[str], str]:
    guess = kind.baseline(frame, SCHEMA, learnt)
    assert guess is not None
    return guess.frame["y_pred"].tolist(), guess.words


def test_errors_are_of_the_classes_that_are_no_background_and_that_a_picture_has() -> None:
    """Cells of the first: 2 * 2 / (2 + 3). The second has none, and one pixel is said to be of a nucleus. The third: 3 of 4
    cells are found, and its one known nucleus beside one too many."""
    errors, of_all = KIND.row_errors(FRAME, SCHEMA), Masks().row_errors(FRAME, SCHEMA)
    assert errors is not None
    assert of_all is not None
    assert errors.size == pytest.approx([1 - 4 / 5, 1, 1 - (6 / 7 + 2 / 3) / 2])
    assert of_all.size == pytest.approx([1 - (6 / 7 + 4 / 5) / 2, 1 - (10 / 11 + 0) / 2, 1 - (6 / 7 + 2 / 3) / 2])
    assert picture_dice(FRAME, ["nucleus"]) == pytest.approx([1, 0, 2 / 3])


def test_the_guess_is_the_class_that_is_commonest_in_all_pictures_and_unknown_pixels_count_nowhere() -> None:
    """Background: 4 + 6 + 0 of 17 known pixels, cells 2 + 0 + 4, a nucleus 1."""
    losses = KIND.losses(FRAME, SCHEMA)
    assert losses is not None
    assert losses.predicted == pytest.approx([1 / 6, 1 / 6, 1 / 5])
    assert losses.guessed == pytest.approx([2 / 6, 0, 1])
    assert losses.skill == pytest.approx(1 - (1 / 3 + 1 / 5) / (1 / 3 + 1))


def test_agreement_is_the_share_of_pixels_that_are_as_the_truths_of_an_order_say() -> None:
    agreement = KIND.agreement(FRAME, SCHEMA)
    assert agreement is not None
    assert agreement(np.arange(3)) == pytest.approx((5 + 5 + 4) / 18)
    assert agreement(np.array([1, 0, 2])) == pytest.approx((3 + 4 + 4) / 18)
    unequal = pd.concat([FRAME, pd.DataFrame({"row": [3], **mask_columns(SAID[:1, :1], TRUTH[:1, :1], CLASSES)})])
    assert KIND.agreement(unequal, SCHEMA) is None


def test_a_mask_moves_by_the_share_of_its_pixels() -> None:
    moved = KIND.changes(FRAME, FRAME.assign(y_pred=FRAME["y_pred"].to_numpy()[[0, 0, 2]]), SCHEMA)
    assert moved is not None
    assert moved.size == pytest.approx([0, 3 / 6, 0])


def test_each_place_is_guessed_to_be_what_it_is_in_most_pictures() -> None:
    learnt = np.array([[[1, 0, 0], [2, 0, 1]], [[1, 0, 2], [2, 1, 1]], [[0, 0, 2], [2, 0, -1]]])
    masks, words = guessed(FRAME, learnt)
    assert set(masks) == {"2x3 1:1 0:1 2:2 0:1 1:1"}
    assert words == "giving each place its commonest class"


def test_pictures_of_another_size_than_the_learnt_ones_are_guessed_to_be_of_the_class_of_most_pixels() -> None:
    """Background stands three times in one place, nuclei four times in two places."""
    masks, words = guessed(FRAME, np.array([[[0, 2, 2]], [[0, 2, 1]], [[0, 1, 2]]]))
    assert (set(masks), words) == ({"2x3 2:6"}, "calling every pixel “nucleus”")


def test_areas_are_explained_in_the_order_of_how_many_pictures_have_them() -> None:
    """One picture is all of nuclei, which are more pixels than cells are; cells are said to be in two pictures."""
    said = np.array([[[2, 2, 2], [2, 2, 2]], [[1, 0, 0], [0, 0, 0]], [[1, 0, 0], [0, 0, 0]]])
    frame = pd.DataFrame({"row": range(3), **mask_columns(said, TRUTH, CLASSES)})
    found = KIND.explained_outputs(frame, SCHEMA)
    assert [(one.name, one.index, one.rows) for one in found] == [("cell", (1,), 2), ("nucleus", (2,), 1)]


def test_what_is_drawn_leaves_out_the_class_left_out() -> None:
    drawn = KIND.region_output(FRAME, np.array([2, 0]), SCHEMA)
    assert drawn.actual is not None
    assert drawn.predicted[1].tolist() == [[-1, -1, 1], [-1, 1, 1]]
    assert drawn.actual[0].tolist() == [[1, 1, 1], [1, 2, -1]]
    assert Masks().region_output(FRAME, np.array([0]), SCHEMA).predicted[0].tolist() == SAID[0].tolist()


def test_the_worst_the_best_and_the_least_certain_picture_are_shown() -> None:
    found = KIND.notable_rows(FRAME.assign(certainty=[0.9, 0.7, 0.8]), SCHEMA)
    assert [one.rows.tolist() for one in found] == [[1, 2, 0], [0, 2, 1], [1, 2, 0]]


def test_each_pixel_of_either_boundary_counts_its_distance_to_the_other() -> None:
    """The truth has an edge of 20 pixels, the prediction in 5 of its rows alone: 5 + 20 distances, not a mean of two means."""
    truth, said = np.zeros((20, 20), dtype=int), np.zeros((20, 20), dtype=int)
    truth[:, 10:] = 1
    said[:5, 10:] = 1
    edge = [(row, 9) for row in range(20)]
    other = [(row, 9) for row in range(5)] + [(4, column) for column in range(10, 20)]
    away = [min(np.hypot(a - c, b - d) for c, d in other) for a, b in edge]
    away += [min(np.hypot(a - c, b - d) for c, d in edge) for a, b in other]
    assert boundary_error(said, truth) == pytest.approx(np.mean(away))
    assert boundary_error(truth, said) == pytest.approx(np.mean(away))


def test_boundaries_lie_between_rows_as_between_columns_and_not_at_unknown_pixels() -> None:
    truth, said = np.zeros((9, 9), dtype=int), np.zeros((9, 9), dtype=int)
    truth[5:], said[3:] = 1, 1
    assert boundary_error(said, truth) == 2.0
    truth[:, 7:] = -1
    assert boundary_error(said, truth) == 2.0
    assert np.isnan(boundary_error(said, np.where(np.arange(81).reshape(9, 9) < 40, 0, -1)))
