"""One epoch over Parquet files larger than memory: the platform beside a plain loop that reads the same row groups.

    python tests/benchmarks/streaming.py --rows 50000000 [--folder FOLDER] [--repeats 3]

Writes a table of 20 columns of random numbers to FOLDER (8 bytes a number) unless it is there, trains the same network for one
epoch through the data set `streamed-table` with the Lightning trainer and through a loop of a few lines, each in a process of
its own, in turns, and prints seconds, ratio and peak memory.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

COLUMNS = 19
BATCH, HIDDEN = 4096, 64
GROUP = 250_000


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "glassbench-streaming")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=["plain", "platform"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    path = asked.folder / f"rows-{asked.rows}.parquet"
    if asked.only:
        print(json.dumps({"plain": plain, "platform": platform}[asked.only](path)))
        return
    write(path, asked.rows)
    found: dict[str, list[dict[str, Any]]] = {"plain": [], "platform": []}
    for _ in range(asked.repeats):
        for which, runs in found.items():
            command = [sys.executable, __file__, "--rows", str(asked.rows), "--folder", str(asked.folder), "--only", which]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
            print(which, runs[-1], flush=True)
    ratios = [one["seconds"] / other["seconds"] for one, other in zip(found["plain"], found["platform"], strict=True)]
    memory = max(run["memory_gib"] for run in found["platform"])
    print(f"{median(ratios):.2f} of the plain loop's speed (median of {len(ratios)}), {memory:.2f} GiB at most")


def write(path: Path, rows: int) -> None:
    """Write the table unless it is there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn, begun = np.random.default_rng(0), path.with_suffix(".part")
    weights = drawn.normal(size=COLUMNS)
    schema = pa.schema([*((f"x{place}", pa.float64()) for place in range(COLUMNS)), ("y", pa.int64())])
    with pq.ParquetWriter(begun, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, rows, GROUP):
            x = drawn.normal(size=(min(GROUP, rows - start), COLUMNS))
            y = (x @ weights + drawn.normal(size=len(x)) > 0).astype(np.int64)
            writer.write_table(pa.Table.from_arrays([*map(pa.array, x.T), pa.array(y)], schema=schema), row_group_size=GROUP)
    begun.rename(path)


def plain(path: Path) -> dict[str, Any]:
    """Train by a plain loop over row groups, shuffled within each."""
    torch.manual_seed(0)
    model, file = network(), pq.ParquetFile(path)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    names = [f"x{place}" for place in range(COLUMNS)]
    begun = time.perf_counter()
    for group in np.random.default_rng(0).permutation(file.num_row_groups):
        table = file.read_row_group(int(group))
        x = torch.from_numpy(np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float32))
        y = torch.from_numpy(table["y"].to_numpy().copy())
        for batch in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return {"seconds": round(time.perf_counter() - begun, 2), "memory_gib": memory(), "loss": round(loss.item(), 3)}


def platform(path: Path) -> dict[str, Any]:
    """Train through the platform's data set and trainer."""
    from glassbench.contracts.trainer import Workspace
    from glassbench_plugins.supervised.classification import Classification
    from glassbench_plugins.tabular.streamed_table import streamed_table
    from glassbench_plugins.training.lightning import LightningTrainer

    begun = time.perf_counter()
    data = streamed_table(0, path=path, target="y", positive="1")
    read = time.perf_counter() - begun
    torch.manual_seed(0)
    trainer = LightningTrainer(max_epochs=1, batch_size=BATCH, early_stopping=None, accelerator="cpu", keep="last")
    lines: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        trainer.fit(network(), Classification(), data, Workspace(seed=0, folder=Path(folder), record=lines.append))
        fitted = time.perf_counter() - begun
    found = {"seconds": round(fitted, 2), "first_pass": round(read, 2), "memory_gib": memory()}
    return {**found, "loss": round(lines[-1]["train_loss"], 3)}


def network() -> nn.Module:
    """Return the network that both train."""
    return nn.Sequential(nn.Linear(COLUMNS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))


def memory() -> float:
    """Return the largest memory that this process held, GiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


if __name__ == "__main__":
    main()
