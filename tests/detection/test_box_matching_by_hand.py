"""Which boxes match and what is said of pictures with many, few and no boxes, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from glassbench import Schema, Target
from glassbench.contracts.predictions.box_lists import decoded_boxes, encoded_boxes
from glassbench.contracts.predictions.box_matching import matched, overlaps, right_and_wrong
from glassbench.contracts.predictions.boxes import Boxes

CLASSES = ("red", "white")
SCHEMA = Schema(modality="image", shape=(3, 8, 20), target=Target(name="cell", kind="boxes", classes=CLASSES))
HERE, BESIDE, FAR = [0, 0, 10, 10], [0, 0, 10, 5], [50, 50, 60, 60]


def boxes(*corners: list[int], scores: list[float] | None = None, names: list[str] | None = None) -> str:
    held = np.array(corners, dtype=float).reshape(-1, 4)
    return encoded_boxes(names or ["red"] * len(corners), held, None if scores is None else np.array(scores))


FRAME = pd.DataFrame(
    {
        "row": range(4),
        "y_pred": [
            boxes(HERE, FAR, BESIDE, scores=[0.9, 0.4, 0.39]),
            boxes(scores=[]),
            boxes(HERE, scores=[0.8]),
            boxes(HERE, FAR, scores=[0.7, 0.6], names=["white", "red"]),
        ],
        "y_true": [boxes(HERE), boxes(HERE, FAR), boxes(), boxes(HERE, FAR, [20, 20, 30, 30])],
    }
)


def test_a_box_at_the_threshold_is_predicted_and_one_below_is_not() -> None:
    """Of 2 boxes above 0.4 one is right; two are missed; one is too many; of three one is found beside one too many."""
    errors = Boxes(threshold=0.4).row_errors(FRAME, SCHEMA)
    assert errors is not None
    assert errors.size == pytest.approx([1 / 3, 1, 1, 3 / 5])
    stricter = Boxes(threshold=0.41).row_errors(FRAME, SCHEMA)
    assert stricter is not None
    assert stricter.size == pytest.approx([0, 1, 1, 3 / 5])


def test_pictures_agree_with_the_truths_in_the_order_given() -> None:
    agreement = Boxes(threshold=0.4).agreement(FRAME, SCHEMA)
    assert agreement is not None
    assert agreement(np.arange(4)) == pytest.approx(2 / 3 + 2 / 5)
    assert agreement(np.array([1, 2, 0, 3])) == pytest.approx(1 + 1 + 1 + 2 / 5)


def test_boxes_change_by_those_that_match_no_box_of_before() -> None:
    after = FRAME.assign(y_pred=FRAME["y_pred"].to_numpy()[[2, 1, 1, 3]])
    moved = Boxes(threshold=0.4).changes(FRAME, after, SCHEMA)
    assert moved is not None
    assert moved.size == pytest.approx([1 / 3, 0, 1, 0])


def test_the_pictures_with_most_wrong_fewest_wrong_and_most_boxes_are_shown() -> None:
    found = Boxes(threshold=0.4).notable_rows(FRAME, SCHEMA)
    assert [one.rows.tolist() for one in found] == [[1, 2, 3, 0], [0, 3, 1, 2], [0, 3, 2, 1]]


def test_boxes_are_drawn_at_their_edges_within_a_picture_that_is_wider_than_high() -> None:
    truth = boxes([2, 1, 30, 5], names=["white"])
    drawn = Boxes().region_output(pd.DataFrame({"y_pred": [boxes(scores=[])], "y_true": [truth]}), np.array([0]), SCHEMA)
    assert drawn is not None
    assert drawn.actual is not None
    picture = drawn.actual[0]
    assert picture.shape == (8, 20)
    expected = np.full((8, 20), -1)
    expected[1:5, 2:20] = 1
    expected[2:4, 3:19] = -1
    assert picture.tolist() == expected.tolist()
    assert (drawn.predicted[0] == -1).all()


def test_boxes_that_are_apart_on_both_axes_share_nothing() -> None:
    found = overlaps(np.array([HERE, FAR], dtype=float), np.array([BESIDE, [10, 10, 20, 20], HERE], dtype=float))
    assert found == pytest.approx(np.array([[1 / 2, 0, 1], [0, 0, 0]]))


def test_an_overlap_of_exactly_the_threshold_is_a_match() -> None:
    assert right_and_wrong(decoded_boxes(boxes(BESIDE, scores=[1.0])), decoded_boxes(boxes(HERE)), 0.5) == (1, 0, 0)
    assert matched(boxes(BESIDE, scores=[1.0]), boxes(HERE), "red", (0.5, 0.51)).right.tolist() == [[True], [False]]


def test_a_true_box_is_matched_once_by_the_prediction_with_the_highest_score_and_by_its_own_class() -> None:
    """The surer of two takes the box that it overlaps more, and leaves nothing to the other; a white box is no red one."""
    twice = decoded_boxes(boxes(BESIDE, HERE, scores=[0.5, 0.9]))
    assert right_and_wrong(twice, decoded_boxes(boxes(HERE)), 0.5) == (1, 1, 0)
    assert matched(boxes(BESIDE, HERE, scores=[0.5, 0.9]), boxes(HERE), "red", (0.5,)).right.tolist() == [[True, False]]
    other = decoded_boxes(boxes(HERE, names=["white"], scores=[0.9]))
    assert right_and_wrong(other, decoded_boxes(boxes(HERE)), 0.5) == (0, 1, 1)


def test_the_surest_box_chooses_first() -> None:
    """The less sure one could match the left box alone; the surer one overlaps both, the left one more."""
    left, right = [0, 0, 10, 10], [8, 0, 18, 10]
    wide, narrow = [3, 0, 13, 10], [0, 0, 7, 10]
    said, truth = (wide, narrow), decoded_boxes(boxes(left, right))
    assert right_and_wrong(decoded_boxes(boxes(*said, scores=[0.9, 0.8])), truth, 0.3) == (1, 1, 1)
    assert right_and_wrong(decoded_boxes(boxes(*said, scores=[0.8, 0.9])), truth, 0.3) == (2, 0, 0)


def test_boxes_at_the_ends_of_a_range_of_areas_lie_in_it() -> None:
    """100 square pixels, asked for from 100 to 200 and from 50 to 100: the true box counts. From 101 on it is ignored with what
    matches it, as is a small box that matches nothing; one that matches is right whatever its own area."""
    said = boxes(BESIDE, [0, 0, 3, 3], scores=[0.9, 0.8])
    for between in ((100.0, 200.0), (60.0, 100.0)):
        found = matched(said, boxes(HERE), "red", (0.5,), between)
        assert (found.right.tolist(), found.ignored.tolist(), found.truths) == ([[True, False]], [[False, True]], 1)
    beyond = matched(said, boxes(HERE), "red", (0.5,), (101.0, 200.0))
    assert (beyond.right.tolist(), beyond.ignored.tolist(), beyond.truths) == ([[False, False]], [[True, True]], 0)


def test_of_more_than_a_hundred_boxes_those_with_the_highest_scores_count() -> None:
    corners = [[20 * place, 0, 20 * place + 10, 10] for place in range(103)]
    scores = [round(0.1 + place / 1000, 3) for place in range(103)]
    found = matched(boxes(*corners, scores=scores), boxes(corners[0], corners[102]), "red", (0.5,))
    assert found.scores.tolist() == scores[::-1][:100]
    assert (found.right.sum(), found.truths) == (1, 2)
