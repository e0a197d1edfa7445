"""Labels for values and columns, and the order in which groups are shown."""

import json

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.errors import GlassbenchError
from glassbench.rows.group_order import in_group_order
from glassbench.toolkit.cells.groups import band_names

CHANCE = np.random.default_rng(4)
N = 150
FRAME = pd.DataFrame(
    {"sex": CHANCE.choice([1, 2], N), "bmi": CHANCE.normal(27, 4, N).round(1), "job": CHANCE.choice(["a", "b"], N)}
)
FRAME["outcome"] = (FRAME["bmi"] + CHANCE.normal(0, 3, N) > 27).astype(int)
YAML = """
name: labelled
dataset:
  use: table
  path: {path}
  target: outcome
  positive: "1"
  sensitive: [sex]
  labels: {{sex: {{1: man, 2: woman}}, outcome: {{0: healed, 1: ill}}, job: {{a: artist}}, bmi: body mass index}}
  units: {{bmi: kg/m2}}
task: classification
model: logistic-regression
audits: [performance, fairness]
gates: [{{measure: fairness.selection_rate, group: {{sex: woman}}, at_most: 1.0, on: value}}]
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("labelled")
    FRAME.to_csv(root / "a.csv", index=False)
    (root / "e.yaml").write_text(YAML.format(path=root / "a.csv"))
    return glassbench.run(root / "e.yaml", runs=root)


def test_labels_are_used_everywhere(trained):
    frame = pd.read_parquet(trained.folder / "predictions.parquet")
    want = FRAME["sex"].map({1: "man", 2: "woman"}).iloc[frame["row"]].tolist()
    assert frame["group.sex"].tolist() == want
    assert set(frame["y_true"]) == {"healed", "ill"}
    assert {m.group["sex"] for m in trained.measures if m.group} == {"man", "woman"}
    assert len(trained.gates) == 1  # a gate speaks of the label
    schema = (trained.folder / "schema.json").read_text()
    assert '"body mass index"' in schema
    assert '"kg/m2"' in schema
    assert '"bmi"' not in schema
    assert '"positive": "ill"' in schema
    said = (trained.folder / "data.json").read_text()
    assert "values are shown by their labels (1 as man, 2 as woman)" in said
    assert "without a label: b" in said


def test_new_rows_may_hold_codes_or_labels(trained):
    labelled = FRAME.assign(sex=FRAME["sex"].map({1: "man", 2: "woman"}), job=FRAME["job"].replace("a", "artist"))
    labelled = labelled.rename(columns={"bmi": "body mass index"}).drop(columns="outcome")
    pd.testing.assert_frame_equal(
        trained.predict(FRAME.drop(columns="outcome"))[["y_pred", "group.sex"]],
        trained.predict(labelled)[["y_pred", "group.sex"]],
    )
    assert trained.unusual(FRAME[:20].assign(bmi=27.0)) == ()


@pytest.mark.parametrize(
    ("bins", "whole", "decimals", "names"),
    [
        ((1000000, 2500000), True, None, ("under 1000000", "1000000 to 2499999", "2500000 and over")),
        ((1234567.5,), False, None, ("under 1234567.5", "1234567.5 and over")),
        ((0.25, 0.5), False, None, ("under 0.25", "0.25 to under 0.5", "0.5 and over")),
        ((30000.0, 60000.0), True, 0, ("under 30,000", "30,000 to 59,999", "60,000 and over")),
        ((9999.5, 20000.25), False, 1, ("under 9,999.5", "9,999.5 to under 20,000.2", "20,000.2 and over")),
    ],
)
def test_bands_are_named_by_their_bounds(bins, whole, decimals, names):
    found = band_names(bins, whole, decimals)
    assert found == names
    assert in_group_order(reversed(found)) == list(names)


def test_bands_of_one_name_are_refused():
    with pytest.raises(GlassbenchError, match="two bands would have one name"):
        band_names((0.1, 0.2, 0.3), whole=False, decimals=0)


def test_decimals_and_units_are_used_where_values_are_shown(tmp_path):
    rich = FRAME.assign(income=CHANCE.normal(40_000, 9_000, N).round(2))
    dataset = {
        "use": "table",
        "target": "outcome",
        "sensitive": [{"column": "income", "bins": [35000]}],
        "sensitive_as_input": True,
        "units": {"income": "EUR"},
        "decimals": {"income": 0},
    }
    model = {"use": "logistic-regression"}
    audits = {"fairness": {}, "explain": {"rows": 10}}
    experiment = {"name": "x", "dataset": dataset, "task": "classification", "model": model, "audits": audits}
    run = glassbench.run(experiment, data=rich, runs=tmp_path)
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    assert set(frame["group.income_band"]) == {"under 35,000", "35,000 and over"}
    shown = (run.folder / "audits" / "explain" / "result.json").read_text()
    row = json.loads(shown)["cases"][0]["row"]
    assert f"{rich['income'].iloc[int(row)]:,.0f} EUR" in shown


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"sex": {"3": "other"}}, "a label is for a value that 'sex' does not have"),
        ({"sexe": {"1": "man"}}, "no column 'sexe'"),
        ({"bmi": "job"}, "two columns would be called 'job'"),
        ({"bmi": "x", "job": "x"}, "two columns would be called 'x'"),
    ],
)
def test_labels_that_fit_nothing_are_refused(labels, words, tmp_path):
    dataset = {"use": "table", "target": "outcome", "labels": labels}
    experiment = {"name": "x", "dataset": dataset, "task": "classification", "model": "logistic-regression", "audits": []}
    with pytest.raises(GlassbenchError, match=words):
        glassbench.run(experiment, data=FRAME, runs=tmp_path)


@pytest.mark.parametrize(
    "order",
    [
        ["under 18", "18 to 64", "65 to 99", "100 and over", "missing"],
        ["under 7.5", "7.5 to under 30", "30 to under 102.25", "102.25 and over"],
        ["<25", "25-34", "35-104", "105+"],
        ["2", "9", "10", "100"],
        ["f", "m", "missing"],
        ["-5 to under 0", "0 to under 5", "over 5"],
        ["Less than 25", "25 - 45", "Greater than 45"],
        ["[0-10)", "[10-20)", "[90-100)", "[100-110)"],
        ["(18.999, 30.0]", "(30.0, 45.0]", "(100.0, 101.5]"],
        ["under 18 years", "18 to 64 years", "65 years and over", "not asked", "missing"],
        ["< €9,000", "€9,000 to €29,999", "€30,000 and over"],
        ["8 years", "9 years", "10 years"],
        ["a1", "a10", "a2"],
        ["10 Downing", "Other", "Privat"],
    ],
)
def test_bands_are_in_the_order_of_their_bounds(order):
    assert in_group_order(reversed(order)) == order


def test_a_report_shows_bands_by_age(tmp_path):
    ages = FRAME.assign(age=CHANCE.integers(5, 120, N))
    sensitive = [{"column": "age", "bins": [9, 50, 100]}]
    dataset = {"use": "table", "target": "outcome", "sensitive": sensitive}
    experiment = {
        "name": "x",
        "dataset": dataset,
        "task": "classification",
        "model": "logistic-regression",
        "audits": ["fairness"],
    }
    run = glassbench.run(experiment, data=ages, runs=tmp_path)
    shown = list(dict.fromkeys(m.group["age_band"] for m in run.measures if m.group and "age_band" in m.group))
    assert shown == [band for band in ["under 9", "9 to 49", "50 to 99", "100 and over"] if band in shown]
    assert len(shown) > 2
