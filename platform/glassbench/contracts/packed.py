"""Rows of bytes that are packed in memory and on disk: of the pictures that a player of a game saw there are many."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from glassbench.errors import DataError

_STREAM, _ENDS, _SHAPE = "packed.stream", "packed.ends", "packed.shape"


def pack(row: np.ndarray) -> bytes:
    """Return a row of bytes `(...)` as a zlib stream (RFC 1950)."""
    return zlib.compress(np.ascontiguousarray(row, dtype=np.uint8).tobytes(), 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Packed:
    """The one input of a split's rows, bytes, unpacked when it is asked for; pictures of a game shrink to a twentieth.

    Args:
        shape: Shape of a row.
        stream: What `pack` returned of all rows, one behind the other, uint8 `(total,)`.
        ends: Where each row ends in it, int64 `(n,)`.

    Example:
        >>> rows = Packed.of([pack(np.arange(6).reshape(2, 3)), pack(np.zeros((2, 3)))], (2, 3))
        >>> len(rows), rows[0][0].tolist()
        (2, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    """

    shape: tuple[int, ...]
    stream: Tensor
    ends: Tensor

    @classmethod
    def of(cls, packs: Sequence[bytes], shape: tuple[int, ...]) -> Self:
        """Return rows of a shape from what `pack` returned of each."""
        stream = torch.from_numpy(np.frombuffer(b"".join(packs), dtype=np.uint8).copy())
        return cls(shape=shape, stream=stream, ends=torch.tensor([len(one) for one in packs]).cumsum(0))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self | None:
        """Return what `tensors` returned, or None where it is not there."""
        if _STREAM not in tensors:
            return None
        shape = tuple(int(size) for size in tensors[_SHAPE])
        return cls(shape=shape, stream=tensors[_STREAM], ends=tensors[_ENDS])

    def tensors(self) -> dict[str, Tensor]:
        """Return everything it holds."""
        return {_STREAM: self.stream, _ENDS: self.ends, _SHAPE: torch.tensor(self.shape)}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ends)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Return one row, float32 from 0 to 255.

        Raises:
            DataError: It is damaged.
        """
        start, size = int(self.ends[index - 1]) if index else 0, int(np.prod(self.shape))
        try:
            values = zlib.decompressobj().decompress(self.stream[start : int(self.ends[index])].numpy().tobytes(), size + 1)
        except zlib.error as error:
            raise DataError(f"row {index} is damaged", got=str(error)) from error
        if len(values) != size:
            raise DataError(f"row {index} is damaged", got=f"{len(values)} bytes", available=[f"{size} bytes"])
        return (torch.from_numpy(np.frombuffer(values, dtype=np.uint8).reshape(self.shape).astype(np.float32)),)
