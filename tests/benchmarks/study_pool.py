"""How much faster a study runs an experiment 16 times than 16 commands one after the other, start-up included.

Run: python tests/benchmarks/study_pool.py [--runs 16] [--workers 2] [--repeats 3]; it takes some minutes and prints a line for
each repeat and the median ratio. `glassbench` must be on the path.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

EXPERIMENT = """name: pool
dataset: {use: diabetes, target: class, sensitive: [sex, age_band]}
task: classification
model: {use: mlp, hidden: [32, 32]}
trainer: {use: lightning, max_epochs: 40, accelerator: cpu, threads: 1}
audits: [performance, fairness, explain]
"""
STUDY = """name: pool
experiment: pool.yaml
vary: {{seeds: {runs}}}
objectives: [{{measure: performance.accuracy}}]
workers: {workers}
"""


def seconds(*commands: list[str]) -> float:
    """Return how long commands take one after the other."""
    started = time.perf_counter()
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 1, 3):
            raise SystemExit(f"{command}: {done.stderr[-500:]}")
    return time.perf_counter() - started


def main() -> None:
    """Print both times of each repeat, and the median ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "pool.yaml").write_text(EXPERIMENT)
        (folder / "study.yaml").write_text(STUDY.format(runs=asked.runs, workers=asked.workers))
        experiment, study = str(folder / "pool.yaml"), str(folder / "study.yaml")
        for repeat in range(asked.repeats):
            alone = [
                ["glassbench", "run", experiment, f"seed={seed}", "--runs", f"{folder}/runs{repeat}"]
                for seed in range(asked.runs)
            ]
            single = seconds(*alone)
            together = seconds(["glassbench", "study", study, "--studies", f"{folder}/studies{repeat}"])
            ratios.append(single / together)
            print(f"one after the other {single:6.1f} s, as a study {together:6.1f} s, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
