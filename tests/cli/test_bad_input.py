"""What bad input gets: one screen, no traceback, exit code 2, nothing half-written."""

import numpy as np
import pandas as pd
import pytest
import yaml

from glassbench.cli.app import invoke


@pytest.fixture
def attempt(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(content, *overrides):
        path = tmp_path / "experiment.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        code = invoke(["run", str(path), "--runs", str(tmp_path / "runs"), *overrides])
        captured = capsys.readouterr()
        assert code == 2, captured.err
        assert "Traceback" not in captured.err
        assert len(captured.err.splitlines()) < 24
        assert not list(tmp_path.glob("runs/.*/*")), "nothing half-written"
        return captured.err

    return make


GOOD = {
    "name": "bad",
    "dataset": {"use": "diabetes"},
    "task": {"use": "classification"},
    "model": {"use": "mlp"},
    "trainer": {"use": "lightning", "max_epochs": 1},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"modle": {"use": "mlp"}}, "did you mean 'model'?"),
        ({"model": {"use": "mpl"}}, "did you mean 'mlp'?"),
        ({"model": {"use": "mlp", "hiden": [3]}}, "did you mean 'hidden'?"),
        ({"model": {"use": "mlp", "hidden": "wide"}}, "model.hidden"),
        ({"seed": -1}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"name": ""}, "name"),
        ({"audits": {"fairnes": {}}}, "did you mean 'fairness'?"),
        ({"gates": [{"measure": "performance.acuracy", "at_least": 0.5}]}, "did you mean 'performance.accuracy'?"),
        ({"gates": [{"measure": "performance.accuracy"}]}, "exactly one of at_least, at_most and no_worse_than"),
        ({"gates": [{"measure": "speed.x", "at_least": 1}]}, "no audit of this experiment"),
        ({"gates": [{"measure": "fairness.demographic_parity_difference", "at_least": 0.1}]}, "at_most: 0.1"),
        ({"gates": [{"measure": "performance.log_loss", "at_least": 0.5}]}, "at_most: 0.5"),
        ({"gates": [{"measure": "performance.accuracy", "at_least": 90}]}, "at_least: 0.9"),
        ({"gates": [{"measure": "fairness.four_fifths", "at_least": 80}]}, "at_least: 0.8"),
        ({"audits": {"fairness": {"level": 95}}}, "did you mean 0.95?"),
        ({"task": {"use": "regression"}}, "class"),
        ({"trainer": {"use": "estimator"}}, "is of form module"),
        ({"dataset": {"use": "os.system"}}, "no dataset is named"),
    ],
)
def test_a_wrong_experiment(attempt, change, words):
    assert words in attempt({**GOOD, **change})


def test_a_model_that_refuses_its_settings_leaves_no_run(attempt, tmp_path):
    assert "dropout" in attempt(GOOD, "model.dropout=2")
    assert not list(tmp_path.glob("runs/*"))


def test_the_message_names_file_and_line(attempt):
    err = attempt("name: x\ndataset: diabetes\ntask: classification\nmodel:\n  use: mlp\n  hiden: [3]\n")
    assert "experiment.yaml:6  model.hiden" in err


def test_python_in_yaml_runs_nothing(attempt, tmp_path):
    attempt("name: !!python/object/apply:pathlib.Path.touch ['evil']\n")
    assert not (tmp_path / "evil").exists()


def frame(rows=60):
    chance = np.random.default_rng(0)
    return pd.DataFrame(
        {"a": chance.normal(size=rows), "b": chance.choice(["x", "y"], rows), "y": chance.choice(["no", "yes"], rows)}
    )


@pytest.mark.parametrize(
    ("spoil", "settings", "words"),
    [
        (lambda f: None, {}, "no such"),
        (lambda f: f.iloc[:0], {}, "empty"),
        (lambda f: f.assign(y="yes"), {}, "one class"),
        (lambda f: f, {"target": "z"}, "'z'"),
        (lambda f: f, {"sensitive": ["sexx"]}, "sexx"),
        (
            lambda f: pd.concat([f] * 200, ignore_index=True).assign(b=[f"g{i}" for i in range(12000)]),
            {"sensitive": ["b"]},
            "merge values",
        ),
        (lambda f: f.assign(a=np.where(f.index == 3, np.inf, f["a"])), {}, "infinite"),
        (lambda f: f.iloc[:3], {}, ""),
        (lambda f: f.assign(when=pd.date_range("2020-01-01", periods=len(f)).astype(str)), {}, "date"),
    ],
    ids=["missing", "empty", "one class", "no target", "no column", "10,000 values", "infinite", "too small", "dates"],
)
def test_a_table_that_cannot_be_used(attempt, tmp_path, spoil, settings, words):
    spoiled = spoil(frame())
    if spoiled is not None:
        spoiled.to_csv(tmp_path / "rows.csv", index=False)
    dataset = {"use": "table", "path": "rows.csv", "target": "y", **settings}
    err = attempt({**GOOD, "dataset": dataset})
    assert words in err


def test_a_place_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(GOOD))
    (tmp_path / "file").write_text("in the way")
    code = invoke(["run", str(tmp_path / "experiment.yaml"), "--runs", str(tmp_path / "file" / "runs")])
    assert code == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("runs", "show"), ("plan",), ("verify",), ("audit",)])
def test_names_too_long_for_the_system_are_refused(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert invoke([*command, "x" * 5000]) == 2
    said = capsys.readouterr().err
    assert "unexpected" not in said
    assert len(said) < 2_000
