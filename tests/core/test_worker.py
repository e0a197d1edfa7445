"""A training that spreads over processes goes through the same phases as any other."""

import json

import pytest

from glassbench import FitError, run

SPREAD = {
    "name": "spread",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [8]},
    "trainer": {"use": "lightning", "max_epochs": 4, "accelerator": "cpu", "devices": 2, "strategy": "ddp", "threads": 1},
    "audits": ["performance"],
}


@pytest.mark.slow
def test_two_processes_train_one_model_and_the_audits_run_once(tmp_path):
    done = run(SPREAD, runs=tmp_path)
    assert [a.error for a in done.audits] == [None]
    facts = json.loads((done.folder / "provenance.json").read_text())["training"]
    assert facts["processes"] == 2
    epochs = [json.loads(line)["epoch"] for line in (done.folder / "metrics.jsonl").read_text().splitlines()]
    assert epochs == [0, 1, 2, 3]


def test_what_the_processes_said_is_in_the_error(tmp_path):
    with pytest.raises(FitError) as caught:
        run({**SPREAD, "trainer": {"use": "lightning", "strategy": "no-such", "accelerator": "cpu"}}, runs=tmp_path)
    assert "no-such" in str(caught.value)
