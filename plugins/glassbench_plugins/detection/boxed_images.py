"""Images with their boxes, not yet divided."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from glassbench.contracts.schema import TargetKind
from glassbench_plugins.detection.targets import box_target
from glassbench_plugins.vision.annotated import AnnotatedImages
from glassbench_plugins.vision.image_groups import Measured

OBJECT_COUNT = "object_count"
"""The feature that tells how many objects an image truly has."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BoxedImages(AnnotatedImages):
    """Images with their boxes.

    Args:
        boxes: Of each image left, top, right and bottom edge in its pixels and the class number, float `(k, 5)`.
    """

    kind: ClassVar[TargetKind] = "boxes"
    piece: ClassVar[str] = "box"

    boxes: tuple[np.ndarray, ...]
    name: str = "object"

    def target(self, rows: np.ndarray) -> Tensor:
        """Return the boxes of some images, padded to one length."""
        return box_target([self.boxes[row] for row in rows])

    def present(self, rows: np.ndarray) -> set[int]:
        """Return the numbers of the classes that some box of some images has."""
        return {int(kind) for row in rows for kind in self.boxes[row][:, 4]}

    @property
    def measured(self) -> Measured:
        """How many objects an image has."""
        return {OBJECT_COUNT: lambda: np.array([len(boxes) for boxes in self.boxes], dtype=np.float64)}
