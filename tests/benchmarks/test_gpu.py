"""The prepared run on a GPU works everywhere, at a tiny size, and goes on where it was cut off."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("gpu.py")


def gpu(folder, *arguments):
    small = ["--device", "cpu", "--size", "tiny", "--threads", "1", "--repeats", "1"]
    command = [sys.executable, SCRIPT, "--out", "results.jsonl", *small, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = (folder / "results.jsonl").read_text().splitlines() if (folder / "results.jsonl").is_file() else []
    return done.stdout, {result["part"]: result for result in map(json.loads, lines)}


@pytest.mark.slow
def test_every_part_ends_at_a_tiny_size(tmp_path):
    _, results = gpu(tmp_path, "--minutes", "60")
    assert {name for name, result in results.items() if "failed" in result} == set()
    assert len(results) == 10
    for name in ("speed-resnet-32", "speed-gpt-32", "speed-unet-bf16"):
        assert results[name]["plain loop"]["last loss"] == pytest.approx(results[name]["glassbench"]["last loss"], rel=1e-5)
    assert results["audits"]["kernel SHAP, table"]["largest difference"] == 0
    assert 0 <= results["figure-fashion"]["value"] <= 1
    said, again = gpu(tmp_path, "--only", "audits", "speed")
    assert said.count("done before") == 8
    assert again == results


@pytest.mark.slow
def test_a_part_that_fails_costs_no_other_and_one_without_time_does_not_begin(tmp_path):
    _, results = gpu(tmp_path, "--size", "full", "--data", "nowhere", "--only", "figure-fashion", "--minutes", "60")
    assert "nowhere" in results["figure-fashion"]["failed"]
    with (tmp_path / "results.jsonl").open("a") as lines:
        lines.write('{"part": "audits", "cut')
    assert "failed" not in gpu(tmp_path, "--only", "figure-fashion", "--minutes", "60")[1]["figure-fashion"]
    assert "no time is left" in gpu(tmp_path, "--only", "audits", "--minutes", "0")[0]
