"""Runs with a cleaning: what they record, how they go on, and what `glassbench clean` proposes, tries and tells."""

import json

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

import glassbench
from glassbench.cleaning import propose
from glassbench.cli.app import app
from glassbench.errors import RunError
from glassbench.experiments.cleaning import Cleaning, CleaningLine
from glassbench.pipeline.cleaned_data import source_fingerprint
from glassbench.pipeline.run_data import source_data
from glassbench.registry import Registry


def invoked(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, [str(a) for a in arguments], standalone_mode=False)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


@pytest.fixture(scope="module")
def folder(applicants, tmp_path_factory):
    made = tmp_path_factory.mktemp("cleaned")
    applicants(240).to_parquet(made / "rows.parquet")
    return made


@pytest.fixture(scope="module")
def content(folder, experiment):
    dataset = {**experiment["dataset"], "path": str(folder / "rows.parquet")}
    return {**experiment, "dataset": dataset, "model": "logistic-regression", "audits": ["performance"]}


@pytest.fixture(scope="module")
def cleaning(folder, content):
    """Drop 30 training rows of women and a test row, and list another."""
    frame = source_data(glassbench.plan(content))
    women = frame.train.rows[(frame.train.groups["sex"] == "f").to_numpy()][:30]
    lines = [CleaningLine(row=str(row), split="training", action="drop", measure="data.duplicates") for row in women]
    lines += [CleaningLine(row="200", split="test", action="drop"), CleaningLine(row="201", split="test", action="keep")]
    one = Cleaning(name="c", data=source_fingerprint(frame), lines=tuple(lines))
    for name, text in one.files().items():
        (folder / name).write_text(text)
    return folder / "cleaning.yaml"


@pytest.fixture(scope="module")
def run(content, cleaning, folder):
    return glassbench.run({**content, "cleaning": str(cleaning)}, runs=folder / "runs")


def test_the_run_records_what_was_cleaned_and_its_first_screen_says_so(run, cleaning):
    told = json.loads((run.folder / "provenance.json").read_text())["cleaning"]
    assert told["splits"]["training"] == {"rows": 144, "dropped": 30, "relabelled": 0}
    assert told["groups"]["sex"]["f"]["training"]["dropped"] == 30
    resolved = yaml.safe_load((run.folder / "resolved.yaml").read_text())
    assert resolved["cleaning"] == {"file": str(cleaning), "version": told["version"]}
    page = (run.folder / "report.html").read_text()
    first = page[page.index("How the rows were cleaned") : page.index('<main id="content"')]
    assert "Of 144 training rows 30 (21\u00a0%) dropped; of 72 test rows 1 (1\u00a0%) dropped" in first
    assert "Figures rest on the test rows that are left." in first
    assert "More training rows of sex f were changed" in first
    assert "How the rows were cleaned" not in page[page.index('<main id="content"') :]
    assert len(pd.read_parquet(run.folder / "predictions.parquet")) == 71


def test_a_run_goes_on_with_its_own_copy_of_the_cleaning(run, cleaning):
    text = cleaning.with_suffix(".csv").read_text()
    cleaning.with_suffix(".csv").write_text("row,split,action\n5,training,drop\n")
    try:
        again = glassbench.load_run(run.folder)
        again.audit()
        assert again.measures[0].value == run.measures[0].value
    finally:
        cleaning.with_suffix(".csv").write_text(text)


def test_a_run_without_audits_of_rows_has_nothing_to_clean(run):
    assert {line.row for line in propose(run.folder, Registry()).cleaning.lines} == {
        line["row"] for line in _rows(run.folder / "cleaning.csv")
    }  # what its own cleaning says, and no more
    with pytest.raises(RunError, match="no audit of the run"):
        propose(run.folder, Registry(), measures=["data.leakage"])


def _rows(path):
    head, *lines = path.read_text().splitlines()
    return [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]


def test_before_and_after_are_compared_on_the_rows_that_both_have(content, cleaning, folder):
    before = glassbench.run(content, runs=folder / "runs")
    code, said = invoked("clean", before.folder, "--apply", cleaning, "--json")
    told = json.loads(said)
    assert (code, told["comparison"]["differences"][0]["rows"]["n"]) == (0, 71)
    whole = told["changes"][0]
    assert whole["rows"] == 71
    assert {one["group"] for one in told["changes"][1:]} == {"f", "m"}
    page = (folder / "before-after.html").read_text()
    assert "Both models are compared on the test rows that are left" in page
    with pytest.raises(RunError, match="was made with this cleaning"):
        invoked("clean", folder / "runs" / told["cleaned"], "--apply", cleaning)


@pytest.mark.slow
def test_planted_faults_are_found_and_cleaning_them_helps(planted, experiment, tmp_path):
    frame, wrong, copies = planted(3000)
    before = glassbench.run(experiment, data=frame, runs=tmp_path / "runs")
    code, said = invoked("clean", before.folder, "--to", tmp_path / "cleaning")
    assert code == 0
    assert "next:" in said
    lines = _rows(tmp_path / "cleaning" / "cleaning.csv")
    relabelled = {int(one["row"]) for one in lines if one["action"] == "relabel"}
    assert len(relabelled & wrong) > 0.85 * len(relabelled) > 0.6 * len(wrong)
    assert {int(one["row"]) for one in lines if one["action"] == "drop"} == copies
    with pytest.raises(RunError, match="a cleaning already"):
        invoked("clean", before.folder, "--to", tmp_path / "cleaning")
    _, said = invoked("clean", before.folder, "--apply", tmp_path / "cleaning" / "cleaning.yaml", "--json")
    told = json.loads(said)
    accuracy = next(one for one in told["comparison"]["differences"][0]["measures"] if one["name"] == "performance.accuracy")
    assert accuracy["difference"]["low"] > 0.03
    assert all(one["low"] > 0 for one in told["changes"])
    after = glassbench.load_run(tmp_path / "runs" / told["cleaned"])
    leakage = next(m for m in after.measures if m.name == "data.leakage")
    assert leakage.value == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_is_planted_nothing_is_proposed(applicants, experiment, tmp_path, seed):
    clean = glassbench.run({**experiment, "audits": ["data"]}, data=applicants(2000, seed), runs=tmp_path / "runs")
    _, said = invoked("clean", clean.folder, "--to", tmp_path / "cleaning")
    assert "nothing to clean" in said
    assert not (tmp_path / "cleaning").exists()
