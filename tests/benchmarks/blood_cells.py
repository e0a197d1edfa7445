"""Blood cells under a microscope: CenterNet from scratch on the usual division.

    python tests/benchmarks/blood_cells.py FOLDER

FOLDER holds `BCCD/`, unpacked from `BCCD.zip`. Writes FOLDER/cells.yaml; run it with `glassbench run`.
"""

import argparse
import json
from pathlib import Path

TRAINER = {
    "use": "lightning", "max_epochs": 36, "batch_size": 8, "learning_rate": 0.004, "schedule": "cosine", "warmup": 0.05,
    "keep": "last", "early_stopping": None, "threads": 1,
}  # fmt: skip


def experiment(folder):
    dataset = {
        "use": "voc", "path": str(folder / "BCCD"), "size": [120, 160], "classes": ["RBC", "WBC", "Platelets"],
        "sensitive": ["brightness", "object_count"],
    }  # fmt: skip
    whole = {
        "name": "cells", "seed": 1, "dataset": dataset, "task": {"use": "detection", "flips": "all", "sizes": [11, 28]},
        "model": {"use": "centernet", "widths": [16, 32, 64, 96], "head": 32}, "trainer": TRAINER,
        "audits": {"performance": {"replicates": 200}},
    }  # fmt: skip
    (folder / "cells.yaml").write_text(json.dumps(whole, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    experiment(parser.parse_args().folder)
