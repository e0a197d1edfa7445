"""A column that names the part of each row."""

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.splits.splits import Part

_PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "holdout": "test",
}


def named_parts(column: pd.Series) -> dict[Part, np.ndarray]:
    """Divide rows by a column that names the part of each.

    Raises:
        DataError: It holds another name, or no row is for training or none for testing.
    """
    names = column.astype("string").str.strip().str.lower()
    unknown = sorted({str(name) for name in names.unique()} - set(_PARTS))
    if unknown:
        raise DataError(
            f"column '{column.name}' does not say which part a row belongs to",
            got=", ".join(unknown[:5]),
            available=list(_PARTS),
            where="dataset.split.column",
        )
    parts = names.map(_PARTS).to_numpy()
    found: dict[Part, np.ndarray] = {part: np.flatnonzero(parts == part) for part in dict.fromkeys(_PARTS.values())}
    for part in ("train", "test"):
        if not len(found[part]):
            raise DataError(f"column '{column.name}' names no row for '{part}'", where="dataset.split.column")
    return {part: rows for part, rows in found.items() if len(rows)}
