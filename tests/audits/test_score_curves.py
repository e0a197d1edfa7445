"""Curves of scores against scikit-learn, rows written as often as they count, and a table done by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from glassbench.testing import toy_subject
from glassbench_audits.performance.audit import audit
from glassbench_audits.performance.score_curves import SECTION, Ranked, score_curves

TITLES = ["ROC curve", "Precision and recall", "Gain", "Decision curve"]


@pytest.fixture
def rows():
    drawn = np.random.default_rng(0)
    positive = drawn.random(400) < 0.3
    score = np.round(np.clip(0.3 + 0.25 * positive + drawn.normal(0, 0.2, 400), 0, 1), 2)  # ties
    return score, positive, drawn.integers(1, 4, 400).astype(float)


def test_curves_are_scikit_learns(rows):
    score, positive, weight = rows
    ranked = Ranked.of(score, positive, weight)
    assert auc(ranked.fall_out, ranked.recall) == pytest.approx(roc_auc_score(positive, score, sample_weight=weight))
    steps = np.diff(ranked.recall) @ ranked.precision
    assert steps == pytest.approx(average_precision_score(positive, score, sample_weight=weight))
    precision, recall, _ = precision_recall_curve(positive, score, sample_weight=weight)
    assert ranked.precision == pytest.approx(precision[:-1][::-1])
    assert ranked.recall[1:] == pytest.approx(recall[:-1][::-1])
    false, true, _ = roc_curve(positive, score, sample_weight=weight, drop_intermediate=False)
    assert (ranked.fall_out, ranked.recall) == (pytest.approx(false), pytest.approx(true))


def test_weights_are_rows_written_more_than_once(rows):
    score, positive, weight = rows
    twice = np.repeat(np.arange(400), weight.astype(int))
    one, other = Ranked.of(score, positive, weight), Ranked.of(score[twice], positive[twice], np.ones(len(twice)))
    for of in ("recall", "fall_out", "taken", "precision"):
        assert getattr(one, of) == pytest.approx(getattr(other, of))


def test_net_benefit_by_hand():
    """Ten rows, four positive. From 0.5 on: 3 right, 1 wrong; from 0.2 on: 4 right, 3 wrong; none from 0.95 on."""
    score = np.array([0.9, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.0])
    positive = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0], dtype=bool)
    ranked = Ranked.of(score, positive, np.ones(10))
    thresholds = np.array([0.2, 0.5, 0.95])
    assert ranked.net_benefit(thresholds) == pytest.approx([(4 - 3 * 0.25) / 10, (3 - 1) / 10, 0])
    assert ranked.benefit_of_all(thresholds) == pytest.approx([0.4 - 0.6 * 0.25, 0.4 - 0.6, 0.4 - 0.6 * 19])


def test_scores_that_rank_by_chance_gain_nothing():
    drawn = np.random.default_rng(1)
    ranked = Ranked.of(drawn.random(20_000), drawn.random(20_000) < 0.2, np.ones(20_000))
    assert np.abs(ranked.recall - ranked.taken).max() < 0.03


def test_an_audit_draws_them_with_what_they_show():
    charts = {chart.title: chart for chart in audit(toy_subject()).charts if chart.section == SECTION}
    assert list(charts) == TITLES
    assert all(len(chart.rows) <= 310 and chart.message for chart in charts.values())
    assert "times as much as a tenth drawn at random" in charts["Gain"].message
    assert "by scores" in {row["color"] for row in charts["Decision curve"].rows}
    assert charts["Decision curve"].reference == (0.0, "for none")
    assert charts["ROC curve"].reference == ("diagonal", "by chance")
    heights = [row["y"] for row in charts["ROC curve"].rows]
    assert (heights[0], heights[-1], heights) == (0.0, 1.0, sorted(heights))


@pytest.mark.parametrize("spoil", ["few", "unknown"])
def test_few_rows_of_a_class_have_no_curves(spoil):
    subject = toy_subject()
    frame = subject.predictions.frame
    name = subject.schema.target.positive
    places = np.flatnonzero((frame["y_true"].astype(str) == name).to_numpy())[4:]
    if spoil == "few":
        others = next(one for one in subject.schema.target.classes if one != name)
        frame["y_true"] = pd.Series(np.where(np.isin(np.arange(len(frame)), places), others, frame["y_true"]), index=frame.index)
    else:
        frame.loc[frame.index[places], "y_true"] = None
    assert list(score_curves(subject)) == []
