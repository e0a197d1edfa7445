"""Published figures, reproduced from files of decisions through the command line."""

import json
from pathlib import Path

import fairlearn.metrics as fl
import pandas as pd
import pytest
import sklearn.metrics as skm
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from glassbench.cli.app import invoke

DATA = Path(__file__).parents[2].parent / "shared" / "data"
COMPAS = DATA / "compas" / "compas_two_years_deid.csv.gz"
ADULT = [DATA / "adult" / name for name in ("test.csv.gz", "train.csv.gz")]
PROPUBLICA = {  # rows, and per cent of false positives, false negatives and precision
    "African-American": (3696, 44.85, 27.99, 62.97),
    "Caucasian": (2454, 23.45, 47.72, 59.13),
    "Hispanic": (637, 21.48, 55.60, 54.21),
    "Other": (377, 14.75, 67.67, 54.43),
    "Asian": (32, 8.70, 33.33, 75.00),
    "Native American": (18, 37.50, 10.00, 75.00),
}
METRICS = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "false_negative_rate": fl.false_negative_rate,
    "precision": skm.precision_score,
    "accuracy": skm.accuracy_score,
}

needs_compas = pytest.mark.skipif(not COMPAS.is_file(), reason=f"needs {COMPAS.name} of the data set compas")


def _audit(capsys, folder, path, *arguments):
    code = invoke(["audit", str(path), *arguments, "--runs", str(folder), "--json", "audits=[fairness]"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out)


@pytest.fixture(scope="module")
def compas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compas")
    arguments = ["--truth", "two_year_recid", "--decision", "score_text", "--decides", "Medium,High", "--positive", "1"]
    code = invoke(["audit", str(COMPAS), *arguments, "--sensitive", "race", "--runs", str(folder), "audits=[fairness]"])
    assert code == 0
    return json.loads(next(folder.glob("*/audits/fairness/result.json")).read_text())


def _value(content, name, **group):
    return next(m for m in content["measures"] if m["name"] == f"fairness.{name}" and (m["group"] or {}) == group and m["by"])


@needs_compas
@pytest.mark.parametrize("race", PROPUBLICA)
def test_propublicas_table(compas, race):
    n, *published = PROPUBLICA[race]
    rates = ("false_positive_rate", "false_negative_rate", "precision")
    assert [round(100 * _value(compas, rate, race=race)["value"], 2) for rate in rates] == published
    assert _value(compas, "selection_rate", race=race)["n"] == n


@needs_compas
def test_tiny_groups_do_not_drive_the_headline(compas):
    gaps = ("demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference")
    assert [_value(compas, gap)["value"] for gap in gaps] == pytest.approx([0.457118, 0.314324, 0.576692], abs=1e-6)
    large = [_value(compas, f"{gap}_without_small")["value"] for gap in gaps]
    assert large == pytest.approx([0.378654, 0.356253, 0.396839], abs=1e-6)
    said = [f["sentence"] for f in compas["findings"] if f["grade"] in ("ok", "concern")]
    assert said
    assert not any("Native American" in sentence or "Asian" in sentence for sentence in said)
    small = next(f["sentence"] for f in compas["findings"] if "too small to judge" in f["sentence"])
    assert "“Asian” (n 32)" in small
    assert "“Native American” (n 18)" in small


@needs_compas
def test_every_count_based_figure_is_fairlearns_to_the_last_bit(compas):
    table = pd.read_csv(COMPAS)
    truth, decision = table["two_year_recid"], (table["score_text"] != "Low").astype(int)
    frame = fl.MetricFrame(metrics=METRICS, y_true=truth, y_pred=decision, sensitive_features=table["race"])
    for name in METRICS:
        for race in PROPUBLICA:
            assert _value(compas, name, race=race)["value"] == frame.by_group[name][race]
        assert _value(compas, f"{name}_difference")["value"] == frame.difference()[name]
        assert _value(compas, f"{name}_ratio")["value"] == frame.ratio()[name]


@pytest.mark.slow
@pytest.mark.skipif(not all(path.is_file() for path in ADULT), reason="needs the data set adult")
def test_aif360s_adult(tmp_path, capsys):
    rows = pd.concat([pd.read_csv(path, skipinitialspace=True, na_values="?") for path in ADULT]).dropna().drop(columns="fnlwgt")
    rich = rows.pop("income").str.startswith(">50K").astype(int)
    numbers = rows.select_dtypes("number")  # after the categories: the solver stops at slightly different weights otherwise
    inputs = pd.concat([pd.get_dummies(rows.drop(columns=numbers.columns), dtype=float), numbers], axis=1)
    split = train_test_split(inputs, rich, rows["sex"], train_size=0.7, random_state=1234567)
    train, test, train_truth, truth, _, groups = split
    decision = LogisticRegression(solver="liblinear").fit(train, train_truth).predict(test)
    pd.DataFrame({"truth": truth, "decided": decision, "sex": groups}).to_csv(tmp_path / "adult.csv", index=False)
    arguments = ["--truth", "truth", "--decision", "decided", "--sensitive", "sex", "--positive", "1"]
    content = _audit(capsys, tmp_path / "runs", tmp_path / "adult.csv", *arguments)
    accuracy = next(m["value"] for m in content["measures"] if m["name"] == "fairness.accuracy" and m["by"] is None)
    assert accuracy == pytest.approx(0.845507, abs=5e-7)
    assert _value(content, "demographic_parity_ratio")["value"] == pytest.approx(0.268898, abs=5e-7)
