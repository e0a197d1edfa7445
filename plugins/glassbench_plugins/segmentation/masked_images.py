"""Images with their masks, not yet divided."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.schema import TargetKind
from glassbench_plugins.segmentation.objects import OBJECT_SIZE, mean_object_size
from glassbench_plugins.vision.annotated import AnnotatedImages
from glassbench_plugins.vision.image_groups import Measured


@dataclass(frozen=True, eq=False, kw_only=True)
class MaskedImages(AnnotatedImages):
    """Images with their masks.

    Args:
        masks: Class numbers, int16 `(n, height, width)`, -1 where a pixel is not known.
        background: The class that is no object, for the sizes of objects; None where all are.
    """

    kind: ClassVar[TargetKind] = "mask"
    piece: ClassVar[str] = "pixel"

    masks: Tensor
    background: str | None = None
    name: str = "mask"

    def target(self, rows: np.ndarray) -> Tensor:
        """Return the masks of some images `(len(rows), height, width)`."""
        return self.masks[torch.as_tensor(rows)]

    def present(self, rows: np.ndarray) -> set[int]:
        """Return the numbers of the classes that some pixel of some images has."""
        return set(torch.unique(self.target(rows)).tolist())

    @property
    def measured(self) -> Measured:
        """The mean size of an image's objects in pixels."""
        hidden = self.classes.index(self.background) if self.background in self.classes else None
        return {OBJECT_SIZE: lambda: mean_object_size(self.masks.numpy(), hidden)}
