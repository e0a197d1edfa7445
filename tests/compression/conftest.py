"""A run over a small network whose rows have groups and classes."""

from pathlib import Path

import pytest

import glassbench

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

EXPERIMENT = {
    "name": "compressed",
    "dataset": {"use": "diabetes", "target": "class", "sensitive": ["sex"]},
    "task": "classification",
    "model": {"use": "mlp", "hidden": [256, 256]},
    "trainer": {"use": "lightning", "threads": 1, "max_epochs": 8, "early_stopping": None},
    "audits": {"performance": {}, "fairness": {"replicates": 50}},
    "seed": 3,
}


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Path:
    return glassbench.run(EXPERIMENT, runs=tmp_path_factory.mktemp("runs")).folder
