"""Runs that are killed at random moments and resumed end as one that never was.

On request: `GLASSBENCH_KILLS=200 pytest -m slow tests/core/test_kills.py` kills as often as that.
"""

import json
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

from glassbench import Registry
from glassbench.cli.app import invoke

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "diabetes.yaml"
KILLS = int(os.environ.get("GLASSBENCH_KILLS", "200"))

TRAINER = {"use": "lightning", "threads": 1, "max_epochs": 4, "early_stopping": None}
AUDITS = {"performance": {}, "explain": {"rows": 8, "cases": 1}, "learning": {}}
DOMAINS = {
    "tabular": {
        "dataset": {"use": "diabetes", "target": "class", "sensitive": ["sex"]},
        "task": {"use": "classification"},
        "model": {"use": "mlp", "hidden": [8]},
        "trainer": TRAINER,
        "audits": {**AUDITS, "fairness": {}, "calibration": {}},
    },
    "text": {
        "dataset": {"use": "remarks", "rows": 200},
        "task": {"use": "classification"},
        "model": {"use": "lstm", "embedding": 8, "width": 8},
        "trainer": TRAINER,
        "audits": AUDITS,
    },
    "vision": {
        "dataset": {"use": "digits"},
        "task": {"use": "classification"},
        "model": {"use": "cnn", "convolutions": 1},
        "trainer": {**TRAINER, "max_epochs": 2},
        "audits": {"performance": {}, "learning": {}},
    },
    "series": {
        "dataset": {"use": "seasonal", "steps": 2000, "length": 48, "horizon": 12, "test_stride": 30},
        "task": {"use": "forecasting"},
        "model": {"use": "dlinear"},
        "trainer": TRAINER,
        "audits": AUDITS,
    },
    "rl": {
        "dataset": {"use": "environment", "id": "CartPole-v1"},
        "task": {"use": "ppo", "steps": 4000},
        "model": {"use": "actor-critic", "hidden": [8]},
        "trainer": {"use": "lightning", "threads": 1},
        "audits": {"performance": {}, "learning": {}},
    },
    "clustering": {
        "dataset": {"use": "diabetes", "target": "value", "sensitive": ["sex"]},
        "task": {"use": "clustering"},
        "model": {"use": "kmeans", "clusters": 3},
        "audits": {"performance": {}, "clusters": {}, "fairness": {}},
    },
}

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["glassbench.api", "glassbench_plugins.training.lightning", "captum.attr"])


def started(*arguments):
    process = context.Process(target=invoke, args=([str(a) for a in arguments],))
    process.start()
    return process


def finish(*arguments, seconds=600):
    process = started(*arguments, "--json")
    process.join(seconds)
    assert process.exitcode == 0, arguments


def kill(process, seconds):
    """Let a process live so long, and say whether it had to be killed."""
    process.join(seconds)
    alive = process.is_alive()
    if alive:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return alive


def begun(*arguments, root):
    """Start a run; return its process and its folder, as soon as there is one."""
    process = started("run", *arguments, "--runs", root)
    while not (found := folders(root)):
        assert process.is_alive()
        time.sleep(0.005)
    return process, found[0]


def folders(root):
    return [path.parent for path in root.glob("[!.]*/status.json")]


def outcome(folder):
    """Everything a run concludes, without the clock: audits, decisions, history and weights to the bit."""
    clocked = {c.spec.name for c in Registry().of_kind("audit") if not c.spec.deterministic}
    audits = {p.parent.name: json.loads(p.read_text()) for p in sorted(folder.glob("audits/*/result.json"))}
    for audit in audits.values():
        audit.pop("seconds")
    names = ("verdict.json", "metrics.jsonl", "data.json", "model.safetensors", "predictions.safetensors")
    files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    decided = pd.read_parquet(folder / "predictions.parquet").to_dict("list")
    assert {"verdict.json", "data.json", "model.safetensors"} <= files.keys()
    return {name: audit for name, audit in audits.items() if name not in clocked}, files, repr(decided)


def check(tmp_path, moments, overrides):
    before = time.monotonic()
    finish("run", EXAMPLE, "--runs", tmp_path / "whole", *overrides, seconds=240)
    took = time.monotonic() - before
    (whole,) = folders(tmp_path / "whole")
    expected, frame = outcome(whole), pd.read_parquet(whole / "predictions.parquet")
    assert len(expected[0]) >= 7
    assert "metrics.jsonl" in expected[1]
    chance = random.Random(20)
    for moment in range(moments):
        process, folder = begun(EXAMPLE, *overrides, root=tmp_path / str(moment))
        kill(process, chance.random() * took)
        finish("resume", folder, seconds=240)
        assert outcome(folder) == expected, f"killed at moment {moment}"
        pd.testing.assert_frame_equal(pd.read_parquet(folder / "predictions.parquet"), frame, check_exact=True)
        assert not list(folder.rglob(".*")), "nothing half-written stays behind"


def test_killed_at_two_moments(tmp_path):
    check(tmp_path, 2, ["trainer.max_epochs=30"])


@pytest.mark.slow
def test_killed_at_twenty_moments(tmp_path):
    check(tmp_path, 20, [])


@pytest.mark.slow
def test_runs_of_six_domains_killed_at_random_moments_end_bit_equal(tmp_path):
    chance, whole, kills, tried = random.Random(2026), {}, 0, 0
    for name, experiment in DOMAINS.items():
        file = tmp_path / f"{name}.yaml"
        file.write_text(json.dumps({"name": name, "seed": 3, **experiment}))
        before = time.monotonic()
        finish("run", file, "--runs", tmp_path / name)
        (folder,) = folders(tmp_path / name)
        whole[name] = (file, time.monotonic() - before, outcome(folder))
    while kills < KILLS:
        name = list(whole)[tried % len(whole)]
        file, took, expected = whole[name]
        root = tmp_path / f"{name}-{tried}"
        tried += 1
        process, folder = begun(file, root=root)
        kills += kill(process, chance.random() * took)
        if chance.random() < 0.5:
            kills += kill(started("resume", folder), chance.random() * took)
        finish("resume", folder)
        assert outcome(folder) == expected, f"{name}, after {kills} kills"
        assert not list(folder.rglob(".*")), "nothing half-written stays behind"
        finish("verify", folder)
        print(f"{kills} kills, {tried} runs, last {name}", flush=True)


def write_row_groups(path):
    """Write 12,000 rows in row groups of 400, so that training reads them in parts."""
    drawn = random.Random(9)
    size = [drawn.gauss(0, 1) for _ in range(12_000)]
    frame = pd.DataFrame({"size": size, "town": [drawn.choice("abc") for _ in size]})
    frame["granted"] = ["yes" if value + drawn.gauss(0, 0.7) > 0 else "no" for value in size]
    frame.to_parquet(path, index=False, row_group_size=400)


def kill_in_training(process, folder, losses):
    """Kill a process once its history holds so many lines."""
    history = folder / "metrics.jsonl"
    while process.is_alive() and (not history.is_file() or len(history.read_text().splitlines()) < losses):
        time.sleep(0.005)
    return kill(process, 0)


@pytest.mark.slow
def test_a_streamed_run_killed_while_it_trains_ends_bit_equal(tmp_path):
    """Rows that are read part by part: killed in an epoch, and in a later one while the run is resumed."""
    write_row_groups(tmp_path / "rows.parquet")
    rows = {"path": str(tmp_path / "rows.parquet"), "target": "granted", "sensitive": ["town"]}
    dataset = {"use": "streamed-table", **rows, "test": 800, "validation": 400, "sample": 400, "buffer": 1200}
    trainer = {"use": "lightning", "threads": 1, "max_epochs": 30, "early_stopping": None}
    content = {"name": "streamed", "seed": 3, "dataset": dataset, "task": "classification", "trainer": trainer}
    file = tmp_path / "streamed.yaml"
    file.write_text(
        json.dumps({**content, "model": {"use": "mlp", "hidden": [8]}, "audits": {"performance": {}, "learning": {}}})
    )
    finish("run", file, "--runs", tmp_path / "whole")
    (whole,) = folders(tmp_path / "whole")
    expected, chance, kills = outcome(whole), random.Random(31), 0
    for moment in range(4):
        first = chance.randint(1, 12)
        process, folder = begun(file, root=tmp_path / str(moment))
        kills += kill_in_training(process, folder, first)
        kills += kill_in_training(started("resume", folder), folder, first + chance.randint(1, 12))
        finish("resume", folder)
        assert outcome(folder) == expected, f"killed at moment {moment}"
    assert kills >= 6, "most of them hit the training"
