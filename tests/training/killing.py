"""Kills trainings at random moments; what is trained runs in forks of this process, which itself computes nothing."""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from safetensors import safe_open

Train = Callable[[Path], None]


def report(train: Train, root: Path, counter: str) -> None:
    """Train once undisturbed and once killed again and again, and print whether both ended the same.

    Args:
        train: Trains in a folder, going on from what is there; leaves `metrics.jsonl` and `checkpoints`.
        root: Where both trainings are kept.
        counter: What tells the lines of the history apart.
    """
    started = time.monotonic()
    os.waitpid(_fork(train, root / "once"), 0)
    kills = _killed_until_done(train, root / "often", time.monotonic() - started)
    found, expected = _outcome(root / "often", counter), _outcome(root / "once", counter)
    names = ("same_weights", "same_facts", "same_history")
    print(json.dumps({"kills": kills, **{name: a == b for name, a, b in zip(names, found, expected, strict=True)}}))


def _fork(train: Train, folder: Path) -> int:
    child = os.fork()
    if child == 0:
        try:
            folder.mkdir(exist_ok=True)
            train(folder)
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return child


def _killed_until_done(train: Train, folder: Path, whole: float) -> int:
    """Kill a training that takes `whole` seconds at random moments: three times before it can be done, then until it is."""
    kills = 0
    while True:
        child = _fork(train, folder)
        deadline = time.monotonic() + whole * (random.uniform(0.1, 0.3) if kills < 3 else random.uniform(0.3, 1.5))
        while time.monotonic() < deadline:
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                return kills
            time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1


def _outcome(folder: Path, counter: str) -> tuple[str, object, dict[int, object]]:
    with safe_open(folder / "checkpoints" / "fitted.safetensors", "np") as file:
        metadata = file.metadata()
        weights = {name: file.get_tensor(name).tobytes().hex() for name in sorted(file.keys())}
    history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return json.dumps(weights), metadata["tree"], {line[counter]: line for line in history}
