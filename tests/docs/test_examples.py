"""Every example runs from its file to its report, and no audit of it fails."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.yaml"))
LARGEST = 1_500_000
"""Bytes of a report."""


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run_and_no_audit_fails(example, tmp_path):
    command = [str(Path(sys.executable).with_name("glassbench")), "run", str(example), "--runs", str(tmp_path), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1, 3), ended.stderr[-2000:]
    (folder,) = (path for path in tmp_path.iterdir() if (path / "verdict.json").exists())
    failed = {path.parent.name: path.read_text()[-1000:] for path in folder.glob("audits/*/traceback.txt")}
    assert failed == {}
    assert json.loads((folder / "verdict.json").read_text()).get("failed_audits", []) == []
    assert (folder / "report.html").stat().st_size < LARGEST
