"""A run killed at any moment and resumed ends with the numbers of one that never was."""

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

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["glassbench.api", "glassbench_plugins.training.lightning", "captum.attr"])


def started(*arguments):
    process = context.Process(target=invoke, args=([str(a) for a in arguments],))
    process.start()
    return process


def finish(*arguments):
    process = started(*arguments, "--json")
    process.join(240)
    assert process.exitcode == 0


def killed(root, delay, overrides):
    """Start a run, kill it `delay` seconds after its folder appears; return the folder."""
    process = started("run", EXAMPLE, "--runs", root, *overrides)
    while not (found := list(root.glob("[!.]*/status.json"))):
        assert process.is_alive()
        time.sleep(0.005)
    process.join(delay)
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return found[0].parent


def outcome(folder):
    """Everything a run concludes, without the clock."""
    import json

    clocked = {c.spec.name for c in Registry().of_kind("audit") if not c.spec.deterministic}
    found = {p.parent.name: json.loads(p.read_text()) for p in sorted(folder.glob("audits/*/result.json"))}
    audits = {name: audit for name, audit in found.items() if name not in clocked}
    assert len(audits) >= 7
    for audit in audits.values():
        audit.pop("seconds")
    texts = [(folder / name).read_text() for name in ("verdict.json", "metrics.jsonl", "data.json")]
    return audits, texts, (folder / "model.safetensors").read_bytes()


def check(tmp_path, moments, overrides):
    before = time.monotonic()
    finish("run", EXAMPLE, "--runs", tmp_path / "whole", *overrides)
    took = time.monotonic() - before
    (whole,) = (p.parent for p in (tmp_path / "whole").glob("*/status.json"))
    expected, frame = outcome(whole), pd.read_parquet(whole / "predictions.parquet")
    chance = random.Random(20)
    for moment in range(moments):
        folder = killed(tmp_path / str(moment), chance.random() * took, overrides)
        finish("resume", folder)
        assert outcome(folder) == expected, f"killed at moment {moment}"
        pd.testing.assert_frame_equal(pd.read_parquet(folder / "predictions.parquet"), frame, check_exact=True)
        assert not list(folder.rglob(".*")), "nothing half-written stays behind"


def test_killed_at_two_moments(tmp_path):
    check(tmp_path, 2, ["trainer.max_epochs=30"])


@pytest.mark.slow
def test_killed_at_twenty_moments(tmp_path):
    check(tmp_path, 20, [])
