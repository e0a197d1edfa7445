"""Whether an export predicts what its run predicts."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from glassbench.errors import RunError

ROWS = 1000
"""Made rows that an export is tried on."""

TOLERANCE = 1e-5
"""How far scores may lie apart; of values, relative to their size or to the standard deviation of their column where that is
above 1: a value near 0 that a network makes of larger numbers is no more exact than these, in single precision."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far an export's predictions lie from its run's.

    Args:
        rows: How many rows were predicted by both.
        largest_difference: Between two numbers; relative to the run's, or to the deviation of its column, where above 1.
        other_decisions: Rows with another decision, all of them within the tolerance of a tie.
    """

    rows: int
    largest_difference: float
    other_decisions: int

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)


def agreement(expected: pd.DataFrame, exported: pd.DataFrame) -> Agreement:
    """Hold an export's predictions against its run's.

    Args:
        expected: What the run predicts.
        exported: What the export predicts for the same rows; columns that the run's predictions have too are compared.

    Raises:
        RunError: They differ by more than the tolerance: the run does more than was exported.
    """
    shared = [name for name in exported.columns if name in expected.columns]
    numbers = [name for name in shared if pd.api.types.is_float_dtype(exported[name])]
    differences = [_difference(expected[name].to_numpy(float), exported[name].to_numpy(float)) for name in numbers]
    largest = max((float(each.max()) for each in differences), default=0.0)
    decisions = [name for name in shared if name not in numbers]
    other = np.zeros(len(exported), dtype=bool)
    for name in decisions:
        other |= expected[name].astype(str).to_numpy() != exported[name].astype(str).to_numpy()
    if not numbers or not largest <= TOLERANCE or (other.any() and largest == 0) or other.mean() > TOLERANCE * 100:
        raise RunError(
            "the export does not predict what the run predicts, so nothing was written",
            got=f"numbers up to {largest:.2g} apart and {int(other.sum())} of {len(exported):,} other decisions on made rows",
            fix="predict with `glassbench predict`, and report this with the run's experiment",
        )
    return Agreement(rows=len(exported), largest_difference=largest, other_decisions=int(other.sum()))


def _difference(expected: np.ndarray, exported: np.ndarray) -> np.ndarray:
    spread = float(np.nanstd(expected)) if np.isfinite(expected).any() else 0.0
    apart = np.abs(expected - exported) / np.maximum(max(1.0, spread), np.abs(expected))
    return np.where(np.isnan(expected) & np.isnan(exported), 0.0, np.where(np.isnan(apart), np.inf, apart))
