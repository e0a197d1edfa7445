"""A way of changing rows, at several strengths."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glassbench.contracts.data import Split

Change = Callable[[Split, float, np.random.Generator], Split]

Attack = Literal["gradients", "search", "noise", "best"]
"""How a change against the model is found: by its gradients, by asking it, not at all (noise of the same size, to compare with),
or as the worst of these for each row."""


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """A way of changing rows.

    Args:
        name: What it is called ("noise").
        strengths: How strong, mildest first.
        judged: Place of the strength that a finding speaks of.
        unit: What a strength of 1 is ("standard deviations").
        apply: From rows, a strength and a source of randomness to the changed rows, same order, same truth.
        attack: How a change of at most the strength in every number is found; None for corruptions.
    """

    name: str
    strengths: tuple[float, ...]
    judged: int
    unit: str
    apply: Change
    attack: Attack | None = None

    def words(self, strength: float) -> str:
        """Return the perturbation at a strength, in words."""
        return f"{self.name} {strength:.3g}"
