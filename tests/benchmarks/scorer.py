"""Latency of one row: `Run.predict` and `glassbench predict` beside a scorer, `python -m scorer` from this folder.

Prints milliseconds per row at batch 1 and how many times faster the scorer is, in one process and as commands of their own.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import glassbench
from glassbench.export.export_run import export_run
from glassbench.export.scorer.score import Scorer

MODELS = ("hist-gradient-boosting", "random-forest", "logistic-regression", "linear", "mlp", "ft-transformer")
NETWORKS = ("linear", "mlp", "ft-transformer")
START = "from glassbench.cli import main; main()"


def median_ms(call: Callable[[], object], times: int) -> float:
    """Return the median time of a call in milliseconds."""
    call()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return float(np.median(found)) * 1000


def main(models: tuple[str, ...]) -> None:
    """Measure each model on one row of breast masses."""
    folder = Path(tempfile.mkdtemp())
    print("model                    predict    scorer  times   commands: predict  score.py  times")
    for model in models:
        trainer = {"trainer": {"use": "lightning", "max_epochs": 2}} if model in NETWORKS else {}
        content = {"name": model, "dataset": "breast-cancer", "task": "classification", "model": model, **trainer}
        run = glassbench.run({**content, "audits": ["performance"]}, runs=folder / "runs")
        export_run(run, "scorer", folder / model)
        row = run.held_out_rows.head(1)
        row.to_csv(folder / "row.csv", index=False)
        measure(model, run, row, folder)


def measure(model: str, run: glassbench.Run, row: pd.DataFrame, folder: Path) -> None:
    """Print the latencies of one model."""
    scorer, cells = Scorer(folder / model), row.to_dict(orient="records")
    inside = median_ms(lambda: run.predict(row), 30), median_ms(lambda: scorer.predict(cells), 300)
    file = str(folder / "row.csv")
    commands = (
        [sys.executable, "-c", START, "predict", str(run.folder), file],
        [sys.executable, str(folder / model / "score.py"), file],
    )
    outside = [median_ms(lambda c=line: subprocess.run(c, check=True, capture_output=True), 3) for line in commands]
    print(
        f"{model:24} {inside[0]:8.3f} {inside[1]:9.4f} {inside[0] / inside[1]:6.0f}"
        f"            {outside[0]:8.0f} {outside[1]:9.0f} {outside[0] / outside[1]:6.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or MODELS)
