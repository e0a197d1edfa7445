"""Rows that are left open: the cut against counts by hand, the error that stays against its promise, and a run by group."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

import glassbench
from glassbench import Schema, Target
from glassbench.contracts.task import Predictions
from glassbench.errors import DataError, ExperimentError
from glassbench.report.compare import compare
from glassbench_plugins.mitigation.abstention import Abstention
from glassbench_plugins.mitigation.confidence_cut import least_rows, of_coverage, of_error, upper_bound
from glassbench_plugins.mitigation.decided_rows import METRICS


def test_a_coverage_decides_the_surest_rows_and_rows_of_one_score_together() -> None:
    score = np.array([0.9, 0.8, 0.8, 0.7, 0.6])
    assert [of_coverage(score, np.ones(5), share).score for share in (0.2, 0.4, 0.6, 0.8, 1.0)] == [0.9, 0.8, 0.8, 0.7, 0.6]
    assert of_coverage(score, np.array([1.0, 0, 0, 3, 1]), 0.8).score == 0.7


def test_the_upper_bound_is_that_of_clopper_and_pearson() -> None:
    wrong = np.arange(80) < 7
    assert upper_bound(wrong, np.ones(80), 0.95) == pytest.approx(binomtest(7, 80).proportion_ci(0.9).high)
    twice = upper_bound(wrong, np.full(80, 2.0), 0.95, counted=True)
    assert twice == pytest.approx(binomtest(14, 160).proportion_ci(0.9).high)
    assert upper_bound(np.ones(4, dtype=bool), np.ones(4), 0.95) == 1


def drawn(seed: int, rows: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Return scores that are true chances of being right, and whether rows are wrong."""
    chance = np.random.default_rng(seed)
    score = chance.uniform(0.5, 1, rows)
    return score, chance.random(rows) > score


def test_the_error_among_decided_rows_is_seldom_larger_than_asked_for() -> None:
    """With scores that are true chances, the error above a score s is (1 - s) / 2: the truth of each cut is known."""
    cuts = [of_error(*drawn(seed), np.ones(2000), 0.15, 0.9) for seed in range(300)]
    truth = np.array([(1 - cut.score) / 2 for cut in cuts if cut.met])
    assert len(truth) > 290
    assert np.mean(truth > 0.15) <= 0.1
    assert 0.1 < np.median(truth) <= 0.15


def test_an_error_that_no_cut_shows_is_said_not_to_be_met() -> None:
    cut = of_error(np.linspace(0.5, 1, 300), np.arange(300) % 2 == 0, np.ones(300), 0.05, 0.95)
    assert not cut.met
    assert cut.bound > 0.4


def test_rows_of_exactly_the_lowest_score_are_decided() -> None:
    score = np.array([0.9, 0.8, 0.8, 0.7, 0.6])
    frame = pd.DataFrame({"row": range(5), "y_pred": "a", "y_true": list("aabab"), "score.a": score, "score.b": 1 - score})
    predictions, mitigation = Predictions(frame=frame), Abstention(coverage=0.6)
    facts = mitigation.fit_decisions(predictions, Schema(modality="table", shape=(1,), target=Target(name="t", kind="class")))
    assert (facts["score"], facts["coverage"]) == (0.8, 0.6)
    assert mitigation.decide(predictions, facts).frame["decided"].tolist() == [True, True, True, False, False]


def test_what_is_measured_is_counted_by_hand() -> None:
    frame = pd.DataFrame({"y_true": list("aabb"), "y_pred": list("abbb"), "decided": [True, True, False, True]})
    told = {m.name: float(m.compute(frame, np.ones((1, 4)))[0]) for m in METRICS}
    assert told == {"decided_share": 0.75, "error_among_decided": pytest.approx(1 / 3), "error_if_decided": 0.0}
    weighed = {m.name: float(m.compute(frame, np.array([[1.0, 2, 5, 1]]))[0]) for m in METRICS}
    assert weighed["decided_share"] == pytest.approx(4 / 9)
    assert weighed["error_among_decided"] == 0.5
    assert METRICS[1].infer(frame, np.random.default_rng(0)).n == 3


@pytest.fixture(scope="module")
def run(table, experiment, tmp_path_factory):
    asked = {**experiment, "mitigations": [{"use": "abstention", "coverage": 0.8}]}
    asked["gates"] = [{"measure": "performance.decided_share", "at_least": 0.5}]
    return glassbench.run(asked, data=table, runs=tmp_path_factory.mktemp("runs"))


def test_a_run_says_who_is_not_decided(run, table) -> None:
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    sure = frame[["score.no", "score.yes"]].max(axis=1)
    assert 0.7 < frame["decided"].mean() < 0.9
    assert sure[frame["decided"]].min() > sure[~frame["decided"]].max()
    whole = {m.name: m.value for m in run.measures if not m.group}
    assert whole["performance.decided_share"] == pytest.approx(frame["decided"].mean())
    wrong = (frame["y_true"] != frame["y_pred"])[frame["decided"]].mean()
    assert whole["performance.error_among_decided"] == pytest.approx(wrong)
    assert wrong < 1 - whole["performance.accuracy"] < whole["performance.error_if_decided"]
    women = next(m for m in run.measures if m.name == "fairness.decided_share" and m.group == {"sex": "f"})
    assert women.value == pytest.approx(frame.loc[frame["group.sex"] == "f", "decided"].mean())
    assert women.low < women.value < women.high
    assert "fairness.decided_share_difference" in whole


def test_the_rule_is_kept_and_applied_to_new_rows(run, table) -> None:
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    again = glassbench.load_run(run.folder).predict(table.head(50).drop(columns="approved"))
    cut = frame.loc[frame["decided"], ["score.no", "score.yes"]].max(axis=1).min()
    assert again["decided"].tolist() == (again[["score.no", "score.yes"]].max(axis=1) >= cut - 1e-9).tolist()


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"coverage": 0.9, "error": 0.1}, DataError, "not by both"),
        ({"error": 0.001}, DataError, "so few validation rows"),
        ({"coverage": 1.5}, ExperimentError, "coverage"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_training(table, experiment, tmp_path, settings, error, words) -> None:
    asked = {**experiment, "mitigations": [{"use": "abstention", **settings}]}
    with pytest.raises(error, match=words):
        glassbench.run(asked, data=table, runs=tmp_path)
    assert not list(tmp_path.rglob("model*"))


def test_the_fewest_rows_that_could_show_an_error() -> None:
    rows = least_rows(0.02, 0.95)
    assert not of_error(np.linspace(0.5, 1, rows - 1), np.zeros(rows - 1, dtype=bool), np.ones(rows - 1), 0.02, 0.95).met
    assert of_error(np.linspace(0.5, 1, rows), np.zeros(rows, dtype=bool), np.ones(rows), 0.02, 0.95).met


def test_two_runs_that_leave_rows_open_are_compared_by_what_is_decided(run, table, experiment, tmp_path) -> None:
    other = glassbench.run({**experiment, "mitigations": [{"use": "abstention", "coverage": 0.5}]}, data=table, runs=tmp_path)
    measures = compare([run.folder, other.folder])["differences"][0]["measures"]
    found = {m["name"]: m["difference"] for m in measures if not m["by"] or (m["by"] == ["sex"] and not m["group"])}
    first, second = (pd.read_parquet(one.folder / "predictions.parquet") for one in (run, other))
    share = found["performance.decided_share"]
    assert share["how"] == "paired"
    assert share["value"] == pytest.approx(second["decided"].mean() - first["decided"].mean())
    assert share["high"] < 0
    assert found["performance.error_among_decided"]["how"] == "paired"
    assert found["fairness.decided_share_difference"]["how"] == "paired"
