"""A third party's plugin, installed as its users would, in a run and its report; a broken one beside it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "example_plugin"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([*pip, str(FOLDER)], check=True, capture_output=True)
    (site / "broken.py").write_text("raise RuntimeError('broken on purpose')")
    info = site / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[glassbench]\nbroken = broken\n")
    return {**os.environ, "PYTHONPATH": str(site)}


def glassbench(environment, *arguments):
    command = [sys.executable, "-c", "from glassbench.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_each_file_has_at_most_25_lines_of_code():
    for path in FOLDER.glob("*.py"):
        code = ast.parse(path.read_text())
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        notes = [node.body[0] for node in ast.walk(code) if isinstance(node, documented) and ast.get_docstring(node)]
        said = {line for note in notes for line in range(note.lineno, (note.end_lineno or 0) + 1)}
        lines = enumerate(path.read_text().splitlines(), start=1)
        assert sum(bool(line.strip()) and number not in said for number, line in lines) <= 25


def test_its_model_and_audit_appear_in_a_run_and_its_report(environment, tmp_path):
    example = ROOT / "docs" / "examples" / "diabetes.yaml"
    changes = [
        "model={use: residual, width: 8}",
        "audits={performance: , explain: , fairness: , norms: {limit: 5.0}}",
        "trainer.max_epochs=20",
    ]
    done = glassbench(environment, "run", example, "--json", "--runs", tmp_path, *changes)
    content = json.loads(done.stdout)
    assert "norms.largest" in {m["name"] for m in content["measures"]}
    assert "explain.reliable" in {m["name"] for m in content["measures"]}
    page = Path(content["report"]).read_text()
    assert "The largest weight is" in page
    assert "glassbench-example/residual" in page
    assert [line for line in done.stderr.splitlines() if line] == [
        "warning: plugin 'broken' (broken 1.0) is broken: RuntimeError: broken on purpose"
    ]


def test_both_are_listed_with_their_status(environment):
    listed = json.loads(glassbench(environment, "plugins", "list", "--json").stdout)
    status = {p["name"]: p["status"] for p in listed["plugins"]}
    assert (status["residual"], status["norms"], status["broken"]) == ("ok", "ok", "broken")


def test_they_keep_the_promises_of_their_kinds(environment):
    code = (
        "import glassbench_norms, glassbench_residual; from glassbench.testing import *; "
        "check_model(glassbench_residual.Residual, width=8); check_audit(glassbench_norms.norms, 'norms')"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
