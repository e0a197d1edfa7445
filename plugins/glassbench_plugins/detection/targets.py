"""True boxes as a network learns them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.predictions.box_lists import encoded_boxes

NOTHING = -1.0
"""What fills the rows of pictures with fewer boxes than the most."""


def box_target(boxes: Sequence[np.ndarray]) -> Tensor:
    """Return boxes as one tensor, float32 `(n, most, 5)`: left, top, right, bottom in pixels and class; -1 fills up.

    Args:
        boxes: Of each picture float `(k, 5)`.
    """
    most = max(1, *(len(each) for each in boxes)) if boxes else 1
    target = np.full((len(boxes), most, 5), NOTHING, dtype=np.float32)
    for row, each in zip(target, boxes, strict=True):
        row[: len(each)] = each
    return torch.from_numpy(target)


def there(target: Tensor) -> Tensor:
    """Return which rows of a target are boxes, bool `(n, most)`."""
    return target[..., 4] >= 0


def boxes_as_text(target: Tensor, classes: Sequence[str]) -> np.ndarray:
    """Return the boxes of each picture as text `(n,)`."""
    rows = target.double().numpy()
    kept = [row[row[:, 4] >= 0] for row in rows]
    texts = [encoded_boxes([classes[int(box[4])] for box in each], each[:, :4]) for each in kept]
    return np.array(texts, dtype=object)
