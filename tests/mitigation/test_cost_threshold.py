"""The threshold of least cost: against tables by hand, every threshold tried, a law, and simulated sets."""

import json

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.errors import DataError
from glassbench_plugins.mitigation.least_cost import least_cost, row_costs, thresholds


def test_the_least_cost_is_that_of_a_table_by_hand() -> None:
    score = np.array([0.1, 0.3, 0.4, 0.6, 0.8])
    truth = np.array([False, True, False, True, True])
    tried = thresholds(score)
    assert tried[:-1].tolist() == pytest.approx([0, 0.2, 0.35, 0.5, 0.7])
    total = row_costs(score, truth, tried, 5, 1).sum(axis=0)
    assert total.tolist() == [2, 1, 6, 5, 10, 15]
    found = least_cost(score, truth, np.ones(5), 5, 1)
    assert (found.threshold, found.cost) == (pytest.approx(0.2), pytest.approx(1 / 5))
    held = np.array([1.0, 1, 20, 1, 1])
    assert least_cost(score, truth, held, 5, 1).threshold == pytest.approx(0.5)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_a_calibrated_score_is_decided_from_the_ratio_of_costs(ratio) -> None:
    """Elkan (2001): false_positive / (false_positive + false_negative)."""
    chance = np.random.default_rng(0)
    score = chance.random(20_000)
    truth = chance.random(20_000) < score
    found = least_cost(score, truth, np.ones(20_000), ratio, 1.0)
    assert found.low <= 1 / (1 + ratio) <= found.high
    assert abs(found.threshold - 1 / (1 + ratio)) < 0.06
    assert found.high - found.low < 0.3


@pytest.mark.slow
def test_the_set_holds_the_best_threshold_in_simulation() -> None:
    held = 0
    for seed in range(300):
        chance = np.random.default_rng(seed)
        score = chance.random(400)
        found = least_cost(score, chance.random(400) < score, np.ones(400), 3.0, 1.0)
        held += found.low <= 0.25 <= found.high
    assert held >= 0.95 * 300 - 2 * np.sqrt(300 * 0.05 * 0.95)


def test_a_run_decides_by_it_and_other_costs_than_the_tasks_are_refused(table, experiment, tmp_path) -> None:
    costs = {"false_negative": 5.0, "false_positive": 1.0}
    asked = {
        **experiment,
        "task": {"use": "classification", "costs": costs},
        "mitigations": [{"use": "cost-threshold", **costs}],
        "audits": ["performance"],
    }
    plain = glassbench.run({**asked, "mitigations": []}, data=table, runs=tmp_path)
    run = glassbench.run(asked, data=table, runs=tmp_path)
    fitted = json.loads((run.folder / "calibration.json").read_text())["decisions"][0]
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    assert (frame.y_pred == "yes").tolist() == (frame["score.yes"] >= fitted["threshold"]).tolist()
    assert fitted["low"] <= fitted["threshold"] <= fitted["high"]
    cost = {each: next(m.value for m in each.measures if m.name == "performance.cost") for each in (plain, run)}
    wrong = 5 * ((frame.y_true == "yes") & (frame.y_pred == "no")) + ((frame.y_true == "no") & (frame.y_pred == "yes"))
    assert cost[run] == pytest.approx(wrong.mean())
    assert cost[run] < cost[plain]
    assert "95\u00a0% confidence set" in (run.folder / "report.html").read_text()
    with pytest.raises(DataError, match="other costs than the task"):
        glassbench.run({**asked, "mitigations": ["cost-threshold"]}, data=table, runs=tmp_path)
