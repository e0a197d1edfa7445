import json
import shutil

import jsonschema
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

from glassbench import api
from glassbench.cli.app import COMMANDS, invoke


@pytest.fixture
def call(capsys):
    def make(*arguments):
        code = invoke([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return make


@pytest.fixture
def raw():
    frame = load_diabetes(as_frame=True, scaled=False).data
    names = {"bp": "blood pressure", "s1": "cholesterol", "s2": "ldl", "s3": "hdl", "s4": "cholesterol ratio"}
    names |= {"s5": "log triglycerides", "s6": "glucose"}
    return frame.rename(columns=names).assign(sex="sex " + frame["sex"].astype(int).astype(str))


def test_run_prints_one_json_object_with_the_promised_keys(call, example, tmp_path):
    code, out, err = call(
        "run", example, "--runs", tmp_path, "--json", "trainer.max_epochs=2", "audits=[performance]", "gates=[]"
    )
    content = json.loads(out)
    assert {"run", "folder", "verdict", "report", "measures"} <= set(content)
    assert (code, content["verdict"], err) == (0, "not applicable", "")


def test_what_a_plugin_prints_does_not_stand_beside_the_json(call, example, monkeypatch):
    plan = api.plan
    monkeypatch.setattr(api, "plan", lambda *given, **named: print("hello from a plugin") or plan(*given, **named))
    _, out, err = call("plan", example, "--json")
    assert json.loads(out)
    assert "hello from a plugin" in err


def test_the_exit_code_is_the_verdicts(call, example, tmp_path):
    quick = ["--runs", tmp_path, "--json", "trainer.max_epochs=2", "audits=[performance]"]
    assert call("run", example, *quick, "gates=[{measure: performance.accuracy, at_least: 0.99}]")[0] == 1
    assert call("run", example, *quick, "gates=[{measure: performance.accuracy, at_least: 0.01}]")[0] == 0


def test_runs_can_be_listed_shown_verified_and_rendered(call, done, root):
    for arguments in (["runs", "list"], ["runs", "show", "latest"], ["verify", "latest"], ["report", "latest"]):
        code, out, _ = call(*arguments, "--runs", root, "--json")
        assert json.loads(out)
        assert code in (0, 1, 3)
        assert call(*arguments, "--runs", root)[1]


def test_resuming_and_auditing_again_change_no_number(call, done, root):
    before = [m.value for m in done.measures]
    for arguments in (["resume", done.folder], ["audit", done.folder, "--only", "performance"]):
        code, out, _ = call(*arguments, "--json")
        assert code == done.exit_code
        assert [m["value"] for m in json.loads(out)["measures"]] == before


def test_verify_names_what_was_changed(call, done, root, tmp_path):
    copy = tmp_path / done.folder.name
    shutil.copytree(done.folder, copy)
    (copy / "verdict.json").write_text("{}")
    code, out, _ = call("verify", copy)
    assert (code, out.strip()) == (1, "changed: verdict.json")


def test_raw_rows_are_decided_as_the_test_rows_were(call, done, raw, tmp_path):
    raw.to_csv(tmp_path / "rows.csv", index=False)
    code, out, _ = call("predict", done.folder, tmp_path / "rows.csv", "--json")
    assert code == 0
    decided = pd.DataFrame(json.loads(out)["predictions"])
    held_out = pd.read_parquet(done.folder / "predictions.parquet")
    again = decided.loc[held_out["row"], "y_pred"].to_numpy()
    assert (again == held_out["y_pred"]).all()


def test_predict_writes_files(call, done, raw, tmp_path):
    raw.head(3).to_parquet(tmp_path / "rows.parquet")
    call("predict", done.folder, tmp_path / "rows.parquet", "-o", tmp_path / "out.csv")
    assert len(pd.read_csv(tmp_path / "out.csv")) == 3


def test_plan_writes_nothing(call, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call("plan", example, "--json")
    assert code == 0
    assert json.loads(out)["will_run"][:4] == ["performance", "explain", "fairness", "calibration"]
    assert list(tmp_path.iterdir()) == []


def test_the_schema_accepts_the_examples_and_refuses_a_misspelling(call, example):
    schema = json.loads(call("schema")[1])
    jsonschema.Draft7Validator.check_schema(schema)
    from glassbench.experiments.experiment_file import read_document

    content = read_document(example).content
    jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "model": {"use": "mlp", "hiden": [1]}}, schema)


def test_init_writes_a_file_that_can_be_planned(call, tmp_path):
    path = tmp_path / "new.yaml"
    assert call("init", path, "--model", "hist-gradient-boosting")[0] == 0
    assert call("plan", path)[0] == 0
    code, _, err = call("init", path)
    assert code == 2
    assert "--force" in err


def test_every_setting_init_shows_as_a_comment_can_be_uncommented(call, tmp_path):
    path = tmp_path / "new.yaml"
    call("init", path)
    lines = path.read_text().splitlines()
    shown = [
        line for line in lines if line.startswith("  ") and line.strip().startswith("#") and not line.strip().startswith("# ")
    ]
    assert len(shown) > 10
    path.write_text("\n".join(line.replace("#", "", 1) if line in shown else line for line in lines))
    code, _, err = call("plan", path)
    assert code == 0, err


def test_plugins_can_be_listed_and_shown(call):
    code, out, _ = call("plugins", "list", "--json")
    assert code == 0
    assert {"ok"} == {p["status"] for p in json.loads(out)["plugins"] if p["distribution"] == "glassbench"}
    page = json.loads(call("plugins", "show", "mlp", "--json")[1])["components"][0]
    hidden = next(s for s in page["settings"] if s["name"] == "hidden")
    assert hidden["default"] == [64, 64]
    assert hidden["doc"]
    assert "dropout" in call("plugins", "show", "model/mlp")[1]


def test_runs_can_be_compared(call, done, root, example):
    call("run", example, "--runs", root, "--json", "trainer.max_epochs=1")
    runs = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    page = root / "page.html"
    code, out, _ = call("runs", "compare", *runs[:2], "--runs", root, "--json", "--html", page)
    assert code == 0
    (found,) = json.loads(out)["differences"]
    assert found["rows"]["kind"] == "same"
    assert "against" in page.read_text()
    _, out, _ = call("runs", "compare", *runs[:2], "--runs", root)
    assert "--all lists them" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(call, command):
    code, out, _ = call(command, "--help")
    assert code == 0
    assert "Usage" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["rnu"],
        ["plugins", "shwo", "mlp"],
        ["run"],
        ["run", "none.yaml"],
        ["plugins", "show", "nothing"],
        ["resume", "nothing"],
        ["predict", "x", "y"],
    ],
)
def test_mistyped_commands_exit_with_2_on_one_screen(call, arguments):
    code, out, err = call(*arguments)
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) < 24
    assert "Traceback" not in err
