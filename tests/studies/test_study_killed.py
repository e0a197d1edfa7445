"""A study that is killed at ten random moments comes to the same candidates and numbers as one that never was."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from glassbench.errors import GlassbenchError
from glassbench.studies import load_study, run_study
from glassbench.studies.study_folder import StudyFolder

EXPERIMENT = {
    "name": "one",
    "dataset": {"use": "diabetes", "target": "class", "sensitive": ["sex"]},
    "task": "classification",
    "model": {"use": "mlp", "hidden": [8]},
    "trainer": {"use": "lightning", "max_epochs": 5, "accelerator": "cpu"},
    "audits": ["performance"],
}
GRID = {
    "name": "grid",
    "experiment": EXPERIMENT,
    "vary": {"seeds": 4, "grid": {"model.hidden": [[4], [8], [16], [32]]}},
    "objectives": [{"measure": "performance.accuracy"}],
}
SEARCH = {
    **GRID,
    "name": "search",
    "vary": {
        "search": {"trainer.learning_rate": {"from": 0.0005, "to": 0.05, "log": True}, "model.hidden": {"choices": [[4], [8]]}}
    },
    "budget": {"runs": 16},
    "at_once": 2,
    "prune": True,
}
MAIN = "from glassbench.cli import main; main()"


def numbers(folder):
    """Every measure of every run of a study, in order."""
    found = StudyFolder(folder)
    return [
        (t.seed, t.candidate, found.pruned(t), [(m.name, m.value, m.low, m.high) for r in _results(found, t) for m in r.measures])
        for t in found.trials
    ]


def _results(found, trial):
    return found.run(trial).results() if found.done(trial) else ()


def changed(root):
    """When something under a folder was changed last."""
    return max((path.stat().st_mtime_ns for path in root.glob("2*/runs/*/*") if path.exists()), default=0)


def killed(root, seconds, *arguments):
    """Run a command of studies and kill it some time after it began to work; whether it came to its end before."""
    before = changed(root)
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "study", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
    )
    until = time.monotonic() + 300
    while process.poll() is None and changed(root) == before and time.monotonic() < until:
        time.sleep(0.05)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return True
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return False


@pytest.mark.slow
@pytest.mark.parametrize("study", [GRID, SEARCH], ids=["grid", "search"])
def test_a_study_killed_ten_times_goes_on_to_the_same_numbers(study, tmp_path):
    started = time.monotonic()
    whole = run_study(study, studies=tmp_path / "whole")
    longest = (time.monotonic() - started) / 10  # ten kills come, on average, to half of the work
    (tmp_path / "study.yaml").write_text(json.dumps(study))
    moments, root = random.Random(study["name"]), tmp_path / "killed"
    for kill in range(10):
        arguments = ["resume", "latest"] if kill else [str(tmp_path / "study.yaml")]
        ended = killed(root, moments.uniform(0, longest), *arguments, "--studies", str(root))
        assert not ended, f"it came to its end before kill {kill + 1}"
    found = resumed(root)
    assert not found.failures
    assert numbers(found.folder) == numbers(whole.folder)


def resumed(root):
    """Go on with a killed study to its end; processes of its pool end themselves a moment after it."""
    found, until = load_study("latest", studies=root), time.monotonic() + 60
    while True:
        try:
            found.resume()
        except GlassbenchError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return found
