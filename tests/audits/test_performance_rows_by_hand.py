"""Which rows figures of performance rest on: clusters of unlike size, episodes, rows of unknown truth wherever they stand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.outputs import AnswerOutput, ClassOutput
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.stats.clusters import clustered_share
from glassbench_audits.performance.answers import answer_finding, answer_tables, quality_chart
from glassbench_audits.performance.classes import class_measures, confusion
from glassbench_audits.performance.policies import episodes_of, policy_charts, policy_pictures
from glassbench_audits.performance.recomputed import recomputed
from glassbench_audits.performance.residuals import residual_charts, residual_table
from glassbench_audits.performance.score_curves import score_curves


@pytest.mark.parametrize("weights", [None, "weight"])
def test_classes_of_clusters_have_the_intervals_of_shares_over_clusters(weights: str | None) -> None:
    chance = np.random.default_rng(0)
    cluster = np.repeat(np.arange(12), [1, 9, 2, 3, 8, 2, 4, 1, 6, 2, 3, 5])
    truth = np.where(chance.random(46) < 0.2 + 0.6 * chance.random(12)[cluster], "b", "a")
    said = np.where(chance.random(46) < 0.3, "a", truth)
    frame = pd.DataFrame({"y_true": truth, "y_pred": said, "cluster": cluster})
    held = chance.uniform(1, 3, 46) if weights else np.ones(46)
    if weights:
        frame[weights] = held
    found = confusion(frame, ClassOutput(classes=("a", "b"), predicted=frame["y_pred"], actual=frame["y_true"]))
    values = {m.name.removeprefix("performance."): m for m in class_measures(found, 0.9)}
    for klass in "ab":
        for name, asked in (("recall", truth == klass), ("precision", said == klass)):
            hits = asked & (truth == said)
            part, whole = (np.bincount(cluster, held * of, minlength=12) for of in (hits, asked))
            expected = clustered_share(part, whole, 0.9, int(asked.sum()) if weights else None)
            one = values[f"{name}[{klass}]"]
            assert (one.value, one.low, one.high) == pytest.approx(tuple(map(float, expected)))
            assert one.n == asked.sum()


def episodes(rewards: list[list[float]], **columns: list[object]) -> Subject:
    lengths = [len(each) for each in rewards]
    number = np.repeat(np.arange(len(rewards)), lengths)
    frame = pd.DataFrame({"row": np.arange(len(number)), "y_pred": "left", "episode": number, "reward": np.concatenate(rewards)})
    frame = frame.assign(cluster=[f"e{k}" for k in number], seed=number + 7, failed=0.0, **columns)
    schema = Schema(modality="observation", shape=(1,), target=Target(name="move", kind="none", classes=("left", "right")))
    return Subject(schema=schema, predictions=Predictions(frame=frame), task=SimpleNamespace(kind=Actions(), metrics=()))


def test_a_group_is_told_of_an_episode_where_it_holds_throughout_every_one() -> None:
    columns = {"group.map": list("aabbb"), "group.weather": ["wet", "dry", "dry", "dry", "dry"]}
    found = episodes_of(episodes([[1.0, 2], [3, 4, 5]], **columns))
    assert found["return"].tolist() == [3, 12]
    assert [c for c in found if c.startswith("group.")] == ["group.map"]
    assert found["group.map"].tolist() == ["a", "b"]


class Drawing:
    """An environment that draws as many frames as an episode has steps."""

    def render(self, rows: pd.DataFrame, frames: int) -> list[np.ndarray]:
        return [np.zeros((2, 2, 3), dtype=np.uint8)] * min(len(rows), frames)


def test_the_middle_episode_by_return_is_shown_and_the_worst() -> None:
    subject = replace(episodes([[9.0], [1, 1], [5, 0, 0], [-2, 1]]), episodes=Drawing())
    pictures, why = policy_pictures(subject)
    assert why is None
    assert [picture.title for picture in pictures] == ["The middle episode (return 5)", "The worst episode (return -1)"]
    assert pictures[0].message.startswith("3 frames of the 3 steps")
    (chart,) = policy_charts(subject)
    assert "between 1.25 and 6, the middle one 3.5" in chart.message


class Counting:
    kind = Classes()
    metrics = (
        Metric(name="accuracy", compute=lambda f, w: w @ (f["y_true"] == f["y_pred"]) / w.sum(axis=1), rate=True),
        Metric(name="asked", compute=lambda f, w: w @ (f["y_pred"] == "1") / w.sum(axis=1), compares=False),
    )


def test_weights_follow_the_rows_of_known_truth_wherever_they_stand(classification) -> None:
    subject = classification(["0", "1", "1", "0", "1"], ["0", "1", "0", "1", "1"], {}, task=Counting())
    truth = pd.Series([None, "1", None, "0", "1"], dtype=object)
    known = replace(subject, predictions=Predictions(frame=subject.predictions.frame.assign(y_true=truth)))
    found = recomputed(known, {})
    weights = np.array([[16.0, 1, 8, 2, 4], [1, 1, 1, 1, 1]])
    values = {n.name: v for n, v in zip(found.numbers, found.compute(weights).T, strict=True)}
    assert values["performance.accuracy"] == pytest.approx([5 / 7, 2 / 3])
    assert values["performance.precision[1]"] == pytest.approx([5 / 7, 2 / 3])
    assert values["performance.recall[1]"] == pytest.approx([1, 1])
    assert values["performance.recall[0]"] == pytest.approx([0, 0])
    assert np.isnan(values["performance.precision[0]"]).all()
    assert {n.name: n.of for n in found.numbers}["performance.accuracy"] == 3
    nothing = replace(subject, predictions=Predictions(frame=subject.predictions.frame.assign(y_true=None)))
    alone = recomputed(nothing, {})
    assert [n.name for n in alone.numbers] == ["performance.asked"]
    assert alone.compute(weights)[:, 0] == pytest.approx([7 / 31, 3 / 5])


def test_answers_that_are_the_truth_are_told_apart_by_row_and_not_by_rank(sequences) -> None:
    subject = sequences(["a", "b", "c", "d", "e"], ["a", "x", "c", "y", "z"], {})
    answers = AnswerOutput(
        written=subject.predictions.frame["y_pred"],
        actual=subject.predictions.frame["y_true"],
        quality=np.array([0.9, 0.8, 1.0, 0.1, 0.3]),
    )
    worst, best = answer_tables(subject, answers)
    assert [row[0] for row in worst.rows] == ["3", "4", "1"]
    assert [row[0] for row in best.rows] == ["2", "0", "1", "4", "3"]
    said = answer_finding(subject, answers).sentence
    assert said == "2 of 5 answers are the true one to the letter; of the others the worst: it answers “y”, and “d” is true."
    chart = quality_chart(answers)
    assert sum(row["y"] for row in chart.rows) == 5
    assert "Half of the answers come to 0.8 or more" in chart.message


def test_net_benefit_is_held_against_deciding_for_all_and_for_none(classification) -> None:
    """Scores that know nothing: below the share of the class all is better, above it none is."""
    truth = np.repeat([0, 1], [80, 20])
    flat = classification(truth, [0] * 100, {}, scores=np.full(100, 0.2))
    chart = next(c for c in score_curves(flat) if c.title == "Decision curve")
    assert "at 0 of 99 thresholds" in chart.message
    sharp = classification(truth, truth, {}, scores=np.where(truth == 1, 0.9, 0.1))
    chart = next(c for c in score_curves(sharp) if c.title == "Decision curve")
    assert "at 80 of 99 thresholds, between 11 % and 90 %" in chart.message


def test_thirds_of_the_truth_hold_their_edges_and_errors_are_told_by_quantiles(regression) -> None:
    truth = np.array([0.0, 1, 1, 2, 3, 3, 4])
    subject = regression(truth, truth[::-1] + 1, {})
    low, high = np.quantile(truth, [1 / 3, 2 / 3])
    table = residual_table(subject)
    assert [row[1] for row in table.rows] == [7, int((truth <= low).sum()), int(((truth > low) & (truth <= high)).sum()), 1]
    errors = truth[::-1] + 1 - truth
    assert table.rows[1][2] == pytest.approx(errors[truth <= low].mean())
    assert table.rows[0][3:] == pytest.approx(tuple(np.quantile(errors, [0.05, 0.25, 0.5, 0.75, 0.95])))
    points, bars = residual_charts(subject)
    assert f"correlation with the truth: {np.corrcoef(truth, truth[::-1])[0, 1]:.2f}" in points.message
    assert (sum(row["y"] for row in bars.rows), "Errors average 1 mm" in bars.message) == (7, True)
