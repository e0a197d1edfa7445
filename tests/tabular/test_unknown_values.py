"""Values to be predicted that are not known in some rows: learnt from where known, decided everywhere, judged where known."""

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.errors import GlassbenchError

CHANCE = np.random.default_rng(21)
N = 300
FRAME = pd.DataFrame({"area": CHANCE.normal(90, 25, N), "region": CHANCE.choice(["a", "b"], N)})
FRAME["price"] = (FRAME["area"] * 2000 + CHANCE.normal(0, 20_000, N)).round()
UNKNOWN = np.flatnonzero(CHANCE.random(N) < 0.3)
HOLED = FRAME.assign(price=FRAME["price"].mask(FRAME.index.isin(UNKNOWN)))


def ran(frame, root, model="hist-gradient-boosting", **settings):
    experiment = {
        "name": "prices",
        "dataset": {"use": "table", "target": "price", "kind": "value", "sensitive": ["region"], **settings},
        "task": "regression",
        "model": model,
        "audits": ["performance", "fairness", "errors", "data"],
    }
    if model == "mlp":
        experiment["trainer"] = {"use": "lightning", "max_epochs": 2}
    return glassbench.run(experiment, data=frame, runs=root)


@pytest.fixture(scope="module", params=["hist-gradient-boosting", "mlp"])
def run(request, tmp_path_factory):
    return ran(HOLED, tmp_path_factory.mktemp("prices"), request.param)


def measure(run, name, **group):
    return next(m for m in run.measures if m.name == name and (m.group or {}) == group)


def test_rows_without_a_value_are_decided_and_said(run):
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    without = frame["y_true"].isna()
    assert without.sum() == round(0.2 * len(UNKNOWN))
    assert set(frame["row"][without]) <= set(UNKNOWN)
    assert frame["y_pred"].notna().all()
    assert not set(frame["row"][~without]) & set(UNKNOWN)
    said = (run.folder / "data.json").read_text()
    assert f"{len(UNKNOWN)} rows without a value of 'price' were left out, but for {without.sum()} test rows" in said


def test_errors_are_those_of_known_rows(run):
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    known = frame[frame["y_true"].notna()]
    off = (known["y_pred"] - known["y_true"]).abs()
    found = measure(run, "performance.mean_absolute_error")
    assert found.value == pytest.approx(off.mean())
    assert found.n == len(known)
    for region, rows in off.groupby(known["group.region"]):
        assert measure(run, "fairness.mean_absolute_error", region=region).value == pytest.approx(rows.mean())
    for region, rows in frame.groupby("group.region"):
        mean = measure(run, "fairness.mean_prediction", region=region)
        assert mean.value == pytest.approx(rows["y_pred"].mean())
        assert mean.n == len(rows)


def test_no_known_value_is_refused(tmp_path):
    with pytest.raises(GlassbenchError, match="no row has a value of 'price'"):
        ran(FRAME.assign(price=np.nan), tmp_path)
    assert not list(tmp_path.glob("2*"))


def test_test_rows_without_a_known_value_are_refused(tmp_path):
    holed = FRAME.assign(price=FRAME["price"].where(FRAME.index < 200), part=np.where(FRAME.index < 200, "train", "test"))
    with pytest.raises(GlassbenchError, match="no row with a known target is in the test part"):
        ran(holed, tmp_path, split={"by": "column", "column": "part"})


def test_values_decided_elsewhere_may_have_no_truth(tmp_path):
    path = tmp_path / "valued.csv"
    FRAME.assign(truth=HOLED["price"], decided=FRAME["area"] * 2000).to_csv(path, index=False)
    columns = {"truth": "truth", "decision": "decided", "sensitive": ["region"]}
    dataset = {"use": "predictions", "path": str(path), "kind": "value", **columns}
    experiment = {"name": "x", "dataset": dataset, "task": "given-values", "audits": ["performance", "fairness"]}
    run = glassbench.run(experiment, runs=tmp_path / "runs")
    off = (FRAME["area"] * 2000 - HOLED["price"]).abs()
    found = measure(run, "performance.mean_absolute_error")
    assert (found.value, found.n) == (pytest.approx(off.mean()), N - len(UNKNOWN))


def test_a_group_without_a_known_value_has_predictions_and_no_error(tmp_path):
    region = FRAME["region"].where(FRAME.index % 7 > 0, "c")
    run = ran(HOLED.assign(region=region, price=HOLED["price"].where(region != "c")), tmp_path)
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    c = frame[frame["group.region"] == "c"]
    assert len(c)
    assert c["y_true"].isna().all()
    assert measure(run, "fairness.mean_prediction", region="c").value == pytest.approx(c["y_pred"].mean())
    assert measure(run, "fairness.mean_absolute_error", region="c").value is None
