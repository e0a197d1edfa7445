"""SARIF: what a run found, as code hosts read it."""

import json
import shutil

import pytest

from glassbench import run
from glassbench.report import render_sarif

EXPERIMENT = """\
name: quick
dataset: {use: diabetes, sensitive: [sex]}
task: classification
model: {use: mlp, hidden: [4]}
trainer: {use: lightning, max_epochs: 2, early_stopping: null, threads: 1}
audits:
  performance: {}
  fairness: {}
gates:
  - {measure: performance.accuracy, at_least: 0.99}
  - {measure: performance.accuracy, at_least: 0.01}
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sarif")
    path = folder / "experiment.yaml"
    path.write_text(EXPERIMENT)
    return run(path, runs=folder / "runs")


def test_gates_and_findings_are_results_at_their_lines(done):
    log = json.loads((done.folder / "findings.sarif").read_text())
    (told,) = log["runs"]
    assert (log["version"], told["tool"]["driver"]["name"]) == ("2.1.0", "Glassbench")
    gates = [result for result in told["results"] if result["ruleId"] == "gate/performance.accuracy"]
    lines = [result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in gates]
    assert [(result["level"], result["kind"], line) for result, line in zip(gates, lines, strict=True)] == [
        ("error", "fail", 10),
        ("none", "pass", 11),
    ]
    found = [finding for result in done.audits for finding in result.findings if finding.grade != "not applicable"]
    assert len(told["results"]) == len(gates) + len(found)
    fairness = [r for r in told["results"] if r["ruleId"].startswith("fairness.")]
    assert {r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in fairness} == {8}


def test_the_log_keeps_the_rules_of_the_format(done):
    """The rules of SARIF 2.1.0 that concern what is written here: sections 3.14, 3.19, 3.27, 3.29 and 3.49."""
    (told,) = json.loads(render_sarif(done.folder))["runs"]
    rules = [rule["id"] for rule in told["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in told["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert (result["level"] == "none") == (result["kind"] != "fail")
        assert result["message"]["text"].strip()
        (place,) = result["locations"]
        assert place["physicalLocation"]["region"]["startLine"] >= 1
        assert not place["physicalLocation"]["artifactLocation"]["uri"].startswith("/")
    prints = [result["partialFingerprints"]["finding/v1"] for result in told["results"] if result["kind"] == "fail"]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize(
    ("command", "uri"),
    [
        ("glassbench run 'experiments/credit one.yaml' x.path=[b.yaml]", "experiments/credit%20one.yaml"),
        ("glassbench run /home/someone/credit.yaml", "experiment.yaml"),
        ("glassbench run ../credit.yaml", "experiment.yaml"),
        ("python", "experiment.yaml"),
    ],
)
def test_only_files_below_the_folder_are_named(done, tmp_path, command, uri):
    folder = tmp_path / "copy"
    shutil.copytree(done.folder, folder)
    known = json.loads((folder / "provenance.json").read_text())
    (folder / "provenance.json").write_text(json.dumps({**known, "command": command}))
    (told,) = json.loads(render_sarif(folder))["runs"]
    assert {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in told["results"]} == {uri}
