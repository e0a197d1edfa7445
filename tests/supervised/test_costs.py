"""The cost of wrong decisions against a sum made by hand, for all rows and by group."""

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.errors import DataError, ExperimentError

CHANCE = np.random.default_rng(4)
N = 600
FRAME = pd.DataFrame({"a": CHANCE.normal(size=N), "sex": CHANCE.choice(["f", "m"], N)})
FRAME["y"] = np.where(FRAME["a"] + CHANCE.normal(size=N) > 0, "yes", "no")
FRAME["three"] = FRAME["a"].rank(pct=True).mul(2.99).astype(int).map(list("abc").__getitem__)


def experiment(**changes):
    return {
        "name": "costs",
        "dataset": {"use": "table", "target": "y", "positive": "yes", "sensitive": ["sex"], "drop": ["three"]},
        "task": {"use": "classification", "costs": {"false_negative": 5, "false_positive": 1}},
        "model": "logistic-regression",
        "audits": {"performance": {}, "fairness": {"replicates": 50}},
        "gates": [{"measure": "performance.cost", "at_most": 5}],
        **changes,
    }


def test_costs_are_those_counted_by_hand(tmp_path):
    run = glassbench.run(experiment(), data=FRAME, runs=tmp_path)
    rows = pd.read_parquet(run.folder / "predictions.parquet").astype({"y_true": str, "y_pred": str, "group.sex": str})
    cost = 5.0 * ((rows["y_true"] == "yes") & (rows["y_pred"] == "no")) + ((rows["y_true"] == "no") & (rows["y_pred"] == "yes"))
    found = {(m.name, tuple((m.group or {}).values())): m for m in run.measures}
    whole = found["performance.cost", ()]
    assert whole.value == pytest.approx(cost.mean())
    assert whole.low < whole.value < whole.high
    for group, mean in cost.groupby(rows["group.sex"]).mean().items():
        assert found["fairness.cost", (group,)].value == pytest.approx(mean)
    assert run.verdict == "pass"


def test_more_than_two_classes_and_negative_costs_are_refused(tmp_path):
    with pytest.raises(DataError, match="need two classes"):
        glassbench.run(experiment(dataset={"use": "table", "target": "three", "drop": ["y"]}), data=FRAME, runs=tmp_path)
    with pytest.raises(ExperimentError):
        glassbench.run(experiment(task={"use": "classification", "costs": {"false_negative": -1}}), data=FRAME, runs=tmp_path)
    assert not list(tmp_path.glob("*/resolved.yaml"))
