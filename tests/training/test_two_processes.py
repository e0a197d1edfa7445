"""Two processes train one network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_both_end_with_the_same_weights_and_one_records(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_processes.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"rank-{rank}.json").read_text()) for rank in (0, 1))
    assert first["weights"] == second["weights"]
    assert first["facts"] == second["facts"]
    assert (first["facts"]["processes"], first["facts"]["steps"]) == (2, 15)
    assert [line["epoch"] for line in first["history"]] == [0, 1, 2]
    assert second["history"] == []
