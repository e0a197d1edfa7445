"""Training of a LightningModule by its own steps: it draws random numbers as Lightning alone would, also after a kill."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from glassbench_plugins.training import checkpoint

INITIAL = "initial.safetensors"


class KeepRandomState(Callback):
    """Keeps the state of every random generator with the training state, and goes on with it."""

    def state_dict(self) -> dict[str, Any]:
        """Return the states of Python's, NumPy's and PyTorch's generators."""
        version, words, gauss = random.getstate()
        name, keys, position, has_gauss, cached = np.random.get_state()
        return {
            "python": [version, torch.tensor(words), gauss],
            "numpy": [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, cached],
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with generators as they were."""
        version, words, gauss = state_dict["python"]
        random.setstate((version, tuple(words.tolist()), gauss))
        name, keys, position, has_gauss, cached = state_dict["numpy"]
        np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))
        torch.set_rng_state(state_dict["torch"])
        if torch.cuda.is_available() and state_dict["cuda"]:
            torch.cuda.set_rng_state_all(state_dict["cuda"])


def begin_with_same_weights(module: pl.LightningModule, folder: Path) -> None:
    """Keep the weights that a training begins with, or begin with those that an interrupted one began with."""
    path = folder / INITIAL
    if path.exists():
        module.load_state_dict(checkpoint.read(path))
    else:
        checkpoint.write(dict(module.state_dict()), path)


def release(module: pl.LightningModule, datamodule: pl.LightningDataModule) -> None:
    """Let go of Lightning's trainer, so that the module can be copied."""
    module.trainer = None
    datamodule.trainer = None
