"""Trains once undisturbed and once killed again and again at random moments, and prints whether both ended the same.

The trainings run in forks of this process, which imports everything once and itself computes nothing.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from safetensors import safe_open
from tiny_training import TinyTask, tiny_data, tiny_net

from glassbench.trainer import Workspace
from glassbench_plugins.training.lightning import LightningTrainer


def train(folder: Path) -> None:
    folder.mkdir(exist_ok=True)

    def record(line: object) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    trainer = LightningTrainer(max_epochs=60, batch_size=16, threads=1, checkpoint_every=0.0, schedule="cosine")
    workspace = Workspace(seed=1, folder=folder / "checkpoints", record=record)
    trainer.fit(tiny_net(), TinyTask(), tiny_data(600), workspace)


def fork(folder: Path) -> int:
    child = os.fork()
    if child == 0:
        train(folder)
        os._exit(0)
    return child


def killed_until_done(folder: Path, whole: float) -> int:
    """Kill a training that takes `whole` seconds at random moments: three times before it can be done, then until it is."""
    kills = 0
    while True:
        child = fork(folder)
        deadline = time.monotonic() + whole * (random.uniform(0.1, 0.3) if kills < 3 else random.uniform(0.3, 1.5))
        while time.monotonic() < deadline:
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                return kills
            time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1


def outcome(folder: Path) -> tuple[str, object, dict[int, object]]:
    with safe_open(folder / "checkpoints" / "fitted.safetensors", "np") as file:
        metadata = file.metadata()
        weights = {name: file.get_tensor(name).tobytes().hex() for name in sorted(file.keys())}
    history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return json.dumps(weights), metadata["tree"], {line["step"]: line for line in history}


if __name__ == "__main__":
    root = Path(sys.argv[1])
    started = time.monotonic()
    os.waitpid(fork(root / "once"), 0)
    kills = killed_until_done(root / "often", time.monotonic() - started)
    (weights, facts, history), (expected, expected_facts, expected_history) = outcome(root / "often"), outcome(root / "once")
    same = {"same_weights": weights == expected, "same_facts": facts == expected_facts}
    print(json.dumps({"kills": kills, **same, "same_history": history == expected_history}))
