"""A network whose weights take their shapes from the rows it is fitted to."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Grown(nn.Module):
    """Keeps what fitting finds in buffers, whose shapes are not known before; loading saved weights takes their shapes over.

    A leaf class names its buffers once, with `grow`, and fills them with `keep`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, Any] = {}

    def grow(self, *names: str) -> None:
        """Register empty float64 buffers."""
        for name in names:
            self.register_buffer(name, torch.empty(0, dtype=torch.float64))

    def keep(self, **found: np.ndarray | float) -> None:
        """Fill buffers, each with memory of its own."""
        for name, values in found.items():
            self._buffers[name] = torch.tensor(np.ascontiguousarray(values))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name in self._buffers:
            saved = state_dict.get(prefix + name)
            if isinstance(saved, Tensor):
                self._buffers[name] = torch.empty_like(saved)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def flat(rows: np.ndarray) -> np.ndarray:
    """Return rows `(n, ...)` as float64 vectors `(n, d)`; libraries then compute as they do on a plain table."""
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
