"""Labels as a kind of prediction, against tables worked out by hand and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, hamming_loss

from glassbench import DataError, Labels, Schema, Target
from glassbench.testing import check_kind

NAMES = ("beach", "sunset", "city")
SCHEMA = Schema(modality="table", shape=(1,), target=Target(name="photo", kind="labels", classes=NAMES, favourable=("beach",)))
TRUTH = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 1], [1, 0, 0]])
GIVEN = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 1], [1, 0, 0]])
SCORES = np.array([[0.9, 0.4, 0.1], [0.2, 0.1, 0.3], [0.6, 0.8, 0.7], [0.8, 0.2, 0.1]])
ROWS = pd.DataFrame(
    {
        "row": range(4),
        "y_true": ["beach, sunset", "none", "sunset, city", "beach"],
        "y_pred": ["beach", "none", "beach, sunset, city", "beach"],
        **{f"y_true.{name}": TRUTH[:, k] for k, name in enumerate(NAMES)},
        **{f"y_pred.{name}": GIVEN[:, k] for k, name in enumerate(NAMES)},
        **{f"score.{name}": SCORES[:, k] for k, name in enumerate(NAMES)},
    }
)


def test_the_kind_keeps_its_promises():
    check_kind(Labels(), ROWS, SCHEMA)
    check_kind(Labels(), ROWS.drop(columns=[c for c in ROWS if c.startswith(("score", "y_true"))]), SCHEMA)


def test_errors_and_losses_are_those_of_scikit_learn():
    kind = Labels()
    assert kind.row_errors(ROWS, SCHEMA).size.mean() == pytest.approx(hamming_loss(TRUTH, GIVEN))
    np.testing.assert_allclose(kind.row_errors(ROWS, SCHEMA).size, [1 / 3, 0, 1 / 3, 0])
    losses = kind.losses(ROWS, SCHEMA)
    each = [brier_score_loss(TRUTH[:, k], SCORES[:, k]) for k in range(3)]
    assert losses.predicted.mean() == pytest.approx(np.mean(each))
    assert losses.guessed.mean() == pytest.approx(np.mean([0.5 * 0.5, 0.5 * 0.5, 0.25 * 0.75]))
    assert kind.agreement(ROWS, SCHEMA)(np.arange(4)) == pytest.approx((TRUTH * SCORES).sum())


def test_each_label_is_a_choice_of_its_own():
    outputs = Labels().class_outputs(ROWS, SCHEMA)
    assert [output.name for output in outputs] == list(NAMES)
    beach, sunset, _ = outputs
    assert beach.classes == ("not beach", "beach")
    assert beach.predicted.tolist() == ["beach", "not beach", "beach", "beach"]
    assert beach.actual.tolist() == ["beach", "not beach", "not beach", "beach"]
    assert beach.scores["beach"].tolist() == SCORES[:, 0].tolist()
    assert (beach.spoken, beach.favourable, sunset.favourable) == ("beach", ("beach",), ())


def test_a_label_that_is_not_known_is_no_error_and_no_truth():
    partly = ROWS.assign(**{"y_true": [None, *ROWS["y_true"][1:]], "y_true.sunset": [np.nan, 0, 1, 0]})
    assert Labels().row_errors(partly, SCHEMA) is None
    sunset = Labels().class_outputs(partly, SCHEMA)[1]
    assert sunset.actual.isna().tolist() == [True, False, False, False]
    assert np.isnan(Labels().encoded_truth(partly, SCHEMA).numpy()[0, 1])


def test_the_baseline_gives_each_label_its_commonest_value():
    learnt = np.array([[1, 0, np.nan], [1, 0, 0], [0, 1, 0]])
    found = Labels().baseline(ROWS, SCHEMA, learnt)
    assert found.words == "always answering “beach”"
    assert found.frame["y_pred.beach"].tolist() == [1] * 4
    assert found.frame[["score.beach", "score.sunset", "score.city"]].iloc[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0])


def test_rows_are_said_in_words_with_the_least_certain_label():
    kind = Labels()
    np.testing.assert_allclose(kind.certainty(ROWS), [0.6, 0.7, 0.6, 0.8])
    assert kind.said_with_certainty(ROWS, 2, SCHEMA) == "beach, sunset, city; the least certain label 60.0 % certain"
    assert [one.rows[0] for one in kind.notable_rows(ROWS, SCHEMA)] == [3, 0, 0]


def test_outputs_are_explained_label_by_label_the_commonest_first():
    found = Labels().explained_outputs(ROWS, SCHEMA)
    assert [(output.name, output.index, output.rows) for output in found] == [
        ("beach", (0,), 3),
        ("sunset", (1,), 1),
        ("city", (2,), 1),
    ]


def test_a_frame_without_the_column_of_a_label_is_refused():
    with pytest.raises(DataError, match=r"lack the column 'y_pred\.city'"):
        Labels().check(ROWS.drop(columns="y_pred.city"), SCHEMA)
    with pytest.raises(DataError, match="other values than 0 and 1"):
        Labels().check(ROWS.assign(**{"y_pred.city": 0.5}), SCHEMA)
