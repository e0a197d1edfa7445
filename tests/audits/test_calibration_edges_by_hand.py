"""Calibration at its edges: rows exactly at a limit, rows of no group, weights, ties with chance, and few rows of one outcome."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.sampling import Sampling
from glassbench_audits.calibration import coverage
from glassbench_audits.calibration.audit import _stated, audit
from glassbench_audits.calibration.bins import brier_parts, summarise
from glassbench_audits.calibration.conformal import set_coverage
from glassbench_audits.calibration.coverage import DRAWS, coverage_of
from glassbench_audits.calibration.draws import under_null
from glassbench_audits.calibration.error import Error
from glassbench_audits.calibration.findings import findings
from glassbench_audits.calibration.parts import Part, parts_of


def test_classes_and_truths_exactly_at_the_limit_are_in_the_set() -> None:
    stated = np.tile([0.75, 0.25], (60, 1))
    (whole,) = set_coverage(stated, np.zeros(60, dtype=int), pd.DataFrame(index=range(60)), np.arange(60) < 30, 0.9)
    assert (whole.hits, whole.n, whole.size) == (30, 30, 1)


def test_rows_of_no_group_are_in_none() -> None:
    groups = pd.DataFrame({"sex": ["f", "m", None, "f", None, "m", "m"]})
    found = coverage_of(np.array([1, 0, 0, 1, 0, 1, 1], dtype=bool), np.ones(7), groups)
    assert [(one.group, one.n, one.hits) for one in found] == [(None, 7, 4), ("f", 2, 2), ("m", 3, 2)]


def test_groups_of_clusters_are_tested_by_weights_and_ties_count(monkeypatch) -> None:
    weight, clusters = np.array([1.0, 2, 3, 4, 5, 6]), np.array([0, 0, 1, 1, 2, 2])
    inside, groups = np.array([1, 0, 1, 1, 0, 1], dtype=bool), pd.DataFrame({"sex": list("fmfmfm")})
    asked = []

    def tied(part: np.ndarray, whole: np.ndarray, draws: int, generator: np.random.Generator, **more: object) -> np.ndarray:
        asked.append((part, whole))
        return np.tile(part.sum(axis=0) / whole.sum(axis=0), (draws, 1))

    monkeypatch.setattr(coverage, "between_groups", tied)
    sampling = Sampling(weight=weight, clusters=clusters, survey=True)
    found = coverage_of(inside, np.ones(6), groups, sampling=sampling, generator=np.random.default_rng(0))
    assert [one.p for one in found[1:]] == [1, 1]
    part, whole = asked[0]
    assert whole.tolist() == [[2, 1], [4, 3], [6, 5]]
    assert part.tolist() == [[0, 1], [4, 3], [6, 0]]
    assert DRAWS > 100


@pytest.mark.parametrize("n", [2_000, 20_002])
def test_truths_drawn_vary_by_each_probability_and_not_by_the_mean_of_their_bin(n: int) -> None:
    stated, member = np.tile([0.02, 0.98], n // 2), np.zeros(n, dtype=int)
    whole = summarise(stated, np.zeros(n), member)
    drawn = under_null(stated, member, whole, np.random.default_rng(0), 400)
    chance = drawn + 0.25 / (n - 1)  # what is taken off for the variance of a bin
    assert chance.mean() == pytest.approx(0.02 * 0.98 / n, rel=0.3)


def stated_subject(classification, n: int = 60, **columns: object) -> tuple[Subject, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(1)
    stated = chance.random(n).round(2)
    truth = (chance.random(n) < stated).astype(int)
    subject = classification(truth, (stated > 0.5).astype(int), {"sex": ["f", "m"] * (n // 2)}, scores=stated)
    frame = subject.predictions.frame.assign(**columns)
    return replace(subject, predictions=replace(subject.predictions, frame=frame)), stated, truth.astype(float)


def test_events_are_counted_as_often_as_rows_stand_for(classification) -> None:
    subject, stated, _ = stated_subject(classification, frequency=np.full(60, 10))
    few = (np.arange(60) < 3).astype(float)
    assert parts_of(subject, stated, few, 10, 0.95, 50)[0].bias.unsupported is None
    alone, stated, _ = stated_subject(classification)
    assert parts_of(alone, stated, few, 10, 0.95, 50)[0].bias.unsupported is not None


def test_parts_of_a_brier_score_are_weighted_and_few_rows_of_one_outcome_leave_it_without_an_interval(classification) -> None:
    weight = np.random.default_rng(2).uniform(1, 9, 60)
    subject, stated, came = stated_subject(classification, weight=weight)
    found = {m.name: m for m in audit(subject, replicates=30).measures if m.by is None}
    expected = brier_parts(stated, came, 10, weight)
    names = ("reliability", "resolution", "uncertainty")
    assert [found[f"calibration.{name}"].value for name in names] == pytest.approx(list(expected))
    assert found["calibration.brier"].value == pytest.approx(np.average((stated - came) ** 2, weights=weight))
    assert found["calibration.brier"].low is not None
    rare, _, _ = stated_subject(classification)
    rare.predictions.frame["y_true"] = np.where(np.arange(60) < 4, "1", "0")
    lacking = {m.name: m for m in audit(rare, replicates=30).measures if m.by is None}["calibration.brier"]
    assert (lacking.low, lacking.unsupported is not None) == (None, True)


def test_of_more_classes_it_is_the_decision_that_comes_true_and_not_the_likeliest_class(classification) -> None:
    made = classification(["a", "b", "c", "a"], ["b", "b", "a", "a"], {}, classes=("a", "b", "c"))
    scores = np.array([[0.5, 0.4, 0.1], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.7, 0.2, 0.1]])
    frame = made.predictions.frame.assign(**{f"score.{name}": scores[:, k] for k, name in enumerate("abc")})
    stated, came, what = _stated(replace(made, predictions=replace(made.predictions, frame=frame)))
    assert (stated.tolist(), came.tolist(), what) == ([0.4, 0.3, 0.6, 0.7], [0, 1, 0, 1], "the predicted class")


@pytest.mark.parametrize(("p", "adjusted", "grade"), [(0.01, 0.06, "unclear"), (0.06, 0.05, "concern"), (0.01, 0.05, "concern")])
def test_the_p_value_that_is_corrected_for_all_parts_decides(p: float, adjusted: float, grade: str) -> None:
    error, bias = Error(value=0.3, low=0.2, high=0.4, p=p), Estimate.of(0.1, 0.05, 0.2, n=90)
    part = Part(by=None, group=None, n=90, error=error, bias=bias, adjusted=adjusted)
    assert [found.grade for found in findings([part], 0.05, "“yes”")] == [grade]
