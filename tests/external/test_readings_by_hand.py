"""How rows, truths, groups and answers of external models are read where they lack something or read twofold, by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.schema import Target
from glassbench.errors import DataError
from glassbench.external.classes import classes_of, named_classes
from glassbench.external.columns import clusters_of, groups_of, truth_of, weight_notes
from glassbench.external.given_rows import given_rows
from glassbench.external.joining import RowOrder
from glassbench.external.output_format import OutputFormat, labels_in, output_format_of
from glassbench.external.ready_rows import _background, _in_columns_of
from glassbench.external.rows import Arrays, Frames
from glassbench.external.wrapping import _kind, wrap_model

PLAIN: Any = type("Plain", (), {"predicts": None, "network": None})()


def by_label(*labels: Any) -> RowOrder:
    return RowOrder.of(pd.DataFrame({"x": range(len(labels))}, index=list(labels)))


def test_an_answer_is_joined_by_labels_unless_its_model_numbered_it_anew() -> None:
    order = by_label("b", "a", "c")
    assert order.answers(pd.Series([1, 2, 3], index=list("abc"))).tolist() == [2, 1, 3]
    assert order.answers(pd.Series([1, 2, 3])).tolist() == [1, 2, 3]
    assert by_label(0, 1, 2).answers(pd.Series([1, 2, 3])).tolist() == [1, 2, 3]
    assert by_label(7, 8, 9).answers(pd.Series([1, 2, 3])).tolist() == [1, 2, 3]
    with pytest.raises(DataError, match="numbered from 0"):
        by_label(2, 0, 1).answers(pd.Series([1, 2, 3]))


def test_labels_that_are_too_many_too_few_or_repeated_are_not_joined() -> None:
    order = by_label("a", "b")
    assert order.join("y", {"k": pd.Series([1, 2], index=["b", "a"])})["k"].tolist() == [2, 1]
    for given, words in (
        (pd.Series([1, 2, 3], index=list("abc")), "1 of its labels are not in X"),
        (pd.Series([1, 2], index=list("ac")), "1 labels of X are not in it"),
        (pd.Series([1, 2, 3], index=list("abb")), "stands for several rows"),
    ):
        with pytest.raises(DataError, match=words):
            order.join("y", given)
    with pytest.raises(DataError, match="index of X stands for several rows"):
        by_label("a", "b", "b").join("y", pd.Series([1, 2, 3], index=list("bab")))
    same = pd.Series([1, 2, 3], index=list("abb"))
    assert by_label("a", "b", "b").join("y", same).tolist() == [1, 2, 3]


def test_one_score_speaks_of_the_class_that_stands_last() -> None:
    scores = np.array([0.2, 0.7, 0.4])
    for truth, positive, expected in (
        (["no", "yes", "no"], None, ("no", "yes")),
        (["yes", "no", "no"], "no", ("yes", "no")),
        ([1, 0, 1], None, ("0", "1")),
        ([1.0, 0.0, None], 0, ("1", "0")),
    ):
        assert classes_of([], pd.Series(truth, dtype=object), scores, positive) == expected
    with pytest.raises(DataError, match="which of the two classes"):
        classes_of([], pd.Series(["ham", "spam", "ham"]), scores, None)


def test_columns_of_scores_are_classes_by_number_where_the_truth_holds_such_numbers() -> None:
    scores = np.full((3, 3), 1 / 3)
    assert classes_of([], pd.Series([0, 2, 0]), scores, None) == ("0", "1", "2")
    with pytest.raises(DataError, match="which class does each of the 3 scores"):
        classes_of([], pd.Series([1, 2, 3]), scores, None)
    with pytest.raises(DataError, match="labels the model does not know"):
        classes_of(["a", "b"], pd.Series(["a", "c", None]), scores, None)
    assert named_classes([], ["b", "a"]) == ["b", "a"]
    assert named_classes(["x", "y"], ["b", "a"]) == ["x", "y"]


def test_truths_that_are_not_known_are_marked_and_strange_ones_refused() -> None:
    classes, value = Target(name="y", kind="class", classes=("no", "yes")), Target(name="y", kind="value")
    assert truth_of(pd.Series(["yes", None, "no"]), classes).tolist() == [1, -1, 0]  # type: ignore[union-attr]
    numbers = truth_of(pd.Series(["1.5", None, 2]), value)
    assert np.array_equal(np.asarray(numbers), [1.5, np.nan, 2], equal_nan=True)
    assert truth_of(pd.Series([None, None]), classes) is None
    for strange in ("x", float("inf")):
        with pytest.raises(DataError, match="no number"):
            truth_of(pd.Series([1.0, strange, None], dtype=object), value)


def test_rows_without_a_cluster_are_their_own_and_without_a_group_are_missing() -> None:
    clusters = clusters_of(["p", None, 2.0, 2, np.nan])
    assert clusters is not None
    assert [clusters[k] for k in (0, 2, 3)] == ["p", "2", "2"]
    assert len(set(clusters)) == 4
    groups = groups_of({"g": ["a", None, 1.0]})
    assert groups is not None
    assert groups["g"].tolist() == ["a", "missing", "1"]


def test_weights_are_worth_fewer_rows_and_those_of_nothing_are_left_out() -> None:
    """Weights 3, 1, 1 and 0: 25 / 11 = 2.3 of three."""
    said, left = weight_notes(np.array([3.0, 1.0, 1.0, 0.0]))
    assert "the 3 rows to be judged say as much as 2 of equal weight" in said
    assert left == "1 rows with a weight of 0 were left out."


def test_given_rows_have_groups_and_clusters_in_their_own_order() -> None:
    X = pd.DataFrame({"text": ["one", "two", "three"]}, index=list("abc"))
    sex, who = (pd.Series(values, index=list("cab")) for values in (["m", "f", "x"], ["p", "q", "p"]))
    found = given_rows(X, sensitive={"sex": sex}, cluster=who, background=None, held_out=None)
    assert found.groups is not None
    assert found.clusters is not None
    assert found.groups["sex"].tolist() == ["f", "x", "m"]
    assert found.clusters.tolist() == ["q", "p", "p"]


def test_rows_come_back_in_their_own_types_whatever_is_tried_in_between() -> None:
    frame = pd.DataFrame({"age": [20, 30], "yes": [True, False], "city": ["x", None], "share": [0.25, 0.5]})
    form = Frames(frame)
    encoded = form.encode(frame)
    assert encoded.tolist() == [[20, 1, 0, 1, 0.25], [30, 0, 1, 0, 0.5]]
    pd.testing.assert_frame_equal(form.decode(encoded), frame)
    tried = form.decode(torch.tensor([[20.6, 0.3, 0.7, 0.2, 0.1]], dtype=torch.float64))
    assert tried.iloc[0].tolist() == [21, False, "x", 0.1]
    whole, truth = Arrays(np.array([[1, 2]])), Arrays(np.array([[True, False]]))
    assert whole.decode(torch.tensor([[1.6, -0.6]])).tolist() == [[2, -1]]
    assert truth.decode(torch.tensor([[0.6, 0.4]])).tolist() == [[True, False]]


def test_a_column_of_many_texts_is_read_by_their_numbers() -> None:
    names = [f"n{place}" for place in range(250)]
    form = Frames(pd.DataFrame({"who": names}))
    encoded = form.encode(pd.DataFrame({"who": ["n3", "n249", "stranger", None]}))
    assert np.array_equal(encoded.numpy()[:, 0], [3, 249, np.nan, np.nan], equal_nan=True)
    decoded = form.decode(torch.tensor([[2.7], [400.0], [-3.0], [float("nan")]]))["who"]
    assert decoded[:3].tolist() == ["n3", "n249", "n0"]
    assert decoded.isna().tolist() == [False, False, False, True]


def test_one_score_is_that_of_the_second_class_and_the_first_has_the_rest() -> None:
    shares = OutputFormat(form="probabilities", classes=("a", "b")).read(np.array([0.2, 0.7]))
    assert shares.exp().numpy() == pytest.approx(np.array([[0.8, 0.2], [0.3, 0.7]]))
    column = OutputFormat(form="logits", classes=("a", "b")).read(np.array([[2.0], [-1.0]]))
    assert column.tolist() == [[0, 2], [0, -1]]
    values = OutputFormat(form="values")
    assert values.read(np.array([[1.0], [2.0]])).tolist() == [1, 2]
    assert values.read(np.array([[1.0, 5.0], [2.0, 6.0]])).tolist() == [[1, 5], [2, 6]]


def test_scores_of_which_some_rows_do_not_add_up_are_no_probabilities() -> None:
    scores = np.array([[0.5, 0.5], [0.5, 0.2]])
    with pytest.raises(DataError, match="do not add up to 1"):
        output_format_of(scores, "auto", ("a", "b"), network=False)
    assert output_format_of(scores, "auto", ("a", "b"), network=True).form == "logits"
    assert output_format_of(scores[:1], "auto", ("a", "b"), network=True).form == "probabilities"
    assert labels_in(np.array([1.0, 0.0, np.nan]), ["0", "1"]) is None
    assert labels_in(np.array([1.0, 0.0, 1.0]), ["0", "1"]) == ["1", "0"]


def test_twenty_whole_numbers_are_classes_and_twenty_one_are_values() -> None:
    whole = pd.Series([*range(20), None])
    assert _kind(PLAIN, whole, "auto") == "class"
    assert _kind(PLAIN, pd.Series(range(21)), "auto") == "value"
    assert _kind(PLAIN, pd.Series([0.0, 1.0, 0.5]), "auto") == "value"


def test_the_background_has_the_columns_of_the_rows_and_ids_of_its_own() -> None:
    X = pd.DataFrame({"a": [1.0], "b": [2.0]})
    background = _in_columns_of(X, pd.DataFrame({"c": [0.0, 0.0], "b": [5.0, 6.0], "a": [3.0, 4.0]}))
    assert list(background.columns) == ["a", "b"]
    adapter: Any = PLAIN
    split = _background(adapter, background, Frames(X))
    assert isinstance(split.inputs, tuple)
    assert split.inputs[0].tolist() == [[3, 5], [4, 6]]
    assert split.rows.tolist() == [-1, -2]


class Cautious:
    """Scores of "yes", and decisions of its own: yes from 0.8 on."""

    classes_ = np.array(["no", "yes"])

    def fit(self, X: Any, y: Any) -> "Cautious":
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        share = X["x"].to_numpy()
        return np.stack([1 - share, share], axis=1)

    def predict(self, X: pd.DataFrame) -> pd.Series:
        return pd.Series(np.where(X["x"] >= 0.8, "yes", "no"), index=X.index).sort_index()


def test_a_models_own_decisions_are_taken_in_the_order_of_the_rows() -> None:
    X = pd.DataFrame({"x": [0.9, 0.6, 0.1]}, index=["c", "a", "b"])
    found = wrap_model(Cautious(), X, ["yes", "no", "no"])
    assert found._decided is not None
    assert found._decided.tolist() == ["yes", "no", "no"]


def test_a_network_is_asked_with_the_weights_it_was_given_with() -> None:
    network = torch.nn.Linear(2, 2)
    before = network.weight.detach().clone()
    external = wrap_model(network, torch.rand(8, 2), [0, 1] * 4)
    with torch.no_grad():
        network.weight.add_(5)
    asked = external.model()
    assert asked is not None
    assert torch.equal(network.weight, before)
