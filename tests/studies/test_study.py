"""Runs of a study are the runs that an experiment would be alone, whatever does them and whatever ends it in between."""

import json
import subprocess
import sys

import pytest

import glassbench
from glassbench.errors import GlassbenchError, RunError
from glassbench.studies import load_study, run_study
from glassbench.studies.answer import answer
from glassbench.studies.study_folder import StudyFolder

EXPERIMENT = {
    "name": "one",
    "dataset": {"use": "diabetes", "target": "class", "sensitive": ["sex"]},
    "task": "classification",
    "model": {"use": "mlp", "hidden": [8]},
    "trainer": {"use": "lightning", "max_epochs": 3, "accelerator": "cpu"},
    "audits": ["performance"],
}
STUDY = {
    "name": "two",
    "experiment": EXPERIMENT,
    "vary": {"seeds": [3, 5], "grid": {"model.hidden": [[4], [8]]}},
    "objectives": [{"measure": "performance.accuracy"}, {"measure": "performance.log_loss", "at_most": 10.0}],
}


def numbers(folder):
    """Every measure of every run of a study, by seed and settings."""
    found = StudyFolder(folder)
    return {
        (trial.seed, trial.candidate): [(m.name, m.value, m.low, m.high) for r in found.run(trial).results() for m in r.measures]
        for trial in found.trials
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run_study(STUDY, studies=tmp_path_factory.mktemp("studies"))


def test_each_run_gives_the_numbers_of_the_experiment_alone(study, tmp_path):
    alone = glassbench.run(EXPERIMENT, overrides=["model.hidden=[4]", "seed=5"], runs=tmp_path)
    told = numbers(study.folder)[5, "model.hidden=[4]"]
    assert told == [(m.name, m.value, m.low, m.high) for m in alone.measures]
    assert len(told) > 3


def test_the_answer_is_the_mean_over_seeds_and_the_winner_is_the_best_mean(study):
    found, told = study.answer, numbers(study.folder)
    for candidate in found["candidates"]:
        values = [{m[0]: m[1] for m in told[s, candidate["words"]]}["performance.accuracy"] for s in (3, 5)]
        assert candidate["objectives"][0]["value"] == pytest.approx(sum(values) / 2)
        assert candidate["objectives"][0]["low"] < sum(values) / 2 < candidate["objectives"][0]["high"]
    best = max(range(2), key=lambda place: found["candidates"][place]["objectives"][0]["value"])
    assert found["winner"]["candidate"] == best
    assert [o["higher_is_better"] for o in found["objectives"]] == [True, False]
    assert best in found["frontier"]


def test_a_ceiling_that_nobody_keeps_leaves_no_winner(study):
    plan = json.loads((study.folder / "study.json").read_text())
    kept = study.folder / "study.json"
    before = kept.read_text()
    plan["asked"]["objectives"][1]["at_most"] = 0.0
    kept.write_text(json.dumps(plan))
    assert answer(StudyFolder(study.folder))["winner"] is None
    kept.write_text(before)


def test_the_report_names_the_winner_and_links_every_run(study):
    page = study.report.read_text()
    for trial in study.trials:
        assert f"runs/{trial.run}/report.html" in page
        assert (study.folder / "runs" / trial.run / "report.html").is_file()
    assert "The best of 2 candidates" in page


def test_a_finished_study_does_nothing_again(study):
    before = {path: path.stat().st_mtime_ns for path in study.folder.glob("runs/*/status.json")}
    load_study(study.folder).resume()
    assert {path: path.stat().st_mtime_ns for path in study.folder.glob("runs/*/status.json")} == before


def test_a_worker_of_its_own_continues_a_run_that_a_pool_began(study, tmp_path):
    trial = study.trials[0]
    again = tmp_path / "study"
    (again / "trials").mkdir(parents=True)
    (again / "trials" / f"{trial.run}.yaml").write_text((study.folder / "trials" / f"{trial.run}.yaml").read_text())
    subprocess.run([sys.executable, "-m", "glassbench.worker", str(again / "trials" / f"{trial.run}.yaml")], check=True)
    ours, theirs = (
        json.loads((folder / "runs" / trial.run / "audits/performance/result.json").read_text())["measures"]
        for folder in (again, study.folder)
    )
    assert ours == theirs


def test_a_run_that_fails_is_named_and_the_others_are_kept(tmp_path):
    bad = {**STUDY, "vary": {"grid": {"trainer.strategy": ["auto", "no-such"]}}}
    done = run_study(bad, studies=tmp_path)
    assert len(done.failures) == 1
    assert len(done.answer["candidates"][0]["runs"]) == 1
    assert done.answer["candidates"][1]["objectives"][0]["undefined"]
    assert "Runs that failed" in done.report.read_text()


@pytest.mark.slow
def test_where_every_run_fails_the_first_reason_is_the_error(tmp_path):
    bad = {**STUDY, "vary": {"grid": {"trainer.strategy": ["no-such", "nor-this"]}}}
    with pytest.raises(RunError) as caught:
        run_study(bad, studies=tmp_path)
    assert "glassbench study resume" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "study.json"),
        ('{"format": 9}', "another version"),
        ('{"format": 1}', "damaged"),
    ],
)
def test_a_damaged_study_is_refused_by_name(content, words, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "study.json").write_text(content)
    with pytest.raises(GlassbenchError) as caught:
        load_study(tmp_path / "x")
    assert words in str(caught.value)


def test_a_name_of_a_run_that_leads_elsewhere_is_refused(study, tmp_path):
    plan = json.loads((study.folder / "study.json").read_text())
    plan["trials"][0]["run"] = "../../elsewhere"
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "study.json").write_text(json.dumps(plan))
    with pytest.raises(RunError):
        load_study(tmp_path / "x")


def test_an_unknown_study_is_answered_with_those_there_are(study):
    with pytest.raises(RunError) as caught:
        load_study("1999", studies=study.folder.parent)
    assert study.folder.name in str(caught.value)
