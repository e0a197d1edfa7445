"""`glassbench study`: what a person types and reads."""

import json

import pytest
import yaml

from glassbench.cli.app import invoke

STUDY = {
    "name": "two",
    "experiment": {
        "name": "one",
        "dataset": {"use": "diabetes", "target": "value"},
        "task": "regression",
        "model": "linear",
        "trainer": {"use": "lightning", "max_epochs": 1, "accelerator": "cpu"},
        "audits": ["performance"],
    },
    "vary": {"seeds": 2},
    "objectives": [{"measure": "performance.mean_absolute_error"}],
}


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(STUDY))
    return "two.yaml"


def test_a_plan_names_candidates_and_seeds_and_writes_nothing(file, tmp_path, capsys):
    assert invoke(["study", "plan", file]) == 0
    assert "seeds 0, 1" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_a_study_is_run_listed_shown_and_rendered_again(file, tmp_path, capsys):
    assert invoke(["study", file, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == {"asked": 2, "done": 2, "failed": {}, "pruned": 0}
    assert invoke(["study", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["studies"][0]["done"] == 2
    assert invoke(["study", "show", "latest", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["candidates"] == told["candidates"]
    report = next(tmp_path.glob("studies/*/report.html"))
    report.unlink()
    assert invoke(["study", "report", "latest"]) == 0
    assert report.is_file()


def test_a_misspelt_command_is_answered_with_the_right_one(file, capsys):
    assert invoke(["study", "resum", "x"]) == 2
    assert "did you mean 'resume'" in capsys.readouterr().err


def test_a_study_that_is_not_there_is_named(file, capsys):
    assert invoke(["study", "nothing.yaml"]) == 2
    assert "two.yaml" in capsys.readouterr().err
