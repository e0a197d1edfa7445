"""What group-DRO does to the groups of Adult (sex and class): accuracy of each, beside the same network trained plainly.

Run it: `python tests/benchmarks/group_dro.py FOLDER`; FOLDER holds `adult`.
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path

import pandas as pd

import glassbench

SEEDS = (0, 1, 2)


def experiment(target: str, seed: int, mitigations: list[str]) -> dict[str, object]:
    """Return a small network on Adult."""
    return {
        "name": "group-dro",
        "seed": seed,
        "dataset": {"use": "table", "target": target, "sensitive": ["sex"]},
        "task": "classification",
        "model": {"use": "mlp", "hidden": [64, 64]},
        "trainer": {"use": "lightning", "max_epochs": 10, "early_stopping": None, "threads": 1, "batch_size": 256},
        "mitigations": mitigations,
        "audits": ["performance"],
    }


def accuracies(folder: Path) -> dict[str, float]:
    """Return the accuracy of a run's test rows, all and of each sex and class."""
    rows = pd.read_parquet(folder / "predictions.parquet")
    right = rows["y_true"].astype(str) == rows["y_pred"].astype(str)
    by = right.groupby([rows["group.sex"].astype(str), rows["y_true"].astype(str)]).mean()
    return {"all": float(right.mean()), **{", ".join(map(str, key)): float(value) for key, value in by.items()}}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    place = Path(sys.argv[1]) / "adult"
    table = pd.concat([pd.read_csv(place / f"{part}.csv.gz") for part in ("train", "test")], ignore_index=True)
    for chosen in SEEDS:
        for used in ([], ["group-dro"]):
            with tempfile.TemporaryDirectory() as runs:
                run = glassbench.run(experiment(str(table.columns[-1]), chosen, used), data=table, runs=runs)
                found = {name: round(value, 4) for name, value in accuracies(run.folder).items()}
            print(json.dumps({"seed": chosen, "mitigations": used, **found}), flush=True)
