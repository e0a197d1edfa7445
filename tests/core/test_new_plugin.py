"""Packages for new plugins pass their own tests as they are written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glassbench.cli.app import invoke
from glassbench.new_plugin import KINDS

ROOT = Path(__file__).parents[2]


def test_packages_of_every_kind_pass_their_tests_and_suites(tmp_path):
    for kind in KINDS:
        assert invoke(["plugins", "new", kind, f"own-{kind}", "--folder", str(tmp_path / kind)]) == 0
    path = os.pathsep.join(str(tmp_path / kind / "src") for kind in KINDS)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error"}
    files = [str(file) for kind in KINDS for file in (tmp_path / kind / "tests").iterdir()]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", *files]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert f"{2 * len(KINDS) + 1} passed" in done.stdout


@pytest.mark.slow
def test_packages_of_every_kind_and_the_example_are_typed_strictly(tmp_path):
    for kind in KINDS:
        assert invoke(["plugins", "new", kind, f"own-{kind}", "--folder", str(tmp_path / kind)]) == 0
    files = [str(path) for folder in (tmp_path, ROOT / "tests" / "example_plugin") for path in folder.rglob("*.py")]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(str(tmp_path / kind / "src") for kind in KINDS)}
    command = [sys.executable, "-m", "mypy", *files]  # with the settings of this repository, which are strict
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize(("broken", "code", "outcome"), [("", 0, "ok"), ("rows = rows.detach()", 1, "broken")])
def test_an_installed_distribution_is_checked(tmp_path, broken, code, outcome):
    assert invoke(["plugins", "new", "model", "wide", "--folder", str(tmp_path / "wide")]) == 0
    module = tmp_path / "wide" / "src" / "glassbench_wide" / "model.py"
    module.write_text(module.read_text().replace("        scores: Tensor", f"        {broken}\n        scores: Tensor"))
    info = tmp_path / "wide" / "src" / "glassbench_wide-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: glassbench-wide\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[glassbench]\nwide = glassbench_wide.plugin\n")
    environment = {**os.environ, "PYTHONPATH": str(info.parent)}
    cli = "from glassbench.cli import main; main()"
    command = [sys.executable, "-c", cli, "plugins", "check", "glassbench-wide", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert [c["outcome"] for c in json.loads(done.stdout)["checks"]] == ["ok", outcome]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("modle", "a"), "did you mean 'model'?"),
        (("model", "Not A Name"), "joined by hyphens"),
        (("model", "class"), "joined by hyphens"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert invoke(["plugins", "new", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("kept")
    assert invoke(["plugins", "new", "audit", "mine", "--folder", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_plugins_are_listed_by_kind_origin_and_default(capsys):
    assert invoke(["plugins", "list", "--kind", "audit", "--default", "--origin", "glassbench", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["components"]
    assert {"performance", "fairness", "explain"} <= {c["name"] for c in found}
    assert all(c["default"] and c["kind"] == "audit" for c in found)
    assert invoke(["plugins", "list", "--origin", "nobody"]) == 2
