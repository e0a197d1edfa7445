"""Performance worked out by hand: verdicts on gains, episodes, classes by cluster, residuals and the best and worst answers."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.predictions.outputs import AnswerOutput, ClassOutput
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.stats.estimate import Estimate
from glassbench_audits.performance.answers import answer_tables
from glassbench_audits.performance.baseline import Baseline
from glassbench_audits.performance.classes import confusion
from glassbench_audits.performance.comparison import baseline_finding, score_measures
from glassbench_audits.performance.policies import episodes_of, policy_findings, policy_table
from glassbench_audits.performance.recomputed import recomputed
from glassbench_audits.performance.residuals import residual_table
from glassbench_audits.performance.scores import Score, score


def estimate(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value=value, low=low, high=high)


def scored(name: str, model: Estimate, baseline: Estimate | None = None, gain: Estimate | None = None) -> Score:
    metric = Metric(name=name, compute=lambda frame, weights: weights.sum(axis=1), rate=True)
    return Score(metric=metric, n=100, model=model, baseline=baseline, gain=gain)


@pytest.mark.parametrize(
    ("low", "high", "grade", "begins"),
    [
        (0.01, 0.1, "ok", "Better than"),
        (0.0, 0.1, "unclear", "Not shown to be better than"),
        (-0.1, 0.01, "unclear", "Not shown to be better than"),
        (-0.1, 0.0, "concern", "No better than"),
        (-0.1, -0.01, "concern", "Worse than"),
    ],
)
def test_a_model_is_better_where_the_whole_gain_is_above_0(low, high, grade, begins):
    found = scored("accuracy", estimate(0.7, 0.6, 0.8), estimate(0.6), estimate((low + high) / 2, low, high))
    said = baseline_finding(found, Baseline(frame=pd.DataFrame(), words="guessing", source="nothing"))
    assert said is not None
    assert said.grade == grade
    assert said.sentence.startswith(begins)


def test_a_gain_is_positive_where_the_model_is_better_whichever_way_the_metric_goes():
    frame = pd.DataFrame({"y_true": np.zeros(40), "y_pred": np.tile([1.0, 3.0], 20)})
    worse = Baseline(frame=frame.assign(y_pred=5.0), words="", source="nothing")
    for better, sign in ((True, -1), (False, 1)):
        off = Metric(name="off", compute=lambda f, w: w @ np.abs(f["y_pred"]) / w.sum(axis=1), higher_is_better=better)
        (found,) = score(frame, worse, [off], lambda _: np.random.default_rng(0), replicates=200)
        assert found.gain is not None
        assert found.gain.value == pytest.approx(sign * 3)
        assert [m.higher_is_better for m in score_measures(found)] == [better, better, True]


def episodes(**columns) -> Subject:
    frame = pd.DataFrame({
        "row": range(5), "y_pred": "left", "episode": [0, 0, 1, 2, 2], "cluster": ["a", "a", "b", "c", "c"],
        "seed": [7, 7, 8, 9, 9], "reward": [1.0, 2.0, 9.0, -4.0, 1.0], "failed": [0, 0, 0, 1, 1], **columns,
    })  # fmt: skip
    schema = Schema(modality="observation", shape=(1,), target=Target(name="move", kind="none", classes=("left", "right")))
    return Subject(schema=schema, predictions=Predictions(frame=frame), task=SimpleNamespace(kind=Actions(), metrics=()))


def test_an_episode_is_the_sum_of_its_steps_and_the_worst_come_first():
    found = episodes_of(episodes())
    assert found is not None
    assert found[["return", "steps", "failed", "seed"]].to_numpy().tolist() == [[3, 2, 0, 7], [9, 1, 0, 8], [-3, 2, 1, 9]]
    many = (
        episodes().predictions.frame.iloc[[0] * 7].assign(episode=range(7), cluster=list("abcdefg"), reward=[5, 1, 4, 2, 9, 3, 7])
    )
    subject = episodes()
    (table,) = policy_table(replace(subject, predictions=Predictions(frame=many.reset_index(drop=True))))
    assert [(row[0], row[2]) for row in table.rows] == [("b", 1), ("d", 2), ("f", 3), ("c", 4), ("a", 5)]


@pytest.mark.parametrize(("low", "high", "grade"), [(0.1, 0.3, "ok"), (-0.1, 0.3, "unclear"), (-0.3, -0.1, "concern")])
def test_failures_are_held_against_random_play_by_the_whole_interval(low, high, grade):
    fails = scored("failure_rate", estimate(0.2, 0.1, 0.3), estimate(0.4), estimate((low + high) / 2, low, high))
    found = [
        f for f in policy_findings(episodes(), [scored("return", estimate(3.0, 1, 5)), fails]) if "end in failure" in f.sentence
    ]
    assert [one.grade for one in found] == [grade]


def test_penalties_are_what_an_episode_would_bring_without_them_less_what_it_brings():
    scores = [scored("return", estimate(3.0, 1, 5)), scored("gain", estimate(10.0, 8, 12))]
    told = [f.sentence for f in policy_findings(episodes(), scores)]
    assert "the worst, with seed 9, brought -3." in told[0]
    assert any("penalties take 7 of it" in sentence for sentence in told)


def test_classes_of_clusters_have_precision_by_what_was_predicted_and_recall_by_what_is_true():
    frame = pd.DataFrame({"y_true": list("aaabbb"), "y_pred": list("aabbbb"), "cluster": [0, 0, 1, 1, 2, 2]})
    output = ClassOutput(classes=("a", "b"), predicted=frame["y_pred"], actual=frame["y_true"])
    found = confusion(frame, output)
    assert found.counts.tolist() == [[2, 1], [0, 3]]
    hits, predicted, actual = found.clusters
    assert [part.tolist() for part in (hits, predicted, actual)] == [
        [[2, 0], [0, 1], [0, 2]], [[2, 0], [0, 2], [0, 2]], [[2, 0], [1, 1], [0, 2]]
    ]  # fmt: skip


def test_residuals_are_predictions_minus_truths_in_thirds_of_the_truth(regression):
    truth = np.arange(9.0)
    table = residual_table(regression(truth, truth + np.repeat([1, 2, -3], 3), {}))
    assert [(row[1], row[2]) for row in table.rows] == [(9, 0), (3, 1), (3, 2), (3, -3)]
    low, high = np.quantile(np.arange(10.0), [1 / 3, 2 / 3])  # 3 and 6 are truths themselves
    tenth = residual_table(regression(np.arange(10.0), np.arange(10.0), {}))
    assert [row[1] for row in tenth.rows] == [10, 4, 3, 3]
    assert (low, high) == pytest.approx((3, 6))


def test_an_answer_that_is_the_truth_is_none_of_the_worst(sequences):
    subject = sequences(["a", "b", "c", "d"], ["a", "x", "y", "d"], {})
    answers = AnswerOutput(
        written=subject.predictions.frame["y_pred"],
        actual=subject.predictions.frame["y_true"],
        quality=np.array([0.1, 0.5, 0.2, 1.0]),
    )
    worst, best = answer_tables(subject, answers)
    assert [row[0] for row in worst.rows] == ["2", "1"]
    assert [row[0] for row in best.rows] == ["3", "1", "2", "0"]


def test_numbers_of_rows_are_computed_again_under_the_weights_of_rows_whose_truth_is_known(classification):
    subject = classification(["0", "1", "1", "0"], ["0", "1", "0", "0"], {})
    frame = subject.predictions.frame.assign(y_true=["0", "1", "1", None])
    known = Subject(schema=subject.schema, predictions=Predictions(frame=frame), task=subject.task)
    found = recomputed(known, {})
    values = dict(zip([one.name for one in found.numbers], found.compute(np.array([[1.0, 1, 2, 9]]))[0], strict=True))
    assert values["performance.accuracy"] == pytest.approx(2 / 4)
    assert values["performance.recall[1]"] == pytest.approx(1 / 3)
    assert values["performance.precision[0]"] == pytest.approx(1 / 3)
