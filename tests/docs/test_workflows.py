"""Hosted CI runs what there is to run."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"


def jobs(name):
    return yaml.safe_load((WORKFLOWS / name).read_text())["jobs"]


def test_the_nightly_job_runs_every_folder_with_slow_tests():
    slow = [path for path in ROOT.glob("tests/*/*.py") if re.search(r"pytest\.mark\.slow", path.read_text())]
    marked = {path.relative_to(ROOT / "tests").parts[0] for path in slow}
    assert set(jobs("nightly.yml")["slow"]["strategy"]["matrix"]["room"]) == marked


def test_checks_are_the_one_command_that_contributors_run():
    steps = jobs("checks.yml")["checks"]["steps"]
    assert steps[-2] == {"if": "matrix.dependencies == 'pinned'", "run": "scripts/check"}
    tests = (ROOT / "scripts" / "check").read_text().splitlines()[-1].removesuffix(' "$@"')
    assert steps[-1] == {"if": "matrix.dependencies != 'pinned'", "run": tests}
    assert "scripts/check" in (ROOT / "CONTRIBUTING.md").read_text()
