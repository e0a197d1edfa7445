"""How long the command line takes to start, against importing PyTorch Lightning, side by side.

Run: python tests/benchmarks/startup.py [--repeats 7]
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time

GLASSBENCH = shutil.which("glassbench") or "glassbench"
COMMANDS = {
    "import pytorch_lightning": [sys.executable, "-c", "import pytorch_lightning"],
    "glassbench --help": [GLASSBENCH, "--help"],
    "glassbench plugins list": [GLASSBENCH, "plugins", "list"],
    "python -c pass": [sys.executable, "-c", "pass"],
}


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    for command in COMMANDS.values():  # the first start reads files from the disk
        seconds(command)
    taken = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, command in COMMANDS.items():
            taken[name].append(seconds(command))
    median = {name: statistics.median(times) for name, times in taken.items()}
    for name, value in median.items():
        print(f"{name:28} {value * 1000:8.0f} ms   1/{median['import pytorch_lightning'] / value:.0f}")


if __name__ == "__main__":
    main()
