"""A way of changing rows, at several strengths."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassbench.data import Split

Change = Callable[[Split, float, np.random.Generator], Split]


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """A way of changing rows.

    Args:
        name: What it is called ("noise").
        strengths: How strong, mildest first.
        judged: Place of the strength that a finding speaks of.
        unit: What a strength of 1 is ("standard deviations").
        apply: From rows, a strength and a source of randomness to the changed rows, same order, same truth.
        attack: Whether changes are made against the model, and not by chance.
    """

    name: str
    strengths: tuple[float, ...]
    judged: int
    unit: str
    apply: Change
    attack: bool = False

    def words(self, strength: float) -> str:
        """Return the disturbance at a strength, in words."""
        return f"{self.name} {strength:.3g}"
