"""Decisions made elsewhere, audited from files through the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import glassbench
from glassbench.cli.app import invoke
from glassbench.errors import GlassbenchError
from glassbench.toolkit.cells.cells import Cells

EIGHTEEN = pd.DataFrame(
    {
        "truth": [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1],
        "decided": [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0],
        "group": list("bbabbcccaacabccbcc"),
    }
)


@pytest.fixture
def audit(tmp_path, capsys):
    def make(frame, *arguments, expect=0):
        path = tmp_path / "given.csv"
        if isinstance(frame, pd.DataFrame):
            frame.to_csv(path, index=False)
        elif isinstance(frame, str):
            path.write_text(frame)
        else:
            path = frame
        columns = ["--truth", "truth", "--decision", "decided"] if "--truth" not in arguments else []
        code = invoke(["audit", str(path), *columns, *arguments, "--runs", str(tmp_path / "runs"), "--json"])
        captured = capsys.readouterr()
        assert code == expect, captured.err
        return json.loads(captured.out) if code != 2 else captured.err

    return make


def value(content, name, **group):
    found = [m for m in content["measures"] if m["name"] == name and (m["group"] or {}) == group]
    return found[0]["value"]


def test_fairlearns_eighteen_rows(audit):
    content = audit(EIGHTEEN, "--sensitive", "group")
    rates = {g: value(content, "fairness.selection_rate", group=g) for g in "abc"}
    assert rates == {"a": 0.75, "b": 0.5, "c": 0.5}
    assert [value(content, "fairness.true_positive_rate", group=g) for g in "abc"] == [0.5, 0.6, 0.4]
    ratio = next(m["value"] for m in content["measures"] if m["name"] == "fairness.demographic_parity_ratio")
    assert ratio == pytest.approx(0.6667, abs=1e-4)


def test_scores_are_judged_where_they_are_known(audit):
    chance = np.random.default_rng(0)
    score = chance.uniform(size=200)
    frame = pd.DataFrame({"truth": chance.uniform(size=200) < score, "decided": score > 0.5, "p": score})
    assert value(audit(frame, "--score", "p"), "performance.roc_auc") > 0.7
    assert "performance.roc_auc" not in {m["name"] for m in audit(frame)["measures"]}


@pytest.mark.parametrize(("words", "positive"), [(("deny", "approve"), "approve"), (("no", "approved"), None), ((0, 1), None)])
def test_the_positive_class_is_named_or_plain(audit, words, positive):
    chance = np.random.default_rng(0)
    score = chance.uniform(size=400)
    truth, decided = (np.array(words)[values.astype(int)] for values in (chance.uniform(size=400) < score, score > 0.5))
    frame = pd.DataFrame({"truth": truth, "decided": decided, "p": score})
    content = audit(frame, "--score", "p", *(["--positive", positive] if positive else []))
    assert value(content, "performance.roc_auc") == pytest.approx(roc_auc_score(truth == words[1], score))


def test_values_and_several_files(audit, tmp_path):
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"truth": chance.normal(size=80)})
    frame["decided"] = frame["truth"] + 0.5
    frame.to_parquet(tmp_path / "more.parquet")
    assert value(audit(frame, "--kind", "value"), "performance.mean_absolute_error") == pytest.approx(0.5)
    both = audit(tmp_path / "more.parquet", str(tmp_path / "more.parquet"), "--kind", "value")
    assert next(m["n"] for m in both["measures"] if m["name"] == "performance.mean_absolute_error") == 160


def test_the_report_says_that_there_is_no_model(audit):
    page = Path(audit(EIGHTEEN, "--sensitive", "group")["report"]).read_text()
    assert "only its decisions are known" in page


@pytest.mark.parametrize(
    ("frame", "arguments", "words"),
    [
        (EIGHTEEN, ["--sensitive", "sex"], "no column 'sex'"),
        (EIGHTEEN, ["--positive", "2"], "there is no class '2'"),
        (EIGHTEEN, ["--decides", "3"], "no decision reads '3'"),
        (EIGHTEEN.assign(p=2.0), ["--score", "p"], "outside 0 to 1"),
        (EIGHTEEN.assign(truth=1, decided=1), [], "one class only"),
        (EIGHTEEN.iloc[:0], [], "empty"),
        (EIGHTEEN.iloc[:1], [], "one class only"),
        ("truth,decided\n1,0,3\n", [], "a row has 3 cells"),
        ("truth,decided\ndeny,approve\napprove,deny\n", [], "which of the two classes"),
        (EIGHTEEN.assign(p=1 - EIGHTEEN["decided"]), ["--score", "p"], "--positive 0"),
        (EIGHTEEN.assign(decided=EIGHTEEN["decided"].map({0: "low", 1: "high"})), [], "never the truth"),
        (EIGHTEEN.assign(decided=np.arange(18) % 3), [], "never the truth"),
        (EIGHTEEN.assign(truth=np.arange(18) % 3, decided=np.arange(18) % 3), ["--positive", "1"], "where there are two"),
        (EIGHTEEN, ["--truth", "decided", "--decision", "decided"], "one column"),
        (EIGHTEEN, ["--only", "fairness"], "--only goes with a RUN"),
        (
            EIGHTEEN,
            ["--sensitive", "group", "gates=[{measure: fairness.selection_rate, group: {group: d}, at_least: 0}]"],
            "no row",
        ),
        (EIGHTEEN.assign(decided=None), [], "no row has a truth and a decision"),
    ],
)
def test_files_that_cannot_be_audited(audit, frame, arguments, words):
    assert words in audit(frame, *arguments, expect=2)


@pytest.mark.parametrize(
    "frame",
    [
        EIGHTEEN.assign(group="only"),
        EIGHTEEN.assign(group=None),
        EIGHTEEN.assign(decided=0),
        EIGHTEEN.assign(decided=1),
        EIGHTEEN.iloc[:2],
        EIGHTEEN.iloc[[1]],
    ],
    ids=["one group", "no group known", "nobody selected", "all selected", "two rows", "one row"],
)
def test_what_cannot_be_told_is_said_not_guessed(audit, frame):
    content = audit(frame, "--sensitive", "group")
    assert content["verdict"] == "not applicable"
    for measure in content["measures"]:
        assert (measure["value"] is None) == (measure["undefined"] is not None)


def test_one_row_tells_nothing(audit):
    content = audit(EIGHTEEN.iloc[1:2], "--sensitive", "group")
    assert content["verdict"] == "not applicable"
    assert value(content, "performance.accuracy") == 0


def test_types_may_differ_between_files(audit, tmp_path):
    EIGHTEEN.astype({"truth": str, "decided": float}).to_parquet(tmp_path / "texts.parquet")
    EIGHTEEN.to_parquet(tmp_path / "numbers.parquet")
    both = audit(tmp_path / "texts.parquet", str(tmp_path / "numbers.parquet"), "--sensitive", "group")
    assert value(both, "fairness.selection_rate", group="a") == 0.75


def test_groups_missing_in_half_the_rows_are_a_group(audit):
    content = audit(EIGHTEEN.assign(group=EIGHTEEN["group"].where(np.arange(18) % 2 == 0)), "--sensitive", "group")
    assert next(m["n"] for m in content["measures"] if m["group"] == {"group": "missing"}) == 9


def test_a_formula_in_a_groups_name_stays_text(audit):
    frame = EIGHTEEN.assign(group=EIGHTEEN["group"].map({"a": "=1+1", "b": "b", "c": "c"}))
    assert value(audit(frame, "--sensitive", "group"), "fairness.selection_rate", group="=1+1") == 0.75


def test_html_in_a_groups_name_is_escaped(audit):
    frame = EIGHTEEN.assign(group=EIGHTEEN["group"].map({"a": "<script>alert(1)</script>", "b": "b", "c": "c"}))
    page = Path(audit(frame, "--sensitive", "group")["report"]).read_text()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_half_the_rows_without_a_group_are_a_group(audit):
    frame = pd.concat([EIGHTEEN, EIGHTEEN.assign(group=None)])
    content = audit(frame, "--sensitive", "group")
    assert value(content, "fairness.selection_rate", group="missing") == EIGHTEEN["decided"].mean()
    assert next(m["n"] for m in content["measures"] if m["group"] == {"group": "missing"}) == 18
    page = Path(content["report"]).read_text()
    assert "18 rows have no value of a sensitive feature" in page


def test_gaps_within_strata(audit):
    frame = pd.concat([EIGHTEEN.assign(age="old"), EIGHTEEN.assign(age="young", decided=1 - EIGHTEEN["decided"])])
    content = audit(frame, "--sensitive", "group,age", "audits={fairness: {control: [age]}}")
    gaps = {
        m["group"]["age"]: m["value"]
        for m in content["measures"]
        if m["name"] == "fairness.demographic_parity_difference" and m["group"]
    }
    assert gaps == {"old": 0.25, "young": 0.25}
    told = json.loads((Path(content["report"]).parent / "audits" / "fairness" / "result.json").read_text())
    assert "Gaps by group within age" in [table["title"] for table in told["tables"]]


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int8"])
def test_plain_numbers_lack_what_their_texts_lack(kind):
    """Marks of missing values are found among plain numbers without writing each of them out."""
    given = [0.0, -0.0, 1.5, 99.0, 0.1, -9.0, float("nan"), float("inf")] if "float" in kind else [0, 1, 99, -9]
    values = pd.Series(given, dtype=kind)
    for missing in [("", "NA"), ("99",), ("99.0", "-9"), ("0.1", "1.5"), ("0", "nan", "inf"), ("1e400", "12345678901234567890")]:
        cells = Cells(missing=missing)
        assert cells.absent(values).tolist() == cells.texts(values).isna().tolist()


def test_labels_name_columns_and_values(tmp_path):
    path = tmp_path / "given.csv"
    EIGHTEEN.to_csv(path, index=False)
    words = {"0": "refused", "1": "granted"}
    dataset = {"use": "predictions", "path": str(path), "truth": "truth", "decision": "decided", "sensitive": ["group"]}
    dataset |= {"labels": {"truth": words, "decided": words, "group": {"a": "Alp", "b": "Bay"}}, "favourable": "1"}
    gates = [{"measure": "fairness.selection_rate", "group": {"group": "Bay"}, "at_least": 0.45, "on": "value"}]
    experiment = {"name": "x", "dataset": dataset, "task": "given-classes", "audits": ["fairness"], "gates": gates}
    run = glassbench.run(experiment, runs=tmp_path / "runs")
    rates = {m.group["group"]: m.value for m in run.measures if m.name == "fairness.selection_rate" and m.group}
    assert rates == {"Alp": 0.75, "Bay": 0.5, "c": 0.5}
    assert run.gates[0]["verdict"] == "pass"
    target = json.loads((run.folder / "schema.json").read_text())["target"]
    assert (target["classes"], target["favourable"]) == (["refused", "granted"], "granted")
    with pytest.raises(GlassbenchError, match="a label is for a value that 'group' does not have"):
        glassbench.run({**experiment, "dataset": {**dataset, "labels": {"group": {"z": "Zoo"}}}}, runs=tmp_path / "runs")


def test_whole_numbers_with_a_fraction_of_zeros_are_the_same_class(audit):
    truth = EIGHTEEN["truth"].astype(float).where(EIGHTEEN.index != 3)  # pandas writes 1.0 where a value is missing
    content = audit(EIGHTEEN.assign(truth=truth, group=EIGHTEEN["group"].map({"a": 1.0, "b": 2.0})), "--sensitive", "group")
    groups = {m["group"]["group"] for m in content["measures"] if m["group"]}
    assert groups == {"1", "2", "missing"}
    assert value(content, "fairness.selection_rate", group="1") == 0.75
    known = EIGHTEEN[truth.notna()]
    assert value(content, "performance.accuracy") == pytest.approx((known["truth"] == known["decided"]).mean())
