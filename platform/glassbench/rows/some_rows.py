"""Some of the rows of a split; inputs that are read one by one stay where they are."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.data import Fingerprinted, Lazy, Split


class SomeRows:
    """Some of the rows of inputs that are read one by one.

    Args:
        rows: The inputs.
        index: Positions of the rows that remain `(k,)`.
    """

    def __init__(self, rows: Lazy, index: np.ndarray) -> None:
        self._rows, self._index = rows, index

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._index)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Read one row."""
        return self._rows[int(self._index[index])]

    def fingerprint(self) -> str:
        """Return what the rows are made from, and which remain."""
        made = self._rows.fingerprint() if isinstance(self._rows, Fingerprinted) else str(len(self._rows))
        return f"{made} {','.join(map(str, self._index))}"


def rows_of(split: Split, index: np.ndarray) -> Split:
    """Return the split of the rows at `index` (integers `(k,)`); inputs on disk stay there."""
    if isinstance(split.inputs, tuple):
        return split.take(index)
    rest = replace(split, inputs=(torch.zeros(len(split), 0),)).take(index)
    return replace(rest, inputs=SomeRows(split.inputs, index))
