"""Learns a game by self-play once undisturbed and once killed again and again, and prints whether both ended the same."""

import json
import sys
from pathlib import Path

from killing import report

from glassbench.contracts.trainer import Workspace
from glassbench_plugins.games.board_network import BoardNetwork
from glassbench_plugins.games.dataset import game
from glassbench_plugins.games.self_play import SelfPlay
from glassbench_plugins.training.lightning import LightningTrainer


def train(folder: Path) -> None:
    def record(line: object) -> None:
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    data = game(3, id="tic-tac-toe", lanes=8, validation_games=4)
    task = SelfPlay(steps=1200, rollout=4, updates=2, memory=300, simulations=8, judged_simulations=8)
    task.check(data.schema)
    trainer = LightningTrainer(batch_size=32, threads=1, checkpoint_every=0.0, schedule="linear")
    workspace = Workspace(seed=1, folder=folder / "checkpoints", record=record)
    trainer.fit(BoardNetwork(data.schema, channels=4, layers=2, hidden=8), task, data, workspace)


if __name__ == "__main__":
    report(train, Path(sys.argv[1]), "environment_steps")
