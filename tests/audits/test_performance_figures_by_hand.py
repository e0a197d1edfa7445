"""Figures of performance that rest on some of the rows: unknown outcomes, rows that stand for several, and what scores say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.outputs import ClassOutput
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import mean, share
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.selective import KnownOutcomes
from glassbench_audits.performance.baseline import Baseline
from glassbench_audits.performance.classes import class_measures, confusion, confusion_chart, confusion_table, recall_chart
from glassbench_audits.performance.comparison import share_chart
from glassbench_audits.performance.score_curves import score_curves
from glassbench_audits.performance.scores import Score, score
from glassbench_audits.performance.selected_rows import SelectedRows, of_known_rows, selected_rows, unjudged
from glassbench_audits.performance.stated import clipped, stated_findings


def off(frame: pd.DataFrame, sampling: Sampling):
    return mean((frame["y_pred"] - frame["y_true"]).abs().to_numpy(), sampling, lowest=0.0)


def generator(purpose: str) -> np.random.Generator:
    return np.random.default_rng(len(purpose))


@pytest.mark.parametrize("better", [True, False])
def test_a_paired_gain_is_how_much_better_the_model_is_on_the_same_rows(better: bool) -> None:
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"y_true": chance.normal(size=60)})
    frame["y_pred"] = frame["y_true"] + chance.normal(0, 0.5, 60)
    guess = Baseline(frame=frame.assign(y_pred=0.0), words="", source="nothing")
    metric = Metric(
        name="off",
        compute=lambda f, w: w @ (f["y_pred"] - f["y_true"]).abs() / w.sum(axis=1),
        inference=off,
        higher_is_better=better,
    )
    (found,) = score(frame, guess, [metric], generator)
    apart = (frame["y_pred"] - frame["y_true"]).abs() - frame["y_true"].abs()
    expected = mean((apart if better else -apart).to_numpy(), Sampling.of(frame)).estimate(0.95)
    assert (found.gain.value, found.gain.low, found.gain.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert found.gain.value == pytest.approx((1 if better else -1) * (found.model.value - found.baseline.value))


def test_a_baseline_has_no_width_where_one_answer_has_one_number_whatever_rows_are_drawn() -> None:
    frame = pd.DataFrame({"y_true": list("aabb") * 10, "y_pred": list("abab") * 10})
    fixed = Metric(
        name="fixed", compute=lambda f, w: np.ones(len(w)), inference=lambda f, s: share(np.ones(len(f), dtype=bool), s)
    )
    moving = Metric(name="moving", compute=lambda f, w: w @ (f["y_true"] == "a") / w.sum(axis=1))
    for constant, one_class, metric, flat in (
        (True, False, fixed, True),
        (False, False, fixed, False),
        (True, False, moving, False),
        (True, True, fixed, False),
    ):
        truth = frame.assign(y_true="a") if one_class else frame
        (found,) = score(frame, Baseline(frame=truth, words="", source="nothing", constant=constant), [metric], generator)
        held = found.baseline
        assert (held.low == held.value == held.high and held.unsupported is None) == flat, (constant, one_class, metric.name)


def with_rows(subject: Subject, **columns: object) -> Subject:
    frame = subject.predictions.frame.assign(**columns)
    return replace(subject, predictions=replace(subject.predictions, frame=frame))


@pytest.fixture(name="stated")
def _stated(classification):
    def make(scores: list[float], truth: list[str | None], **columns: object) -> Subject:
        scores = np.array(scores)
        subject = classification(["0"] * len(scores), (scores > 0.5).astype(int), {}, scores=scores)
        return with_rows(subject, y_true=pd.Series(truth, dtype=object), **columns)

    return make


def test_rows_are_clipped_that_state_exactly_0_or_1_for_their_true_class(stated) -> None:
    scores, truth = [0.0, 1.0, 0.0, 1.0, 0.5, 1e-12], ["0", "0", "1", "1", "1", "1"]
    assert clipped(stated(scores, truth)) == 4
    assert clipped(stated(scores, truth, frequency=[2, 3, 5, 7, 11, 13])) == 17
    three = stated(scores, truth)
    three = with_rows(three, **{"score.0": [0.5, 0.4, 0.3, 0.2, 0.1, 1.0], "score.1": [0.0, 0.6, 0.7, 1.0, 0.9, 0.3]})
    assert clipped(three) == 1  # a 0 for the other class is no loss, and the last row states .3 for its own


def scored(name: str, low: float, high: float, gain: tuple[float, float] | None = None, baseline: float = 0.5) -> Score:
    apart = None if gain is None else Estimate.of(sum(gain) / 2, *gain, level=0.95, n=9)
    return Score(
        metric=Metric(name=name, compute=lambda f, w: w.sum(axis=1)),
        n=9,
        model=Estimate.of((low + high) / 2, low, high, level=0.95, n=9),
        baseline=Estimate.of(baseline, baseline, baseline, level=0.95, n=9),
        gain=apart,
    )


def test_what_scores_are_worth_is_told_where_the_whole_interval_says_so(stated) -> None:
    subject = stated([0.0, 0.4, 0.6, 1.0], ["0", "1", "0", "1"])
    learnt = Baseline(frame=subject.predictions.frame, words="guessing", source="training rows")

    def told(*scores: Score, reference: Baseline | None = learnt) -> list[tuple[str, ...]]:
        return [f.measures for f in stated_findings(subject, scores, reference)]

    good = scored("accuracy", 0.6, 0.8, (0.1, 0.3))
    assert told(good, scored("roc_auc", 0.3, 0.49)) == [("performance.roc_auc",)]
    assert told(good, scored("roc_auc", 0.3, 0.51)) == []
    worse = scored("log_loss", 0.8, 0.9, (-0.4, -0.1))
    assert [names[0] for names in told(good, worse)] == ["performance.log_loss"]
    assert told(good, scored("log_loss", 0.8, 0.9, (-0.4, 0.01))) == []
    assert told(scored("accuracy", 0.6, 0.8, (-0.3, 0.1)), worse) == []
    assert told(good, worse, reference=replace(learnt, source="nothing")) == []
    assert told(good, worse, reference=None) == []


def test_curves_of_scores_are_those_of_known_rows_with_their_weights(stated) -> None:
    chance = np.random.default_rng(3)
    scores = chance.random(60).round(1)
    truth = [None if k % 5 == 0 else str(int(chance.random() < p)) for k, p in enumerate(scores)]
    weight = chance.integers(1, 4, 60)
    known = np.array([t is not None for t in truth])
    again = np.repeat(np.flatnonzero(known), weight[known])
    one = list(score_curves(stated(scores.tolist(), truth, frequency=weight)))
    other = list(score_curves(stated(scores[again].tolist(), [truth[k] for k in again])))
    assert [(c.title, c.rows, c.message, c.reference) for c in one] == [(c.title, c.rows, c.message, c.reference) for c in other]
    assert len(one) == 4


def test_how_many_rows_have_an_outcome_is_told_of_what_rows_stand_for(stated, regression) -> None:
    found = selected_rows(stated([0.1, 0.9, 0.8, 0.2], ["0", None, "1", None], frequency=[2, 3, 5, 7]), 0.95)
    assert (found.known, found.rows) == (7, 17)
    assert selected_rows(stated([0.1, 0.9], ["0", "1"]), 0.95) is None
    assert selected_rows(stated([0.1, 0.9], [None, None]), 0.95) is None
    predicted = np.arange(200.0)
    for hidden, swayed in ((predicted > 90, True), (predicted % 2 == 1, False)):
        values = regression(np.where(hidden, np.nan, 1.0), predicted, {})
        some = selected_rows(values, 0.95)
        assert (some.known, some.rows, some.reason is not None) == (int((~hidden).sum()), 200, swayed)


def known_outcomes(**more: object) -> KnownOutcomes:
    given = {
        "rows": np.array([60, 40]),
        "known": np.array([50, 10]),
        "by_decision": True,
        "unlike": ((), ()),
        "chosen": ("yes",),
        "spoken": "yes",
        "several": False,
        "scored": ("roc_auc",),
    }
    return KnownOutcomes(**{**given, **more})


def test_a_class_s_precision_is_judged_where_outcomes_are_known_alike_within_its_decision() -> None:
    def measure(name: str, value: float | None = 0.5) -> Measure:
        return Measure(name=f"performance.{name}", value=value, undefined=None if value else "x")

    found = SelectedRows(known=60, rows=100, words="", reason="why", classes=known_outcomes(unlike=((), ("sex",))))
    without = {name: unjudged(measure(name), found).not_judged for name in ("accuracy", "recall[yes]", "precision[yes]")}
    assert without == {"accuracy": "why", "recall[yes]": "why", "precision[yes]": None}
    assert "not predicted “yes”" in unjudged(measure("precision[no]"), found).not_judged
    turned = SelectedRows(known=60, rows=100, words="", reason="why", classes=known_outcomes(unlike=(("sex",), ())))
    assert "the rows predicted “yes”" in unjudged(measure("precision[yes]"), turned).not_judged
    assert unjudged(measure("precision[no]"), turned).not_judged is None
    assert unjudged(measure("accuracy", None), found).not_judged is None
    assert unjudged(measure("accuracy"), None).not_judged is None
    said = Finding(sentence="Better than guessing.", grade="ok", weight=0.5)
    assert of_known_rows(said, found).grade == "unclear"
    assert of_known_rows(said, replace(found, reason=None)).grade == "ok"
    assert of_known_rows(replace(said, grade="unclear"), found).sentence == said.sentence


def choice(
    truth: str, decision: str, classes: str, name: str | None = None, **columns: object
) -> tuple[pd.DataFrame, ClassOutput]:
    frame = pd.DataFrame({"y_true": list(truth), "y_pred": list(decision), **columns})
    return frame, ClassOutput(classes=tuple(classes), predicted=frame["y_pred"], actual=frame["y_true"], name=name)


def test_classes_are_counted_as_often_as_rows_stand_for_and_strange_ones_stand_last() -> None:
    found = confusion(*choice("aabbz", "abbba", "abc", frequency=[1, 2, 3, 4, 5]))
    assert found.classes == ("a", "b", "c", "z")
    assert found.counts.tolist() == [[1, 2, 0, 0], [0, 7, 0, 0], [0, 0, 0, 0], [5, 0, 0, 0]]
    values = {m.name.removeprefix("performance."): (m.value, m.n) for m in class_measures(found, 0.95)}
    assert values["precision[a]"] == (1 / 6, 6)
    assert values["recall[a]"] == (1 / 3, 3)
    assert values["precision[c]"] == values["recall[c]"] == (None, 0)
    assert values["recall[z]"] == (0, 5)


def test_a_label_is_measured_by_having_it() -> None:
    found = confusion(*choice("01101", "00111", "01", name="blue"))
    values = {m.name: m.value for m in class_measures(found, 0.95)}
    assert values == {"performance.precision[blue]": 2 / 3, "performance.recall[blue]": 2 / 3}


def test_recall_is_drawn_beside_the_share_of_all_rows_that_are_right() -> None:
    found = confusion(*choice("aaaaaaaabb", "aaaaaabbba", "ab"))
    chart = recall_chart([found], 0.95)
    assert chart.reference[0] == pytest.approx(7 / 10)
    assert [row["x"] for row in chart.rows] == pytest.approx([6 / 8, 1 / 2])
    weighted = confusion(*choice("aabb", "abba", "ab", weight=[1.0, 2.0, 3.0, 5.0]))
    assert recall_chart([weighted], 0.95).reference[0] == pytest.approx(4 / 11)
    assert [row["x"] for row in recall_chart([weighted], 0.95).rows] == pytest.approx([1 / 3, 3 / 8])


def test_the_commonest_confusion_is_of_two_classes() -> None:
    found = confusion(*choice("aaaaabbbc", "aaaacbabb", "abc"))
    assert confusion_chart(found).message == "The commonest confusion: 1 rows of actual “a” were predicted “c”."
    more = confusion(*choice("aaaaabbbcc", "aaaacbaabb", "abc"))
    assert "2 rows of actual “b” were predicted “a”" in confusion_chart(more).message
    shares = {(row["y"], row["x"]): row["color"] for row in confusion_chart(more).rows}
    assert (shares["b", "a"], shares["c", "b"], shares["a", "a"]) == pytest.approx((2 / 3, 1, 4 / 5))
    many = "abcdefghijklmnopqrstu"
    table = confusion_table(confusion(*choice(many + "bbc", many + "aac", many)))
    assert table.rows == (("b", "a", 2),)


def test_only_shares_of_which_more_is_better_are_drawn_together() -> None:
    fine = scored("accuracy", 0.5, 0.9)
    less = replace(fine, metric=replace(fine.metric, name="error_rate", higher_is_better=False))
    wide = scored("gain", 0.5, 1.2)
    assert [row["x"] for row in share_chart([fine, less, wide]).rows] == [pytest.approx(0.7)]
    assert share_chart([less, wide]) is None
