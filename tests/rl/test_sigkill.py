"""Learning by interaction, killed at any moment, ends as if it never was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("kind", ["ppo", "dqn", pytest.param("ppo-continuous", marks=pytest.mark.slow)])
def test_sigkill_at_random_moments(tmp_path, kind):
    script = Path(__file__).with_name("sigkill.py")
    done = subprocess.run([sys.executable, script, kind, tmp_path], capture_output=True, text=True, check=True, timeout=300)
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["kills"] >= 1
    assert outcome["same_weights"]
    assert outcome["same_facts"]
    assert outcome["same_history"]
