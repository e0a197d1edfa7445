"""Kinds of prediction: what each says of a frame, against tables worked out by hand; what the suite notices."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import mean_absolute_error, zero_one_loss

from glassbench import (
    Actions,
    Answers,
    Classes,
    Clusters,
    DataError,
    Flags,
    Labels,
    NotableRows,
    PredictionKind,
    RowErrors,
    Schema,
    Target,
    Tokens,
    Values,
)
from glassbench.testing import check_kind, toy_subject

LOANS = Schema(modality="table", shape=(1,), target=Target(name="loan", kind="class", classes=("refused", "granted")))
WEIGHT = Schema(modality="table", shape=(1,), target=Target(name="weight", kind="value", unit="kg"))
LOAN_ROWS = pd.DataFrame(
    {
        "row": range(4),
        "y_true": ["granted", "granted", "refused", "refused"],
        "y_pred": ["granted", "refused", "refused", "granted"],
        "score.refused": [0.1, 0.7, 0.8, 0.4],
        "score.granted": [0.9, 0.3, 0.2, 0.6],
    }
)
WEIGHT_ROWS = pd.DataFrame({"row": range(3), "y_true": [60.0, 70.0, 80.0], "y_pred": [62.0, 70.0, 75.0]})


def test_classes_say_which_rows_are_wrong_and_what_guessing_loses():
    kind = Classes()
    errors = kind.row_errors(LOAN_ROWS, LOANS)
    assert errors.size.mean() == zero_one_loss(LOAN_ROWS["y_true"], LOAN_ROWS["y_pred"])
    losses = kind.losses(LOAN_ROWS, LOANS)
    np.testing.assert_allclose(losses.predicted, [0.02, 0.98, 0.08, 0.72])  # twice the squared distance to 0 or 1
    np.testing.assert_allclose(losses.guessed, 0.5)
    (output,) = kind.class_outputs(LOAN_ROWS, LOANS)
    assert (output.spoken, output.favourable) == ("granted", ("granted",))
    assert [notable.rows[0] for notable in kind.notable_rows(LOAN_ROWS, LOANS)] == [0, 3, 1]
    assert kind.said_with_certainty(LOAN_ROWS, 1, LOANS) == "refused, 70.0 % certain"


LABELS = Schema(modality="table", shape=(1,), target=Target(name="photo", kind="labels", classes=("sea", "sky")))
LABEL_ROWS = pd.DataFrame(
    {
        "row": range(4),
        "y_true": ["sea", "sea, sky", "sky", "none"],
        "y_pred": "none",
        "y_true.sea": [1, 1, 0, 0],
        "y_true.sky": [0, 1, 1, 0],
        **{f"y_pred.{name}": 0 for name in ("sea", "sky")},
        **{f"score.{name}": 0.3 for name in ("sea", "sky")},
    }
)


@pytest.mark.parametrize(
    ("kind", "rows", "schema"),
    [(Classes(), LOAN_ROWS, LOANS), (Values(), WEIGHT_ROWS, WEIGHT), (Labels(), LABEL_ROWS, LABELS)],
    ids=["classes", "values", "labels"],
)
def test_a_baseline_counts_rows_as_often_as_they_stand_and_weigh(kind, rows, schema):
    often = np.array([1, 5, 2, 3])[: len(rows)]
    out = rows.loc[rows.index.repeat(often)].reset_index(drop=True)
    written = kind.baseline(out, schema, None).frame.iloc[0]
    chosen = [c for c in rows if c.startswith(("y_pred", "score"))]
    for name in ("frequency", "weight"):
        found = kind.baseline(rows.assign(**{name: often}), schema, None).frame.iloc[0]
        assert [found[c] for c in chosen] == pytest.approx([written[c] for c in chosen])
    plain = kind.baseline(rows, schema, None).frame.iloc[0]
    assert [plain[c] for c in chosen] != [written[c] for c in chosen]


MANY = pd.DataFrame({"row": range(12), "group.sex": ["f", "m", "m"] * 4})
MANY_CLASSES = MANY.assign(
    y_true=["a", "b", "c", "a", "a", "b"] * 2,
    y_pred=["a", "b", "a", "c", "a", "b", "a", "c", "c", "b", "a", "a"],
    **{f"score.{name}": (np.arange(12) * step % 7 + 1) / (3 * 12.0) for name, step in (("a", 1), ("b", 3), ("c", 5))},
)
MANY_VALUES = MANY.assign(y_true=np.arange(12) ** 1.5, y_pred=np.arange(12) * 2.5 + 1)
MANY_LABELS = pd.concat([LABEL_ROWS] * 3, ignore_index=True).assign(
    **MANY, **{"y_pred.sea": [1, 0] * 6, "score.sky": np.arange(12) / 11}
)
THREE = Schema(modality="table", shape=(1,), target=Target(name="kind", kind="class", classes=("a", "b", "c")))
SPOKEN = {
    "classes": (Classes(), MANY_CLASSES, THREE),
    "classes, weights": (Classes(), MANY_CLASSES.assign(weight=np.arange(12) % 4 + 1.0), THREE),
    "values": (Values(), MANY_VALUES, WEIGHT),
    "values, weights": (Values(), MANY_VALUES.assign(weight=np.arange(12) % 4 + 1.0), WEIGHT),
    "labels": (Labels(), MANY_LABELS, LABELS),
    "labels, counts": (Labels(), MANY_LABELS.assign(frequency=np.arange(12) % 4 + 1), LABELS),
}


def test_what_kinds_say_of_rows_is_what_they_said(pinned):
    told = {}
    for name, (kind, rows, schema) in SPOKEN.items():
        errors, losses, sure = kind.row_errors(rows, schema), kind.losses(rows, schema), kind.certainty(rows)
        moved = kind.changes(rows, rows.iloc[::-1].reset_index(drop=True), schema)
        guess = kind.baseline(rows, schema, None)
        chosen = [c for c in rows if c.startswith(("y_pred", "score"))]
        told[name] = {
            "errors": [errors.size.tolist(), errors.binary, errors.words, errors.complement, errors.unit, float(errors.usual)],
            "losses": [losses.predicted.tolist(), losses.guessed.tolist(), losses.skill],
            "moved": [moved.size.tolist(), moved.binary, moved.words, float(moved.usual)],
            "certainty": None if sure is None else sure.tolist(),
            "notable": [[one.title, one.rows.tolist()] for one in kind.notable_rows(rows, schema)],
            "baseline": [guess.words, guess.constant, json.loads(guess.frame[chosen].iloc[:1].to_json(orient="values"))],
            "agreement": kind.agreement(rows, schema)(np.arange(12)[::-1]),
            "decided": kind.decided_words(schema),
            "said": [kind.said_with_certainty(rows, place, schema) for place in (0, 5)],
            "outputs": [[o.name, list(o.classes), o.spoken, o.known] for o in kind.class_outputs(rows, schema)],
            "truth": np.asarray(kind.encoded_truth(rows, schema)).tolist(),
        }
    pinned("kinds", told)


@pytest.mark.parametrize("categories", [False, True])
def test_a_truth_that_is_not_known_is_not_missed(categories):
    frame = LOAN_ROWS.assign(y_true=["granted", None, None, "refused"])
    if categories:
        frame = frame.astype(dict.fromkeys(("y_true", "y_pred"), pd.CategoricalDtype(["refused", "granted"])))
    kind = Classes()
    assert kind.missed(frame).tolist() == [False, False, False, True]
    assert kind.missed(frame.drop(columns="y_true")) is None
    wrong = [one.rows.tolist() for one in kind.notable_rows(frame, LOANS) if one.title == kind.wrong]
    assert wrong == [[3]]
    assert kind.row_errors(frame, LOANS) is None
    (output,) = kind.class_outputs(frame, LOANS)
    assert (output.actual.isna().tolist(), output.known) == ([False, True, True, False], False)


def test_labels_that_are_not_known_of_a_row_are_none_of_its_baseline():
    """Of sea 1 of 2 known by number of rows, 3 of 4 by weight; of sky 1 of 3, 4 of 8."""
    lacking = LABEL_ROWS.assign(**{"y_true.sea": [1, np.nan, 0, np.nan], "y_true.sky": [0, 1, np.nan, 0]})
    shares = Labels().baseline(lacking, LABELS, None).frame[["score.sea", "score.sky"]].iloc[0].tolist()
    assert shares == pytest.approx([1 / 2, 1 / 3])
    counted = lacking.assign(frequency=[3, 4, 1, 1])
    shares = Labels().baseline(counted, LABELS, None).frame[["score.sea", "score.sky"]].iloc[0].tolist()
    assert shares == pytest.approx([3 / 4, 4 / 8])


def test_agreement_is_that_of_the_truths_in_the_order_given():
    agreement = Classes().agreement(LOAN_ROWS, LOANS)
    assert agreement(np.arange(4)) == pytest.approx(0.9 + 0.3 + 0.8 + 0.4)
    assert agreement(np.array([2, 3, 0, 1])) == pytest.approx(0.1 + 0.7 + 0.2 + 0.6)


def test_values_say_how_far_off_rows_are_and_by_how_much_they_moved():
    kind = Values()
    errors = kind.row_errors(WEIGHT_ROWS, WEIGHT)
    assert errors.size.mean() == mean_absolute_error(WEIGHT_ROWS["y_true"], WEIGHT_ROWS["y_pred"])
    moved = kind.changes(WEIGHT_ROWS, WEIGHT_ROWS.assign(y_pred=[62.0, 71.0, 70.0]), WEIGHT)
    np.testing.assert_allclose(moved.size, [0, 1, 5])
    assert kind.said(62.0, WEIGHT) == "62 kg"
    assert kind.baseline(WEIGHT_ROWS, WEIGHT, np.array([50.0, 52.0])).frame["y_pred"].tolist() == [51.0] * 3


def test_clusters_are_neither_right_nor_wrong_and_select_nobody():
    frame = LOAN_ROWS.rename(columns={"score.refused": "score.cluster 0", "score.granted": "score.cluster 1"})
    frame["y_pred"] = ["cluster 0", "cluster 1"] * 2
    (output,) = Clusters().class_outputs(frame, LOANS)
    assert (output.classes, output.actual, output.selects) == (("cluster 0", "cluster 1"), None, False)
    assert Clusters().row_errors(frame, LOANS) is None


def test_rows_that_speak_of_clusters_of_their_own_have_no_common_direction():
    index = torch.tensor([0, 1])
    for kind in (Clusters(), Tokens(), Answers()):
        with pytest.raises(LookupError):
            kind.one_sided(index, LOANS)
    assert Flags().one_sided(index, LOANS) is index
    assert Flags().sides(LOAN_ROWS, LOANS).tolist() == Clusters().sides(LOAN_ROWS, LOANS).tolist() == [1, 1, 1, 1]
    assert Classes().one_sided(index, LOANS).tolist() == [1, 1]
    assert Classes().sides(LOAN_ROWS, LOANS).tolist() == [1, -1, -1, 1]


def test_an_episode_brings_the_sum_of_its_rewards():
    frame = pd.DataFrame({"row": range(3), "y_pred": ["left", "right", "left"], "episode": [0, 0, 1], "reward": [1.0, 2.0, 5.0]})
    schema = Schema(modality="observation", shape=(1,), target=Target(name="action", kind="none", classes=("left", "right")))
    assert Actions().episode_output(frame, schema).returns.tolist() == [3.0, 3.0, 5.0]
    assert Actions().spread(frame, schema) == 1.0  # of the returns 3 and 5
    assert Actions().one_sided(torch.tensor([0, 1, 0]), schema).tolist() == [1, 1, 1]


def test_outcomes_that_are_not_known_are_no_errors():
    partly = LOAN_ROWS.assign(y_true=["granted", None, "refused", "refused"])
    assert Classes().row_errors(partly, LOANS) is None
    assert Values().row_errors(WEIGHT_ROWS.assign(y_true=[60.0, np.nan, 80.0]), WEIGHT) is None


def test_a_kind_that_says_nothing_gets_nothing_said_of_it():
    class Silent(PredictionKind):
        name = "silent"

    kind = Silent()
    assert kind.row_errors(LOAN_ROWS, LOANS) is None
    assert kind.class_outputs(LOAN_ROWS, LOANS) == ()
    assert kind.notable_rows(LOAN_ROWS, LOANS) == ()
    check_kind(kind, LOAN_ROWS, LOANS)


def test_a_frame_without_a_column_that_a_kind_needs_is_refused():
    with pytest.raises(DataError, match="lack the column 'y_pred'"):
        Classes().check(LOAN_ROWS.drop(columns="y_pred"), LOANS)


@pytest.mark.parametrize("kind", [Classes(), Flags(), Tokens(), Answers(), Actions()])
def test_built_in_kinds_keep_their_promises(kind):
    check_kind(kind, LOAN_ROWS, LOANS)


@pytest.mark.parametrize("target", ["class", "value"])
def test_trained_tasks_keep_them_too(target):
    subject = toy_subject(target, steps=5)
    check_kind(subject.kind, subject.predictions.frame, subject.schema)


class Negative(Values):
    def row_errors(self, frame, schema):
        return replace(super().row_errors(frame, schema), size=-super().row_errors(frame, schema).size)


class Spoiling(Values):
    def spread(self, frame, schema):
        frame["y_pred"] = 0.0
        return 1.0


class Elsewhere(Values):
    def notable_rows(self, frame, schema):
        return (NotableRows(title="beyond", rows=np.array([len(frame)])),)


class Moving(Values):
    def changes(self, before, after, schema):
        return RowErrors(size=np.ones(len(before)), binary=False, words="moved", measure="moved")


class Short(Values):
    def certainty(self, frame):
        return np.ones(len(frame) - 1)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Negative(), "errors are at least 0"),
        (Spoiling(), "must leave the predictions as they were"),
        (Elsewhere(), "rows that there are not"),
        (Moving(), "have not moved"),
        (Short(), "one certainty per row"),
    ],
)
def test_a_kind_that_breaks_a_promise_is_noticed(kind, said):
    with pytest.raises(AssertionError, match=said):
        check_kind(kind, WEIGHT_ROWS.copy(), WEIGHT)
