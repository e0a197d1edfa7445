"""New rows against a run: what changes is found, what does not is let be, and the folder stays sealed."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.cli.app import invoke
from glassbench.errors import DataError, RunError


def loans(rows, seed, flipped=0.0, shift=0.0):
    chance = np.random.default_rng(seed)
    income, debt = chance.normal(shift, 1, rows), chance.normal(0, 1, rows)
    paid = (income - 0.5 * debt + chance.normal(0, 0.6, rows) > 0) ^ (chance.random(rows) < flipped)
    frame = pd.DataFrame({"income": income.round(2), "debt": debt.round(2), "city": chance.choice(["north", "south"], rows)})
    return frame.assign(sex=chance.choice(["f", "m"], rows), paid=np.where(paid, "yes", "no"))


def trained(root, frame, **dataset):
    content = {
        "name": "loans",
        "dataset": {"use": "table", "target": "paid", "sensitive": ["sex"], **dataset},
        "task": "classification",
        "model": "logistic-regression",
        "audits": [],
    }
    return glassbench.run(content, data=frame, runs=root)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def folder(root):
    return trained(root, loans(5000, 0)).folder


@pytest.fixture
def run(folder, tmp_path):
    """A copy of the run that nobody has monitored."""
    return glassbench.load_run(shutil.copytree(folder, tmp_path / "runs" / folder.name))


def test_rows_like_the_runs_hold_and_a_worse_model_is_found(run):
    state = run.monitor(loans(900, 1))
    assert (state.verdict, state.exit_code, state.changes) == ("holds", 0, [])
    state = run.monitor(loans(900, 2, flipped=0.2))
    assert state.exit_code == 1
    assert {one["family"] for one in state.changes} <= {"performance", "calibration"}
    error = next(one for one in state.results if one["title"] == "error rate")
    both = pd.concat([loans(900, 1), loans(900, 2, flipped=0.2)])
    assert error["now"] == pytest.approx((run.predict(both)["y_pred"].to_numpy() != both["paid"].to_numpy()).mean())
    assert error["rows"] == 1800
    run.confirm()  # the folder is sealed again
    assert glassbench.load_run(run.folder).monitoring().state.changes == state.changes


def test_a_shift_of_an_input_is_found_without_a_truth_and_performance_is_called_estimated(run):
    state = run.monitor(loans(900, 3, shift=0.5).drop(columns="paid"))
    assert [one["key"] for one in state.changes if one["family"] == "inputs"] == ["inputs|income"]
    assert state.truths == 0
    assert "not measured" in state.estimated["assumption"]
    assert all(one["rows"] == 0 for one in state.results if one["family"] == "performance")


def test_one_row_at_a_time_and_all_at_once_come_to_the_same_counts(run, folder, tmp_path):
    rows = loans(4, 4)
    for place in range(4):
        state = run.monitor(rows.iloc[[place]])
    once = glassbench.load_run(shutil.copytree(folder, tmp_path / "once" / folder.name)).monitor(rows)
    assert state.exit_code == once.exit_code == 3
    kept = [[(one["key"], one["now"], one["low"]) for one in s.results if one["kind"] != "ranks"] for s in (state, once)]
    assert kept[0] == kept[1]


def test_a_group_that_vanishes_and_one_that_is_new_are_found(run):
    gone = loans(900, 5)
    state = run.monitor(gone.assign(sex=np.where(np.arange(900) % 2, "m", "x")))
    assert {"groups|sex=f", "groups|sex not in the run"} <= {one["key"] for one in state.changes}


def test_the_same_rows_are_not_counted_twice(run, tmp_path, capsys):
    path = tmp_path / "new.csv"
    loans(50, 6).to_csv(path, index=False)
    line = ["monitor", str(run.folder), str(path), "--truth", "paid", "--json"]
    assert invoke(line) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["truths"], told["exit_code"]) == ("too few rows", 50, 3)
    assert invoke(line) == 2
    assert "counted before" in json.loads(capsys.readouterr().out)["error"]["problem"]
    assert invoke(["monitor", str(run.folder)]) == 3
    assert "report.html" in capsys.readouterr().out
    assert invoke(["verify", str(run.folder)]) == 0


BAD = [
    (lambda rows: rows.drop(columns="income"), {}, "lack columns the model needs: income"),
    (lambda rows: rows.iloc[:0], {}, "there are no rows"),
    (lambda rows: rows, {"truth": "outcome"}, "no column 'outcome'"),
    (lambda rows: rows.assign(paid=None), {"truth": "paid"}, "no row has a truth"),
    (lambda rows: rows.assign(paid="maybe"), {}, "a class that the training rows do not have"),
    (lambda rows: rows.assign(said="perhaps"), {"decision": "said"}, "no class of the run"),
    (lambda rows: rows.assign(said="yes", s=1.5), {"decision": "said", "score": "s"}, "no probability"),
]


@pytest.mark.parametrize(("made", "columns", "problem"), BAD)
def test_rows_that_cannot_be_compared_are_refused_and_nothing_is_written(run, made, columns, problem):
    with pytest.raises(DataError, match=problem):
        run.monitor(made(loans(40, 7)), **columns)
    assert not (run.folder / "monitoring").exists()
    run.confirm()


def test_truths_that_are_partly_missing_are_said(run):
    rows = loans(60, 8)
    rows.loc[:19, "paid"] = None
    state = run.monitor(rows)
    assert state.truths == 40
    assert "The truth of 20 rows is not known" in " ".join(state.notes)


def test_a_look_that_is_taken_out_is_noticed(run):
    for seed in (9, 10):
        run.monitor(loans(30, seed))
    path = run.folder / "monitoring" / "looks.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(RunError, match="not as they were written"):
        glassbench.load_run(run.folder)
    with pytest.raises(RunError, match="not as it was written"):
        glassbench.load_run(run.folder, accept_changes=True).monitoring().state  # noqa: B018


def test_clusters_count_once_and_need_a_column(tmp_path):
    frame = loans(600, 11).assign(person=[f"p{n // 3}" for n in range(600)])
    run = trained(tmp_path, frame, cluster="person")
    new = loans(60, 12).assign(person=[f"q{n // 2}" for n in range(60)])
    with pytest.raises(DataError, match="which cluster each new row is of"):
        run.monitor(new.drop(columns="person"))
    state = run.monitor(new)
    assert state.rows == 30
    assert {one["rows"] for one in state.results if one["kind"] == "ranks"} == {30}
    assert state.reference_rows == pd.read_parquet(run.folder / "predictions.parquet")["cluster"].nunique()
    state = run.monitor(loans(20, 13).assign(person=["q0"] * 10 + ["r0"] * 10))
    assert (state.rows, "10 rows belong to clusters" in " ".join(state.notes)) == (31, True)
    state = run.monitor(loans(20, 14).assign(person=["q1"] * 10 + ["s0"] * 10))  # q1 was of the first look
    assert (state.rows, "20 rows belong to clusters" in " ".join(state.notes)) == (32, True)


def test_a_run_without_a_model_is_given_decisions(tmp_path):
    chance = np.random.default_rng(14)
    rows = loans(400, 15).assign(said=chance.choice(["yes", "no"], 400), s=chance.random(400).round(2))
    rows.to_csv(tmp_path / "decisions.csv", index=False)
    dataset = {"use": "predictions", "path": str(tmp_path / "decisions.csv"), "truth": "paid", "decision": "said", "score": "s"}
    content = {"name": "given", "dataset": {**dataset, "sensitive": ["sex"]}, "task": "given-classes", "audits": []}
    run = glassbench.run(content, runs=tmp_path / "runs")
    new = loans(100, 16).assign(said="yes", s=0.9)
    with pytest.raises(RunError, match="has no model"):
        run.monitor(new)
    state = run.monitor(new, decision="said", score="s", truth="paid")
    assert "share of yes" in [one["title"] for one in state.changes]
    assert any(note.startswith("Inputs are not compared") for note in state.notes)
