"""What generated pictures say of held-out ones, of which some are not known to be near anything, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.predictions.generated import Generated
from glassbench.contracts.predictions.picture_text import decoded_pictures, encoded_pictures
from glassbench.contracts.schema import Schema, Target

SCHEMA = Schema(
    modality="image", shape=(2, 1, 1), target=Target(name="digit", kind="class", classes=("0", "1")),
    facts=ImageFacts(mean=(0.2, 0.5), std=(0.5, 0.25)),
)  # fmt: skip
FRAME = pd.DataFrame(
    {
        "row": range(4),
        "y_true": ["0", "1", "1", "0"],
        "y_pred": ["1", "1", "0", "0"],
        "picture": encoded_pictures(np.array([[0.0, 1.0], [0.2, 0.4], [1.0, 0.0], [0.6, 0.6]]).reshape(4, 2, 1, 1)),
        "reach": [1.5, np.nan, 0.2, 0.9],
        "covered": [0.0, np.nan, 1.0, 1.0],
        "recalled": [1.0, np.nan, 0.0, 1.0],
    }
)


def test_a_picture_that_nothing_is_known_to_be_near_is_not_covered() -> None:
    assert Generated().row_errors(FRAME, SCHEMA).size.tolist() == [1, 1, 0, 0]


def test_the_furthest_and_the_nearest_are_among_those_whose_distance_is_known() -> None:
    assert [one.rows.tolist() for one in Generated().notable_rows(FRAME, SCHEMA)] == [[0, 3, 2], [2, 3, 0]]


def test_pictures_are_seen_as_models_see_them() -> None:
    """Each channel less its mean, over its own spread; what is wanted is the held-out picture's class."""
    found = Generated().generated_output(FRAME, SCHEMA)
    assert found.rows.reshape(4, 2) == pytest.approx(np.array([[-0.4, 2.0], [0.0, -0.4], [1.6, -2.0], [0.8, 0.4]]), abs=1e-5)
    assert (found.wanted.tolist(), found.seen.tolist()) == (["0", "1", "1", "0"], ["1", "1", "0", "0"])
    np.testing.assert_array_equal(found.covered, FRAME["covered"])
    np.testing.assert_array_equal(found.recalled, FRAME["recalled"])


def test_light_is_rounded_to_the_nearest_byte_and_cut_off_beyond_white_and_black() -> None:
    light = np.array([0.0, 0.49 / 255, 0.51 / 255, 254.6 / 255, 1.0, 1.7, -0.3]).reshape(1, 1, 1, 7)
    assert decoded_pictures(encoded_pictures(light)).ravel() * 255 == pytest.approx([0, 0, 1, 255, 255, 255, 0])
