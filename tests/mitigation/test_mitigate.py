"""`glassbench mitigate`: what it proposes, tries and tells, against counts made by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import glassbench
from glassbench.cli.app import app
from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import RunError
from glassbench.mitigating.proposals import worst_gap
from glassbench.report.mitigation_outcomes import outcome_columns, outcome_rows, outcome_sentence, outcomes
from glassbench.runs.comparison.decision_changes import changes


def test_changes_are_those_counted_by_hand() -> None:
    before = pd.DataFrame(
        {
            "row": [0, 1, 2, 3, 4, 5],
            "y_true": ["yes", "no", "yes", "no", None, "yes"],
            "y_pred": ["no", "yes", "yes", "no", "no", "no"],
            "group.sex": list("ffmmmf"),
        }
    )
    after = before.assign(y_pred=["yes", "no", "no", "no", "yes", "no"]).iloc[::-1]
    schema = Schema(
        modality="table",
        shape=(1,),
        target=Target(name="y", kind="class", classes=("no", "yes"), positive="yes", favourable="yes"),
    )
    whole, women, men = changes(before, after, schema, ["sex"])
    assert (whole["rows"], whole["changed"], whole["righted"], whole["wronged"]) == (6, 4, 2, 1)
    assert (whole["favoured"], whole["disfavoured"]) == (2, 2)
    assert (women["group"], women["changed"], women["righted"], women["wronged"]) == ("f", 2, 2, 0)
    assert (men["changed"], men["righted"], men["wronged"], men["favoured"]) == (2, 0, 1, 1)
    assert men["gain"] == pytest.approx(-1 / 2)
    assert men["low"] < -1 / 2 < men["high"]


def gap(name: str, by: tuple[str, ...], value: float, low: float) -> Measure:
    return Measure(name=name, value=value, low=low, high=value + 0.1, by=by)


def test_the_gap_of_a_concern_comes_first_and_unknown_ones_are_refused() -> None:
    measures = (
        gap("fairness.a_difference", ("sex",), 0.5, 0.4),
        gap("fairness.b_difference", ("race",), 0.2, 0.1),
        gap("fairness.b_ratio", ("sex",), 0.9, 0.8),
    )
    finding = Finding(sentence=".", grade="concern", measures=("fairness.b_difference",))
    result = AuditResult(audit="fairness", method=Method(summary="."), measures=measures, findings=(finding,))
    assert worst_gap([result]).name == "fairness.b_difference"
    assert worst_gap([result], by=("sex",)).name == "fairness.a_difference"
    failed = {"verdict": "fail", "compared": [{"name": "fairness.a_difference", "by": ["sex"]}]}
    passed = {"verdict": "pass", "compared": [{"name": "fairness.b_difference", "by": ["race"]}]}
    assert worst_gap([result], [failed, passed]).name == "fairness.a_difference"
    assert worst_gap([result], [passed, {"verdict": "fail"}]).name == "fairness.b_difference"
    with pytest.raises(RunError, match="no such gap") as caught:
        worst_gap([result], measure="fairness.c_difference")
    assert "fairness.a_difference" in str(caught.value)
    with pytest.raises(RunError, match="no gap between groups"):
        worst_gap([])


def test_groups_too_small_to_tell_do_not_choose_the_gap_unless_a_gate_asks_for_all() -> None:
    measures = (
        gap("fairness.a_difference", ("sex",), 0.9, 0.5),
        gap("fairness.a_difference_without_small", ("sex",), 0.2, 0.1),
        gap("fairness.a_difference", ("age",), 0.3, 0.2),
    )
    result = AuditResult(audit="fairness", method=Method(summary="."), measures=measures)
    chosen = worst_gap([result])
    assert (chosen.name, chosen.by) == ("fairness.a_difference", ("age",))
    assert worst_gap([result], by=("sex",)).name == "fairness.a_difference_without_small"
    failed = {"verdict": "fail", "compared": [{"name": "fairness.a_difference", "by": ["sex"]}]}
    assert worst_gap([result], [failed]).value == 0.9
    assert worst_gap([result], measure="fairness.a_difference", by=("sex",)).value == 0.9


def test_outcomes_show_the_gap_and_the_task_s_first_metric() -> None:
    found = {"gap": {"measure": "fairness.a_difference", "by": ["sex"]}, "headline": "performance.accuracy", "same": "rows"}
    assert outcome_columns(found)[:3] == ("mitigation", "a difference", "accuracy")
    assert outcome_columns({**found, "headline": None})[:3] == ("mitigation", "a difference", "better")
    assert outcome_columns(found)[-1] == "decided otherwise"
    assert outcome_columns({**found, "same": "episodes"})[-1] == "worse"


def found_with(changes: dict[str, tuple[float, float, float]]) -> dict[str, Any]:
    """Return what `mitigate` returns of mitigations that changed the gap so (difference and its interval) and nothing else."""
    runs = [{"name": name} for name in ("before", *changes)]
    told = [dict(zip(("value", "low", "high"), one, strict=True), differs=False, better=None) for one in changes.values()]
    differences = [{"measures": [{"name": "f.gap_difference", "by": ["sex"], "group": None, "difference": one}]} for one in told]
    return {
        "gap": {"measure": "f.gap_difference", "by": ["sex"]},
        "headline": None,
        "same": "rows",
        "comparison": {"runs": runs, "differences": differences},
        "changes": [{"changes": [{"changed": place, "rows": 9}]} for place in range(len(changes))],
    }


def test_outcomes_stand_in_the_order_of_what_they_mend_and_only_a_whole_interval_below_zero_narrows() -> None:
    changes = {"wider": (0.1, -0.1, 0.3), "unsure": (-0.4, -0.9, 0.1), "sure": (-0.2, -0.3, -0.1), "surer": (-0.3, -0.4, -0.01)}
    found = found_with(changes)
    assert [(one.label, one.place, one.narrows) for one in outcomes(found)] == [
        ("surer", 4, True),
        ("sure", 3, True),
        ("unsure", 2, False),
        ("wider", 1, False),
    ]
    assert [row[0] for row in outcome_rows(found, outcomes(found))] == ["surer", "sure", "unsure", "wider"]
    assert outcome_rows(found, outcomes(found))[0][-1] == "3 of 9"
    assert outcome_sentence(found, outcomes(found)).startswith("2 of 4 mitigations narrow it with the whole interval: surer ")


def test_where_no_mitigation_narrows_the_gap_the_nearest_is_named() -> None:
    found = found_with({"wider": (0.1, -0.1, 0.3), "unsure": (-0.4, -0.9, 0.1)})
    said = outcome_sentence(found, outcomes(found))
    assert said.startswith("None of 2 mitigations narrows it with the whole interval; unsure comes nearest: ")


@pytest.fixture(scope="module")
def run(table, experiment, tmp_path_factory):
    return glassbench.run(experiment, data=table, runs=tmp_path_factory.mktemp("runs"))


def invoked(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, [str(a) for a in arguments], standalone_mode=False)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def test_a_dry_run_says_what_fits_and_why_others_do_not(run) -> None:
    _, said = invoked(
        "mitigate", run.folder, "--by", "sex", "--gap", "fairness.demographic_parity_difference", "--dry-run", "--json"
    )
    content = json.loads(said)
    listed = {one["name"]: one for one in content["proposals"]}
    assert content["gap"]["by"] == ["sex"]
    assert listed["group-thresholds"]["reason"] is None
    assert listed["group-thresholds"]["use"]["constraint"] == "demographic_parity"
    assert listed["group-thresholds"]["use"]["features"] == ["sex"]
    assert "models of form module" in listed["group-dro"]["reason"]
    with pytest.raises(RunError, match="cannot serve this run"):
        invoked("mitigate", run.folder, "--only", "group-dro")
    with pytest.raises(RunError, match="did you mean 'reweighing'"):
        invoked("mitigate", run.folder, "--only", "rewheighing")


def test_rows_that_the_audits_find_fault_with_are_named_first(table, experiment, tmp_path) -> None:
    """Training rows are copied into the test rows: the gap is measured on rows that were learnt by heart."""
    place = np.arange(len(table))
    part = np.where(place < 1600, "train", np.where(place < 1900, "val", "test"))
    leaking = table.assign(part=part)
    columns = list(table.columns)
    leaking.loc[leaking.index[-300:], columns] = table.iloc[:300].to_numpy()
    dataset = {**experiment["dataset"], "split": {"by": "column", "column": "part"}}
    asked = {**experiment, "dataset": dataset, "audits": {**experiment["audits"], "data": {}}}
    run = glassbench.run(asked, data=leaking, runs=tmp_path)
    options = ("--by", "sex", "--gap", "fairness.demographic_parity_difference", "--dry-run")
    told = json.loads(invoked("mitigate", run.folder, *options, "--json")[1])["cleaning"]
    assert sum(one["rows"] for one in told) == 300
    assert {one["action"] for one in told} == {"drop"}
    said = invoked("mitigate", run.folder, *options)[1]
    assert f"glassbench clean {run.folder.name}" in said
    assert said.index("The audits find fault") < said.index("before")


@pytest.mark.slow
def test_mitigations_are_tried_on_the_same_rows_and_compared(run, tmp_path) -> None:
    options = ("--by", "sex", "--gap", "fairness.demographic_parity_difference", "--only", "group-thresholds")
    _, said = invoked("mitigate", run.folder, *options, "--studies", tmp_path, "--workers", "1", "--json")
    found = json.loads(said)
    assert found["headline"].endswith(".accuracy")
    (pair,), (told,) = found["comparison"]["differences"], found["changes"]
    assert pair["rows"]["kind"] == "same"
    before, after = (
        pd.read_parquet(path / "predictions.parquet") for path in (run.folder, tmp_path / found["study"] / "runs" / told["run"])
    )
    assert before["row"].tolist() == after["row"].tolist()
    moved = before["y_pred"].astype(str) != after["y_pred"].astype(str)
    assert told["changes"][0]["changed"] == int(moved.sum()) > 0
    right = [(f["y_pred"].astype(str) == f["y_true"].astype(str)).to_numpy() for f in (before, after)]
    assert told["changes"][0]["gain"] == pytest.approx(float(np.mean(right[1]) - np.mean(right[0])))
    one = next(m for m in pair["measures"] if m["name"] == "fairness.demographic_parity_difference" and m["by"] == ["sex"])
    assert one["difference"]["value"] < 0
    assert one["difference"]["how"] == "paired"
    page = next(tmp_path.glob("*/mitigation.html")).read_text()
    assert "Whose decision changed" in page
    assert "disparate treatment" in page


def test_a_policy_is_offered_a_penalty_and_compared_on_episodes(tmp_path: Path) -> None:
    lending = {"use": "environment", "id": "glassbench/Lending-v0", "sensitive": ["group"]}
    policy = {
        "name": "lender",
        "dataset": {**lending, "evaluation_episodes": 6, "validation_episodes": 4},
        "task": {"use": "ppo", "steps": 1600, "discount": 0.9},
        "model": {"use": "actor-critic", "hidden": [8]},
        "trainer": {"use": "lightning", "threads": 1},
        "audits": ["performance", "fairness"],
    }
    run = glassbench.run(policy, runs=tmp_path / "runs")
    options = ["--gap", "fairness.demographic_parity_difference", "--studies", tmp_path / "studies"]
    code, said = invoked("mitigate", run.folder, *options)
    assert code == 0
    assert "on the same episodes" in said
    assert "decided otherwise" not in said
    assert "group-dro: does not fit: it acts on rows" in said
    page = next((tmp_path / "studies").glob("*/mitigation.html")).read_text()
    assert "on the same episodes" in page
    assert "reward-penalty" in page
