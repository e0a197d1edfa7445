"""What choices, flags, answers and actions say of rows with ties, unknown truths and classes nobody names, by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench import Actions, Answers, Classes, Flags, Labels, Metric, Schema, Target, Tokens, Values
from glassbench.contracts.predictions.classes import class_losses, shown_classes
from glassbench.contracts.predictions.clusters import Clusters
from glassbench.contracts.predictions.flags import flag_names
from glassbench.contracts.predictions.outputs import ClassOutput, EpisodeOutput, Losses, ValueOutput
from glassbench.contracts.schema import TargetKind


def schema(*classes: str, kind: TargetKind = "class", positive: str | None = None) -> Schema:
    target = Target(name="kind", kind=kind, classes=classes, positive=positive)
    return Schema(modality="table", shape=(1,), target=target)


SCORED = pd.DataFrame(
    {
        "y_pred": ["unusual", "normal", "unusual", "normal", "unusual", "normal"],
        "y_true": ["normal", "unusual", "unusual", "normal", None, "unusual"],
        "score": [7.0, 3.0, 9.0, 1.0, 7.0, 2.0],
    }
)


def test_flags_are_shown_from_the_threshold_outwards_and_what_was_missed_from_the_lowest_score() -> None:
    """Rows 0 and 4 have the same score; row 0 is flagged wrongly, which is no miss, and the truth of row 4 is not known."""
    found = {one.title: one.rows.tolist() for one in Flags().notable_rows(SCORED, schema())}
    assert found == {
        "the most unusual row": [2, 0, 4, 1, 5, 3],
        "flagged, but only just": [0, 4, 2],
        "not flagged, but nearly": [1, 5, 3],
        "missed: actually unusual, with the lowest score": [5, 1],
    }


@pytest.mark.parametrize(
    ("of", "names"),
    [
        (schema(), ("normal", "unusual")),
        (schema("good", "fraud"), ("good", "fraud")),
        (schema("fraud", "good", positive="fraud"), ("good", "fraud")),
    ],
)
def test_flags_are_named_by_the_positive_class_then_by_the_second(of: Schema, names: tuple[str, str]) -> None:
    assert flag_names(of) == names


def test_flags_of_a_positive_class_that_stands_first_are_read_by_its_name() -> None:
    frame = SCORED.replace({"unusual": "fraud", "normal": "good"})
    found = Flags().notable_rows(frame, schema("fraud", "good", positive="fraud"))
    assert [one.rows.tolist() for one in found] == [[2, 0, 4, 1, 5, 3], [0, 4, 2], [1, 5, 3], [5, 1]]


def test_directions_are_said_of_the_positive_class_wherever_it_stands() -> None:
    frame = pd.DataFrame({"y_pred": ["a", "b", "a"]})
    assert np.array_equal(Classes().sides(frame, schema("a", "b")), [-1, 1, -1])
    assert np.array_equal(Classes().sides(frame, schema("a", "b", positive="a")), [1, -1, 1])
    assert Classes().sides(frame, schema("a", "b", "c")) is None


def test_rates_speak_of_the_positive_class_else_of_the_last() -> None:
    said = pd.Series(["a"])
    assert ClassOutput(classes=("a", "b", "c"), predicted=said).spoken == "c"
    assert ClassOutput(classes=("a", "b", "c"), predicted=said, positive="b").spoken == "b"


def test_one_truth_that_is_not_known_makes_the_truths_unknown() -> None:
    said = pd.Series(["a", "a"])
    assert ClassOutput(classes=("a", "b"), predicted=said, actual=pd.Series(["a", "b"])).known
    assert not ClassOutput(classes=("a", "b"), predicted=said, actual=pd.Series(["a", None])).known
    assert ValueOutput(predicted=np.ones(2), actual=np.zeros(2)).known
    assert not ValueOutput(predicted=np.ones(2), actual=np.array([0.0, np.nan])).known


def test_what_predictions_save_is_of_all_rows_together() -> None:
    """The guess loses 4 in all, of which 1 is left, though one row of three saves nothing."""
    assert Losses(predicted=np.array([1.0, 0.0, 0.0]), guessed=np.array([1.0, 2.0, 1.0])).skill == 0.75


def test_an_episode_brings_the_sum_of_its_steps_wherever_these_stand() -> None:
    found = EpisodeOutput(episode=np.array(["b", "a", "b", "a", "b"]), reward=np.array([1.0, 2.0, 3.0, -4.0, 5.0]))
    assert found.returns is not None
    assert found.returns.tolist() == [9, -2, 9, -2, 9]


def test_classes_that_the_target_does_not_name_are_those_of_truths_and_predictions() -> None:
    frame = pd.DataFrame({"y_pred": ["b", "c"], "y_true": ["a", None]})
    assert shown_classes(frame) == ("a", "b", "c")
    assert shown_classes(frame[["y_pred"]]) == ("b", "c")


def test_classes_are_guessed_to_be_as_probable_as_they_are_common() -> None:
    """Shares 1/2, 1/4 and 1/4: of a row of the first class 1/4 + 1/16 + 1/16, of the others 1/4 + 9/16 + 1/16."""
    scores = {"score.a": [0.5, 0.2, 0.0, 1.0], "score.b": [0.3, 0.8, 0.0, 0.0], "score.c": [0.2, 0.0, 1.0, 0.0]}
    losses = class_losses(pd.DataFrame({"y_true": list("abca"), "y_pred": list("abca"), **scores}))
    assert losses is not None
    assert losses.guessed == pytest.approx([3 / 8, 7 / 8, 7 / 8, 3 / 8])
    assert losses.predicted == pytest.approx([0.25 + 0.09 + 0.04, 0.04 + 0.04, 0, 0])


def test_truths_without_a_score_of_their_own_are_judged_by_the_predictions() -> None:
    """A truth that no score names: rows are wrong or not, beside naming the commonest one."""
    frame = pd.DataFrame({"y_true": list("abzb"), "y_pred": list("abbb"), "score.a": 0.5, "score.b": 0.5})
    losses = class_losses(frame)
    assert losses is not None
    assert (losses.predicted.tolist(), losses.guessed.tolist()) == ([0, 0, 1, 0], [1, 0, 1, 0])
    agreement = Tokens().agreement(frame, schema())
    assert agreement is not None
    assert agreement(np.arange(4)) == 3
    assert agreement(np.array([1, 0, 2, 3])) == 1


def test_one_column_of_scores_names_no_class() -> None:
    frame = pd.DataFrame({"y_true": ["x", "y", "x"], "y_pred": ["x", "x", "y"], "score": [5.0, 7.0, 9.0]})
    agreement = Flags().agreement(frame, schema("x", "y"))
    assert agreement is not None
    assert agreement(np.arange(3)) == 1
    assert agreement(np.array([0, 2, 1])) == 3


def test_losses_that_are_no_numbers_are_not_compared() -> None:
    frame = pd.DataFrame({"y_true": [1.0, 2.0, 3.0], "y_pred": [1.0, np.nan, 3.0]})
    assert Values().losses(frame, schema(kind="value")) is None
    assert Values().losses(frame.assign(y_pred=0.0, y_true=4.0), schema(kind="value")) is None


PLAIN = Metric(name="plain", compute=lambda frame, w: w.sum(axis=1))
METRICS = (
    PLAIN,
    replace(PLAIN, name="area", scored=True),
    replace(PLAIN, name="cost", grouped=True),
    replace(PLAIN, name="reward", compares=False, grouped=True),
)


def test_groups_are_compared_by_scores_where_there_are_any_and_by_truths_where_these_are_known() -> None:
    frame = pd.DataFrame({"y_pred": ["a"], "y_true": ["a"], "score.a": [0.5]})

    def names(kind: Classes | Values | Actions, columns: list[str]) -> list[str]:
        return [metric.name for metric in kind.group_metrics(METRICS, frame[columns], schema("a", "b"))]

    assert names(Classes(), ["y_pred", "y_true", "score.a"]) == ["area", "cost", "reward"]
    assert names(Classes(), ["y_pred", "y_true"]) == ["cost", "reward"]
    assert names(Classes(), ["y_pred", "score.a"]) == ["reward"]
    assert names(Values(), ["y_pred", "y_true"]) == ["plain", "area", "cost", "reward"]
    assert names(Values(), ["y_pred"]) == ["reward", "mean_prediction"]
    assert names(Actions(), ["y_pred", "y_true"]) == ["reward"]


ANSWERS = pd.DataFrame({"y_pred": ["abc", "xyz"], "y_true": ["abc", "uvw"], "quality": [1.0, 0.5]})


def test_answers_are_compared_by_quality_where_no_metric_is_a_mean_of_rows() -> None:
    rate, score = replace(PLAIN, name="exact", judged=True, rate=True), replace(PLAIN, name="bleu", judged=True)
    found = Answers().group_metrics([rate], ANSWERS, schema())
    assert [metric.name for metric in found] == ["exact", "quality"]
    assert found[1].compute(ANSWERS, np.array([[1.0, 1.0], [1.0, 3.0]])) == pytest.approx([0.75, 2.5 / 4])
    assert [metric.name for metric in Answers().group_metrics([rate, score], ANSWERS, schema())] == ["exact", "bleu"]
    assert Answers().spread(ANSWERS, schema()) == 0.25


def test_answers_agree_with_the_truths_of_an_order() -> None:
    agreement = Answers().agreement(ANSWERS, schema())
    assert agreement is not None
    assert agreement(np.arange(2)) == pytest.approx(1)
    assert agreement(np.array([1, 0])) == pytest.approx(0)


def test_random_play_is_that_of_the_same_episodes() -> None:
    frame = pd.DataFrame({"y_pred": ["l", "r"], "reward": [3.0, 4.0], "at_random.reward": [1.0, -2.0], "episode": [0, 1]})
    guess = Actions().baseline(frame, schema("l", "r"), None)
    assert guess is not None
    assert guess.frame["reward"].tolist() == [1, -2]
    assert Actions().spread(frame.assign(episode=[0, 0]), schema()) == 1
    three = pd.DataFrame({"episode": [0, 0, 1], "reward": [1.0, 1.0, 6.0]})
    assert Actions().spread(three, schema()) == 2


def test_clusters_keep_the_order_of_their_scores() -> None:
    frame = pd.DataFrame({"y_pred": ["cluster 10"], "score.cluster 2": [0.1], "score.cluster 10": [0.9]})
    (output,) = Clusters().class_outputs(frame, schema())
    assert output.classes == ("cluster 2", "cluster 10")


LABELS = ("sea", "sky")
GIVEN = pd.DataFrame(
    {"y_pred": ["sea", "none", "sky"], "y_pred.sea": [1, 0, 0], "y_pred.sky": [0, 0, 1], "score.sea": [0.9, 0.2, 0.4],
     "y_true": ["sea", "sky", None], "y_true.sea": [1, 0, np.nan], "y_true.sky": [0, 1, 1]}
)  # fmt: skip


def test_labels_expected_are_those_more_likely_than_not() -> None:
    found = Labels().from_expected(GIVEN, schema(*LABELS), np.array([[0.5, 0.51], [0.49, 0.7], [0.8, 0.5]]))
    assert found is not None
    assert found["y_pred"].tolist() == ["sky", "sky", "sea"]
    assert found["y_pred.sea"].tolist() == [0, 0, 1]
    assert found["score.sky"].tolist() == [0.51, 0.7, 0.5]
    assert found["score.sea"].tolist() == [0.5, 0.49, 0.8]


def test_scores_of_some_labels_are_scores_of_none() -> None:
    """Without a score for each label, rows are judged by which labels they were given."""
    kind, known = Labels(), GIVEN.iloc[:2]
    assert kind.certainty(GIVEN) is None
    losses = kind.losses(known, schema(*LABELS))
    assert losses is not None
    assert losses.predicted.tolist() == [0, 0.5]
    assert losses.guessed.tolist() == [0.25, 0.25]
    whole = kind.losses(known.assign(**{"score.sky": [0.0, 0.5]}), schema(*LABELS))
    assert whole is not None
    assert whole.predicted == pytest.approx([0.01 / 2, (0.04 + 0.25) / 2])


def test_a_label_that_half_of_the_rows_have_is_not_always_given() -> None:
    guess = Labels().baseline(GIVEN.iloc[:2], schema(*LABELS), None)
    assert guess is not None
    assert guess.words == "always answering “none”"
    assert guess.frame["score.sea"].tolist() == [0.5, 0.5]


def test_what_is_good_of_labels_may_be_not_to_have_one() -> None:
    target = Target(name="photo", kind="labels", classes=LABELS, favourable=("not sea", "sky"))
    outputs = Labels().class_outputs(GIVEN, Schema(modality="table", shape=(1,), target=target))
    assert [one.favourable for one in outputs] == [("not sea",), ("sky",)]
    assert outputs[0].actual is not None
    assert outputs[0].actual[:2].tolist() == ["sea", "not sea"]
    assert outputs[0].actual.isna().tolist() == [False, False, True]
