"""Trains on two processes; Lightning starts this script again for the second."""

import json
import sys
from pathlib import Path

import torch
from tiny_training import TinyTask, tiny_data, tiny_net

from glassbench.contracts.trainer import Workspace
from glassbench_plugins.training.lightning import LightningTrainer

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    history: list[object] = []
    settings = {"accelerator": "cpu", "devices": 2, "strategy": "ddp", "threads": 1}
    trainer = LightningTrainer(max_epochs=3, batch_size=16, accumulate=2, gradient_clip=1.0, checkpoint_every=0.0, **settings)
    workspace = Workspace(seed=1, folder=folder / "checkpoints", record=history.append)
    fitted = trainer.fit(tiny_net(), TinyTask(), tiny_data(), workspace)
    weights = torch.cat([p.detach().flatten() for p in fitted.model.parameters()]).tolist()
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else "none"
    outcome = {"weights": weights, "facts": fitted.facts, "history": history}
    (folder / f"rank-{rank}.json").write_text(json.dumps(outcome))
