"""A run on a data frame that is killed goes on from its folder and ends as one that never was."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from glassbench import load_run

CODE = """
import sys
import numpy as np, pandas as pd
import glassbench

chance = np.random.default_rng(3)
frame = pd.DataFrame({"a": chance.normal(size=600), "b": chance.choice(["x", "y"], 600), "sex": chance.choice(["f", "m"], 600)})
frame["y"] = np.where(frame["a"] + (frame["b"] == "x") + chance.normal(size=600) > 0.5, "yes", "no")
frame.index = [f"row {i}" for i in chance.permutation(600)]
experiment = {
    "name": "frame",
    "dataset": {"use": "table", "target": "y", "sensitive": ["sex"]},
    "task": "classification",
    "model": {"use": "mlp", "hidden": [8]},
    "trainer": {"use": "lightning", "threads": 1, "max_epochs": int(sys.argv[2]), "early_stopping": None},
    "audits": ["performance", "fairness"],
    "seed": 5,
}
glassbench.run(experiment, data=frame, runs=sys.argv[1])
"""
EPOCHS = "40"


def started(root):
    return subprocess.Popen([sys.executable, "-c", CODE, str(root), EPOCHS], stderr=subprocess.DEVNULL)


def folders(root):
    return [path.parent for path in Path(root).glob("[!.]*/status.json")]


def found(folder):
    measures = {p.parent.name: json.loads(p.read_text())["measures"] for p in sorted(folder.glob("audits/*/result.json"))}
    return measures, (folder / "model.safetensors").read_bytes(), pd.read_parquet(folder / "predictions.parquet").to_csv()


@pytest.mark.slow
def test_a_run_on_a_frame_killed_while_it_trains_ends_bit_equal(tmp_path):
    assert started(tmp_path / "whole").wait(300) == 0
    (whole,) = folders(tmp_path / "whole")
    process = started(tmp_path / "killed")
    deadline = time.monotonic() + 240
    while not list((tmp_path / "killed").glob("[!.]*/metrics.jsonl")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (folder,) = folders(tmp_path / "killed")
    assert not (folder / "verdict.json").exists()
    assert found(load_run(folder).resume().folder) == found(whole)
