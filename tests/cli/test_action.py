"""The GitHub Action and the pre-commit hooks: each step's script is run as the runner runs it."""

import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from glassbench.cli.app import invoke
from glassbench.experiments.experiment_file import read_document

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
DECISIONS = "was,said,sex\n" + "yes,yes,f\nno,no,m\nyes,no,f\nno,no,f\nyes,yes,m\nno,yes,m\n" * 10


class Comments(http.server.BaseHTTPRequestHandler):
    """The part of GitHub's API that writes comments."""

    def do_GET(self):
        self.answer([{"id": place, "body": body} for place, body in enumerate(self.server.bodies)])

    def do_POST(self):
        self.server.bodies.append(self.content()["body"])
        self.server.paths.append(self.path)
        self.answer({})

    def do_PATCH(self):
        self.server.bodies[int(self.path.rpartition("/")[2])] = self.content()["body"]
        self.answer({})

    def content(self):
        assert self.headers["Authorization"] == "Bearer secret"
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, content):
        self.send_response(200 if self.server.open else 403)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def github():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Comments)
    server.bodies, server.paths, server.open = [], [], True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def filled(text: str, known: dict[str, str]) -> str:
    """Return a text with the runner's expressions replaced."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found[1]], text)


def steps(folder: Path, github, **inputs: str) -> tuple[list[int], dict[str, str], str]:
    """Run the scripts of the action's steps in order; return their exit codes, the outputs of `run` and what they printed."""
    values = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()} | {"package": ""}
    values |= {name.replace("_", "-"): text for name, text in inputs.items()}
    known = {f"inputs.{name}": text for name, text in values.items()} | {"github.token": "secret"}
    known["inputs.token"] = "secret"
    for name in ("output", "summary.md"):
        (folder / name).touch()
    (folder / "event.json").write_text(json.dumps({"pull_request": {"number": 7}}))
    environment = {
        **os.environ,
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_API_URL": f"http://127.0.0.1:{github.server_port}",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_REPOSITORY": "someone/models",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    codes, outputs, printed = [], {}, ""
    for step in (one for one in ACTION["runs"]["steps"] if "run" in one):
        known |= {f"steps.run.outputs.{name}": text for name, text in outputs.items()}
        given = {name: filled(text, known) for name, text in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            env=environment | given,
            capture_output=True,
            text=True,
        )
        codes.append(done.returncode)
        printed += done.stdout + done.stderr
        if step.get("id") == "run":
            outputs = dict(line.split("=", 1) for line in (folder / "output").read_text().splitlines())
    return codes, outputs, printed


def test_an_audit_that_fails_a_gate_is_commented_once_and_fails_the_job(tmp_path, github):
    (tmp_path / "decisions.csv").write_text(DECISIONS)
    more = "--decision=said\n--truth=was\n--sensitive=sex\naudits=[performance]\n"
    gate = "gates=[{measure: performance.accuracy, at_least: 0.99}]"
    given = {"command": "audit", "subject": "decisions.csv", "arguments": more + gate, "badge": "badges/audit.json"}
    codes, outputs, _ = steps(tmp_path, github, **given)
    assert codes == [0, 0, 0, 1]
    assert (outputs["verdict"], outputs["exit-code"]) == ("fail", "1")
    assert (Path(outputs["folder"]) / "findings.sarif").is_file()
    assert json.loads((tmp_path / "badges" / "audit.json").read_text())["message"] == "fail"
    assert "decisions: fail" in (tmp_path / "summary.md").read_text()
    (body,) = github.bodies
    assert body.startswith("<!-- glassbench decisions.csv -->")
    assert "accuracy at least 0.99" in body
    assert github.paths == ["/repos/someone/models/issues/7/comments"]
    passing = {**given, "arguments": more}
    codes, outputs, _ = steps(tmp_path, github, **passing)
    assert codes == [0, 0, 0, 0]
    assert len(github.bodies) == 1
    assert "no gates set" in github.bodies[0]


def test_what_is_wrong_is_commented_and_ends_with_2_even_where_no_comment_may_be_written(tmp_path, github):
    github.open = False
    codes, outputs, printed = steps(tmp_path, github, subject="nowhere.yaml; touch owned", arguments="a=$(touch owned)")
    assert codes == [0, 0, 0, 2]
    assert outputs["verdict"] == "error"
    assert "nowhere.yaml" in (tmp_path / "summary.md").read_text()
    assert "::warning::the summary was not written" in printed
    assert not (tmp_path / "owned").exists()


def test_every_input_and_output_is_used():
    text = (ROOT / "action.yml").read_text()
    assert all(f"inputs.{name}" in text.split("runs:\n", 1)[1] for name in ACTION["inputs"])
    assert all(output["value"].startswith("${{ steps.run.outputs.") for output in ACTION["outputs"].values())


HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


def hooked(name: str, *files: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [*shlex.split(HOOKS[name]["entry"]), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.slow
def test_the_plan_hook_checks_each_file_that_changed(tmp_path):
    good, bad = tmp_path / "experiment.yaml", tmp_path / "experiments" / "bad.yml"
    bad.parent.mkdir()
    good.write_text("{name: a, dataset: diabetes, task: classification, model: mlp}")
    bad.write_text("{name: a, dataset: diabetes, task: classification, model: mpl}")
    assert hooked("glassbench-plan", good).returncode == 0
    done = hooked("glassbench-plan", good, bad)
    assert done.returncode != 0
    assert "mlp" in done.stderr
    pattern = re.compile(HOOKS["glassbench-plan"]["files"])
    assert all(pattern.search(name) for name in ("experiment.yaml", "a/experiments/b.yml", "experiments/c/d.yaml"))
    assert not any(pattern.search(name) for name in ("mkdocs.yml", "experimental.yaml", "a/experiment.yaml.txt"))


def test_the_schema_hook_notices_a_schema_of_another_version(tmp_path, capsys):
    assert HOOKS["glassbench-schema"]["entry"] == "glassbench schema --check"
    assert invoke(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    path = tmp_path / "experiment.schema.json"
    path.write_text(json.dumps(schema))
    assert invoke(["schema", "--check", str(path)]) == 0
    del schema["properties"]["gates"]
    path.write_text(json.dumps(schema))
    assert invoke(["schema", "--check", str(path)]) == 2
    assert "differences in gates" in capsys.readouterr().err


def test_the_schema_is_ready_for_schemastore(capsys):
    jsonschema = pytest.importorskip("jsonschema")
    assert invoke(["schema"]) == 0
    text = capsys.readouterr().out
    schema = json.loads(text)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["$id"].startswith("https://json.schemastore.org/")
    assert not re.search(r'"(\$defs|prefixItems|unevaluatedProperties|dependentRequired)"', text)
    checker = jsonschema.Draft7Validator(schema)
    examples = [path for path in (ROOT / "docs" / "examples").glob("*.yaml") if "model" in path.read_text()]
    wrong = {path.name: [e.message[:200] for e in checker.iter_errors(read_document(path).content)] for path in examples}
    assert {name: errors for name, errors in wrong.items() if errors} == {}
