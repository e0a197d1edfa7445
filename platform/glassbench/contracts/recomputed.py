"""What an audit measures of predictions, as functions of the weights of rows: two runs are compared by it on the same rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.stats.group_numbers import GapKind

MeasureKey = tuple[str, tuple[str, ...] | None, tuple[tuple[str, str], ...] | None]
"""Name, features it is broken down by, and group of a measure."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number that a measure holds, as it is computed again.

    Args:
        name: `<audit>.<measure>`.
        by: As of the measure.
        group: As of the measure, features and values in order.
        share: Whether it lies between 0 and 1 as a share of rows does.
        of: On how many rows it rests.
    """

    name: str
    by: tuple[str, ...] | None = None
    group: tuple[tuple[str, str], ...] | None = None
    share: bool = False
    of: float = float("inf")

    @property
    def key(self) -> MeasureKey:
        """What tells it from other measures."""
        return self.name, self.by, self.group


@dataclass(frozen=True, kw_only=True)
class GapOf:
    """A gap that a measure holds: the widest between the groups that some numbers are of.

    Args:
        name, by: As of the measure.
        kind: A largest difference or a smallest ratio.
        parts: For each metric it is the widest of, the positions of its groups' numbers.
    """

    name: str
    by: tuple[str, ...]
    kind: GapKind
    parts: tuple[tuple[int, ...], ...]

    @property
    def key(self) -> MeasureKey:
        """What tells it from other measures."""
        return self.name, self.by, None


@dataclass(frozen=True, eq=False, kw_only=True)
class Recomputed:
    """Numbers of predictions under weights of rows, and the gaps between them.

    Args:
        numbers: What is computed.
        compute: From weights of the rows `(b, n)` to the numbers `(b, numbers)`, NaN where undefined.
        gaps: The gaps.
    """

    numbers: tuple[Number, ...]
    compute: Callable[[np.ndarray], np.ndarray]
    gaps: tuple[GapOf, ...] = ()


def joined(parts: Sequence[Recomputed]) -> Recomputed:
    """Return the numbers and gaps of several parts as one."""
    first = np.cumsum([0, *(len(part.numbers) for part in parts)]).tolist()
    gaps = tuple(
        GapOf(name=gap.name, by=gap.by, kind=gap.kind, parts=tuple(tuple(i + start for i in part) for part in gap.parts))
        for start, each in zip(first, parts, strict=False)
        for gap in each.gaps
    )

    def compute(weights: np.ndarray) -> np.ndarray:
        return np.concatenate([part.compute(weights) for part in parts], axis=1) if parts else np.empty((len(weights), 0))

    return Recomputed(numbers=tuple(number for part in parts for number in part.numbers), compute=compute, gaps=gaps)
