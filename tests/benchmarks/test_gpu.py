"""The benchmark of training at size runs everywhere, at a tiny size."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("gpu.py")


@pytest.mark.slow
def test_both_take_the_same_steps():
    command = [sys.executable, SCRIPT, "--device", "cpu", "--size", "tiny", "--threads", "1", "--repeats", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    losses = re.findall(r"last loss ([0-9.]+)", done.stdout)
    assert len(losses) == 4
    assert losses[::2] == losses[1::2]
    assert done.stdout.count("ratio of samples/s") == 2
