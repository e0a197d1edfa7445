"""The rows behind the global picture, with their attributions."""

from dataclasses import dataclass

import numpy as np

from glassbench_audits.attribution.explained import Rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Sampled:
    """Rows that were explained.

    Args:
        positions: Their positions among the predictions `(n,)`.
        rows: The rows as the model saw them.
        attributions: Their attributions per unit `(n, units)`.
    """

    positions: np.ndarray
    rows: Rows
    attributions: np.ndarray
