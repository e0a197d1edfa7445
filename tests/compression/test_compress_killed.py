"""A compression that is killed while it trains a student, and asked for again, ends as one that never was."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import glassbench

pytestmark = pytest.mark.slow

EXPERIMENT = {
    "name": "killed",
    "dataset": {"use": "diabetes", "target": "class", "sensitive": ["sex"]},
    "task": "classification",
    "model": {"use": "mlp", "hidden": [64, 64]},
    "trainer": {
        "use": "lightning",
        "threads": 1,
        "max_epochs": 120,
        "early_stopping": None,
        "checkpoint_every": 0.0,
        "keep": "last",
    },
    "audits": ["performance"],
    "seed": 3,
}


def compress(run: Path, place: Path) -> subprocess.Popen:
    code = "import sys; from glassbench.cli.app import invoke; invoke(sys.argv[1:])"
    arguments = ["compress", run, "--to", "half", "--to", "distilled", "-o", place]
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.DEVNULL)


def test_killed_while_the_student_learns(tmp_path: Path) -> None:
    run = glassbench.run(EXPERIMENT, runs=tmp_path / "runs").folder
    assert compress(run, tmp_path / "whole").wait(600) == 0
    process, draft = compress(run, tmp_path / "killed"), tmp_path / ".killed.unfinished"
    while not list(draft.glob("distilled/work/1/*")):
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed").exists()
    before = (draft / "half" / "candidate.json").stat().st_mtime_ns
    assert compress(run, tmp_path / "killed").wait(600) == 0
    assert not draft.exists()
    assert (tmp_path / "killed" / "half" / "candidate.json").stat().st_mtime_ns == before
    for name in ("half/model.onnx", "distilled/model.onnx", "distilled/predictions.parquet", "distilled/candidate.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
