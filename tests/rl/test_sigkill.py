"""Learning by interaction, killed at any moment, ends as if it never was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("dqn", "ppo-vector", "ppo-continuous", "dqn-vector", "sac")]


@pytest.mark.parametrize("kind", ["ppo", *SLOW])
def test_sigkill_at_random_moments(tmp_path, kind):
    script = Path(__file__).with_name("sigkill.py")
    shared = str(Path(__file__).parents[1] / "training")  # what kills is shared with other trainings
    paths = os.environ | {"PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), shared])}
    command = [sys.executable, script, kind, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, env=paths)
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["kills"] >= 1
    assert outcome["same_weights"]
    assert outcome["same_facts"]
    assert outcome["same_history"]
