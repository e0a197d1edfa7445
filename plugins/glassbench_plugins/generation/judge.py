"""The independent classifier by which generated pictures are judged, and how a run keeps it."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.data import Split
from glassbench_plugins.generation.conditional import PictureSize

FEATURES = 32
"""Numbers that say what is in a picture: the layer before the classes."""
_ROWS, _STEPS, _BATCH, _RATE, _SEED = 6000, 800, 64, 3e-3, 11
_AT_ONCE = 1024


class Judge(nn.Module):
    """A small convolutional network that tells the classes of pictures, trained on real ones alone.

    Args:
        size: Of the pictures.
    """

    scale: Tensor

    def __init__(self, size: PictureSize) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))
        self.body = nn.Sequential(
            nn.Conv2d(size.channels, 16, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.SiLU(),
            nn.AdaptiveMaxPool2d(max(2, min(size.height, size.width) // 2)),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(32 * 16, FEATURES),
        )
        self.head = nn.Sequential(nn.SiLU(), nn.Linear(FEATURES, size.classes))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """From pictures `(n, C, H, W)` to features `(n, 32)` and scores of classes `(n, classes)`.

        Features are scaled so that their variances over the training pictures add up to 1.
        """
        features = self.body(pictures)
        return features / self.scale, self.head(features)

    def judged(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return features `(n, 32)` and classes `(n,)` of pictures, without gradients."""
        with torch.inference_mode():
            parts = [self(part) for part in torch.split(pictures, _AT_ONCE)]
        features, scores = (torch.cat(each).clone() for each in zip(*parts, strict=True))
        return features, scores.argmax(dim=1)

    def to_json(self) -> dict[str, Any]:
        """Return the weights as plain JSON values."""
        return {name: array_to_json(tensor.numpy()) for name, tensor in self.state_dict().items()}

    def read_json(self, content: Mapping[str, Any]) -> None:
        """Take the weights that `to_json` returned.

        Raises:
            KeyError, TypeError, ValueError: They are others.
        """
        weights = {name: torch.from_numpy(array_from_json(content[name]).copy()) for name in self.state_dict()}
        try:
            self.load_state_dict(weights)
        except RuntimeError as error:  # a shape is another
            raise ValueError("these are the weights of another classifier") from error


def trained_judge(size: PictureSize, train: Split) -> Judge:
    """Train a classifier on real training pictures (up to 6,000) for 800 steps, from a seed of its own.

    Args:
        size: Of the pictures.
        train: Training pictures with their classes.
    """
    chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(_SEED))[:_ROWS]
    batch = train.batch(chosen)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(_SEED)
        judge = Judge(size)
        optimizer = torch.optim.AdamW(judge.parameters(), lr=_RATE, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
        for _ in range(_STEPS):
            rows = torch.randint(len(chosen), (_BATCH,))
            loss = functional.cross_entropy(judge(batch.inputs[0][rows])[1], batch.target[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    judge.eval().requires_grad_(False)
    judge.scale.copy_(judge.judged(batch.inputs[0])[0].var(dim=0).sum().sqrt())
    return judge


def array_to_json(values: np.ndarray) -> dict[str, Any]:
    """Return an array as float32 in base64, with its shape."""
    little = np.ascontiguousarray(values, dtype="<f4")
    return {"shape": list(values.shape), "float32": base64.b64encode(little.tobytes()).decode("ascii")}


def array_from_json(content: Mapping[str, Any]) -> np.ndarray:
    """Return the array that `array_to_json` wrote, float32.

    Raises:
        KeyError, TypeError, ValueError: It holds none.
    """
    shape = tuple(int(size) for size in content["shape"])
    return np.frombuffer(base64.b64decode(content["float32"], validate=True), dtype="<f4").reshape(shape)
