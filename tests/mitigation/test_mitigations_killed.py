"""A run with mitigations that is killed while it trains, and resumed, ends as one that never was."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXPERIMENT = {
    "name": "killed",
    "dataset": {"use": "diabetes", "target": "class", "sensitive": ["sex"]},
    "task": "classification",
    "model": {"use": "mlp", "hidden": [8]},
    "trainer": {
        "use": "lightning",
        "threads": 1,
        "max_epochs": 150,
        "early_stopping": None,
        "checkpoint_every": 0.0,
        "keep": "last",
    },
    "mitigations": [{"use": "group-dro", "step": 0.1}, "group-thresholds"],
    "audits": ["performance"],
    "seed": 3,
}
FILES = ("model.safetensors", "calibration.json", "metrics.jsonl", "predictions.parquet")


def glassbench(*arguments: object) -> subprocess.Popen:
    code = "import sys; from glassbench.cli.app import invoke; invoke(sys.argv[1:])"
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_killed_at_epochs_of_its_training(tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(json.dumps(EXPERIMENT))
    assert glassbench("run", file, "--runs", tmp_path / "whole").wait(300) == 0
    whole = next(path.parent for path in tmp_path.glob("whole/*/report.html"))
    for epochs in (2, 80):
        root = tmp_path / str(epochs)
        process = glassbench("run", file, "--runs", root)
        while not any(len(path.read_text().splitlines()) >= epochs for path in root.glob("*/metrics.jsonl")):
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        folder = next(path.parent for path in root.glob("*/status.json"))
        assert not (folder / "model.safetensors").exists()
        assert glassbench("resume", folder).wait(300) == 0
        for name in FILES:
            assert (folder / name).read_bytes() == (whole / name).read_bytes(), (epochs, name)
