"""Trains once undisturbed and once killed again and again at random moments, and prints whether both ended the same."""

import json
import sys
from pathlib import Path

from killing import report
from tiny_training import TinyTask, tiny_data, tiny_net

from glassbench.contracts.trainer import Workspace
from glassbench_plugins.training.lightning import LightningTrainer


def train(folder: Path) -> None:
    def record(line: object) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    trainer = LightningTrainer(max_epochs=60, batch_size=16, threads=1, checkpoint_every=0.0, schedule="cosine")
    workspace = Workspace(seed=1, folder=folder / "checkpoints", record=record)
    trainer.fit(tiny_net(), TinyTask(), tiny_data(600), workspace)


if __name__ == "__main__":
    report(train, Path(sys.argv[1]), "step")
