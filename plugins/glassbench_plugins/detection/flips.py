"""Mirrored pictures with their boxes, while training."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch
from glassbench.contracts.learner import cut
from glassbench_plugins.detection.targets import there

Flips = Literal["none", "horizontal", "all"]


@dataclass(frozen=True, eq=False)
class Flipped:
    """Minibatches whose pictures are mirrored at random while the network trains; otherwise they are as they are.

    Args:
        model: The network: its mode says whether it trains.
        flips: `horizontal` mirrors half of the pictures, `all` mirrors up and down too.
    """

    model: nn.Module
    flips: Flips

    def __call__(self, chunk: Batch, size: int) -> Iterator[Batch]:
        """Yield the minibatches of a chunk of rows."""
        if not self.model.training or self.flips == "none":
            return cut(chunk, size)
        return (self._changed(batch) for batch in cut(chunk, size))

    def _changed(self, batch: Batch) -> Batch:
        images, target = batch.inputs[0], batch.target
        images, target = mirrored(images, target, torch.rand(len(images)) < 0.5, axis=-1)
        if self.flips == "all":
            images, target = mirrored(images, target, torch.rand(len(images)) < 0.5, axis=-2)
        return batch._replace(inputs=(images, *batch.inputs[1:]), target=target)


def mirrored(images: Tensor, target: Tensor, chosen: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return images `(n, C, H, W)` and boxes `(n, most, 5)`, those chosen `(n,)` mirrored along an axis, -1 or -2."""
    chosen = chosen.to(images.device)
    turned = torch.where(chosen[:, None, None, None], images.flip(axis), images)
    low, high = (0, 2) if axis == -1 else (1, 3)
    boxes = target.clone()
    boxes[..., low], boxes[..., high] = images.shape[axis] - target[..., high], images.shape[axis] - target[..., low]
    return turned, torch.where((chosen[:, None] & there(target))[..., None], boxes, target)
