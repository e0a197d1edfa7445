"""Random crops and mirrored copies of pictures with their masks, while training."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch
from glassbench.contracts.learner import cut

Flips = Literal["none", "horizontal", "all"]


@dataclass(frozen=True, eq=False)
class Crops:
    """Minibatches whose pictures are cropped and turned at random while the network trains; otherwise they are as they are.

    Args:
        model: The network: its mode says whether it trains.
        side: Height and width of a crop in pixels, at most those of the picture; None takes whole pictures.
        flips: `horizontal` mirrors half of the pictures; `all` mirrors up and down and swaps the axes of square crops too, which
            pictures without an upper side stand.
    """

    model: nn.Module
    side: int | None
    flips: Flips

    def __call__(self, chunk: Batch, size: int) -> Iterator[Batch]:
        """Yield the minibatches of a chunk of rows."""
        if not self.model.training or (self.side is None and self.flips == "none"):
            return cut(chunk, size)
        return (self._changed(batch) for batch in cut(chunk, size))

    def _changed(self, batch: Batch) -> Batch:
        pairs = [self._one(image, mask) for image, mask in zip(batch.inputs[0], batch.target, strict=True)]
        images, masks = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        return batch._replace(inputs=(images, *batch.inputs[1:]), target=masks)

    def _one(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Change one picture `(C, H, W)` and its mask `(H, W)` alike."""
        height, width = mask.shape
        tall, wide = (min(self.side or length, length) for length in (height, width))
        draws = torch.rand(5)
        top, left = int(draws[0] * (height - tall + 1)), int(draws[1] * (width - wide + 1))
        parts = [t[..., top : top + tall, left : left + wide] for t in (image, mask)]
        if self.flips != "none" and draws[2] < 0.5:
            parts = [t.flip(-1) for t in parts]
        if self.flips == "all" and draws[3] < 0.5:
            parts = [t.flip(-2) for t in parts]
        if self.flips == "all" and tall == wide and draws[4] < 0.5:
            parts = [t.transpose(-1, -2) for t in parts]
        return parts[0], parts[1]
