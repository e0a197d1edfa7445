"""Survey weights of decisions in a file: values are scikit-learn's and Fairlearn's, and what weights cannot be is refused."""

import json

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as skm

from glassbench.cli.app import invoke

CHANCE = np.random.default_rng(3)
N = 700
TRUTH = CHANCE.random(N) < 0.4
SCORE = np.clip(CHANCE.normal(0.35 + 0.3 * TRUTH, 0.2), 0, 1).round(3)
ROWS = pd.DataFrame(
    {
        "truth": np.where(TRUTH, "yes", "no"),
        "decided": np.where(SCORE > 0.5, "yes", "no"),
        "p": SCORE,
        "g": CHANCE.choice(["a", "b", "c"], N, p=[0.5, 0.4, 0.1]),
        "h": CHANCE.choice(["x", "y"], N),
        "w": CHANCE.lognormal(0, 1, N),
    }
)
CLASSES = ("--truth", "truth", "--decision", "decided", "--positive", "yes", "--favourable", "yes")
FAST = ("audits={performance: {replicates: 50}, fairness: {replicates: 50}}",)


@pytest.fixture
def audit(tmp_path, capsys):
    def make(frame, *arguments, expect=0, columns=CLASSES):
        path = tmp_path / "given.csv"
        frame.to_csv(path, index=False)
        code = invoke(["audit", str(path), *columns, *FAST, *arguments, "--runs", str(tmp_path / "runs"), "--json"])
        captured = capsys.readouterr()
        assert code == expect, captured.err
        return json.loads(captured.out) if code != 2 else captured.err

    return make


def found(content):
    return {(m["name"], str(m["by"]), str(m["group"])): m for m in content["measures"]}


def values(content):
    return {str(key): m["value"] for key, m in found(content).items() if m["value"] is not None}


def test_metrics_of_classes_and_scores_are_those_of_scikit_learn(audit):
    measured = found(audit(ROWS, "--score", "p", "--weight", "w"))
    y, d, s, w = TRUTH.astype(int), (SCORE > 0.5).astype(int), SCORE, ROWS["w"]
    expected = {
        "accuracy": skm.accuracy_score(y, d, sample_weight=w),
        "balanced_accuracy": skm.balanced_accuracy_score(y, d, sample_weight=w),
        "macro_f1": skm.f1_score(y, d, sample_weight=w, average="macro"),
        "roc_auc": skm.roc_auc_score(y, s, sample_weight=w),
        "log_loss": skm.log_loss(y, s, sample_weight=w),
        "brier": skm.brier_score_loss(y, s, sample_weight=w),
        "precision[yes]": skm.precision_score(y, d, sample_weight=w),
        "recall[yes]": skm.recall_score(y, d, sample_weight=w),
        "recall[no]": skm.recall_score(1 - y, 1 - d, sample_weight=w),
    }
    got = {name: measured[f"performance.{name}", "None", "None"] for name in expected}
    assert {name: m["value"] for name, m in got.items()} == pytest.approx(expected, rel=1e-12)
    assert all(m["low"] < m["value"] < m["high"] for m in got.values())
    assert got["accuracy"]["n"] == N


@pytest.mark.parametrize("by", [["g"], ["h"], ["g", "h"]])
def test_rates_and_gaps_of_groups_are_those_of_fairlearn(audit, by):
    measured = found(audit(ROWS, "--sensitive", "g,h", "--weight", "w"))
    y, d, w = TRUTH.astype(int), (SCORE > 0.5).astype(int), ROWS["w"]
    rates = {
        "selection_rate": fl.selection_rate,
        "true_positive_rate": fl.true_positive_rate,
        "false_positive_rate": fl.false_positive_rate,
        "precision": skm.precision_score,
        "accuracy": skm.accuracy_score,
    }
    weighed = {name: {"sample_weight": w} for name in rates}
    frame = fl.MetricFrame(metrics=rates, y_true=y, y_pred=d, sensitive_features=ROWS[by], sample_params=weighed)
    for name in rates:
        for group, expected in frame.by_group[name].items():
            names = group if isinstance(group, tuple) else (group,)
            m = measured[f"fairness.{name}", str(by), str(dict(zip(by, names, strict=True)))]
            assert m["value"] == pytest.approx(expected, rel=1e-12)
            assert m["n"] <= len(ROWS)
    gaps = {
        "demographic_parity_difference": fl.demographic_parity_difference,
        "demographic_parity_ratio": fl.demographic_parity_ratio,
        "equalized_odds_difference": fl.equalized_odds_difference,
    }
    for name, gap in gaps.items():
        expected = gap(y, d, sensitive_features=ROWS[by], sample_weight=w)
        assert measured[f"fairness.{name}", str(by), "None"]["value"] == pytest.approx(expected, rel=1e-12)


def test_metrics_of_values_are_those_of_scikit_learn(audit):
    rows = pd.DataFrame({"y": CHANCE.normal(size=300), "w": CHANCE.lognormal(0, 1, 300), "g": CHANCE.choice(["a", "b"], 300)})
    rows["d"] = rows["y"] + CHANCE.normal(size=300)
    columns = ("--truth", "y", "--decision", "d", "--kind", "value", "--sensitive", "g")
    measured = found(audit(rows, "--weight", "w", columns=columns))
    expected = {
        "mean_absolute_error": skm.mean_absolute_error(rows["y"], rows["d"], sample_weight=rows["w"]),
        "root_mean_squared_error": skm.mean_squared_error(rows["y"], rows["d"], sample_weight=rows["w"]) ** 0.5,
        "r2": skm.r2_score(rows["y"], rows["d"], sample_weight=rows["w"]),
    }
    for name, value in expected.items():
        assert measured[f"performance.{name}", "None", "None"]["value"] == pytest.approx(value, rel=1e-12)
    for group, part in rows.groupby("g"):
        m = measured["fairness.mean_absolute_error", "['g']", str({"g": group})]
        assert m["value"] == pytest.approx(skm.mean_absolute_error(part["y"], part["d"], sample_weight=part["w"]), rel=1e-12)


def test_a_factor_on_all_weights_changes_nothing(audit):
    first, second = (
        found(audit(ROWS.assign(w=ROWS["w"] * factor), "--sensitive", "g", "--score", "p", "--weight", "w"))
        for factor in (1.0, 1e-3 / 7)
    )
    for key, m in first.items():
        for part in ("value", "low", "high", "n"):
            expected = m[part] if m[part] is None else pytest.approx(m[part], rel=1e-12, abs=1e-12)
            assert second[key][part] == expected, (key, part)


def test_ones_have_the_values_of_no_weights_and_whole_weights_those_of_counts(audit):
    plain = values(audit(ROWS, "--sensitive", "g"))
    assert values(audit(ROWS.assign(w=1.0), "--sensitive", "g", "--weight", "w")) == pytest.approx(plain, rel=1e-12)
    whole = ROWS.assign(w=CHANCE.integers(1, 6, N)).drop(columns="p")
    counted, weighted = (found(audit(whole, "--sensitive", "g", f"--{how}", "w")) for how in ("counts", "weight"))
    assert {key: m["value"] for key, m in weighted.items() if m["value"] is not None} == pytest.approx(
        {key: m["value"] for key, m in counted.items() if m["value"] is not None}, rel=1e-12
    )
    accuracy = "performance.accuracy", "None", "None"
    assert counted[accuracy]["n"] == whole["w"].sum()
    assert weighted[accuracy]["n"] == N  # counts are rows, weights are not
    width = {how: m[accuracy]["high"] - m[accuracy]["low"] for how, m in (("counts", counted), ("weight", weighted))}
    assert width["weight"] > 1.5 * width["counts"]


def test_rows_that_weigh_nothing_are_left_out_and_counted(audit):
    content = audit(ROWS.assign(w=np.where(np.arange(N) % 7, ROWS["w"], 0)), "--sensitive", "g", "--weight", "w")
    kept = audit(ROWS[np.arange(N) % 7 > 0], "--sensitive", "g", "--weight", "w")
    assert values(content) == pytest.approx(values(kept), rel=1e-12)
    said = json.dumps(content)
    assert "100 rows with a weight of 0 in 'w' were left out" in said


def test_a_gap_that_weights_alone_show_is_found(audit):
    """Within either group half are selected; among those of large weight, group a is and group b is not."""
    group, heavy = np.arange(4000) % 2, np.arange(4000) // 2 % 2
    rows = pd.DataFrame({"d": np.where(group ^ heavy, "yes", "no"), "g": np.where(group, "b", "a"), "w": np.where(heavy, 3.0, 1)})
    rows["d"] = np.where(CHANCE.random(4000) < 0.05, np.where(rows["d"] == "yes", "no", "yes"), rows["d"])
    columns = ("--decision", "d", "--favourable", "yes", "--sensitive", "g")
    gate = "gates=[{measure: fairness.demographic_parity_difference, by: g, at_most: 0.1}]"
    assert audit(rows, gate, columns=columns)["gates"][0]["verdict"] == "pass"
    weighted = audit(rows, gate, "--weight", "w", columns=columns, expect=1)
    assert weighted["gates"][0]["verdict"] == "fail"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({3: "much"}, "finite numbers"),
        ({3: -1.0, 5: -2.0}, "0 or above"),
        ({3: None, 9: None}, "no weight"),
        ({3: "inf"}, "finite numbers"),
    ],
)
def test_what_is_no_weight_is_refused_with_its_rows(audit, cells, said):
    rows = ROWS.astype({"w": object})
    for row, cell in cells.items():
        rows.loc[row, "w"] = cell
    error = audit(rows, "--weight", "w", expect=2)
    assert said in error
    assert "row" in error
    assert "3" in error


@pytest.mark.parametrize(
    ("frame", "arguments", "said"),
    [
        (ROWS.assign(w=0), ("--weight", "w"), "all weights"),
        (ROWS.assign(n=1), ("--weight", "w", "--counts", "n"), "either weights or counts"),
        (ROWS, ("--weight", "decided"), "column of their own"),
        (ROWS, ("--weight", "nothing"), "no column"),
        (ROWS, ("--weight", "w", "--engine", "duckdb"), "row by row"),
    ],
)
def test_weights_that_cannot_be_used_are_refused_with_the_fix(audit, frame, arguments, said):
    assert said in audit(frame, *arguments, expect=2)


def test_weights_and_clusters_hold_together(audit):
    """Each row ten times, in clusters: as wide as the rows alone, where copies taken as independent are much narrower."""
    copies = ROWS.assign(c=np.arange(N)).loc[ROWS.index.repeat(10)]
    once, clustered, alone = (
        found(audit(rows, "--weight", "w", *how))["performance.accuracy", "None", "None"]
        for rows, how in ((ROWS, ()), (copies, ("--cluster", "c")), (copies, ()))
    )
    width, wide, narrow = (m["high"] - m["low"] for m in (once, clustered, alone))
    assert wide == pytest.approx(width, rel=0.02)
    assert narrow < width / 2.5
