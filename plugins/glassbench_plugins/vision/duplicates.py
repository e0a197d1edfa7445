"""The same image in two parts of a data set: what a model has learnt by heart is no test."""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
from torch import Tensor

from glassbench.toolkit.splits.splits import Part


def prints(pixels: Tensor) -> np.ndarray:
    """Return a fingerprint of each image `(n,)`, the same for the same pixels."""
    rows = pixels.flatten(1).numpy()
    return np.array([blake2b(row.tobytes(), digest_size=16).digest() for row in rows], dtype=object)


def duplicate_notes(parts: Mapping[Part, np.ndarray], of_each: np.ndarray) -> tuple[str, ...]:
    """Return a note for each part that holds exact duplicates of training images."""
    known = set(of_each[parts["train"]])
    counts = {part: sum(mark in known for mark in of_each[rows]) for part, rows in parts.items() if part != "train"}
    return tuple(
        f"{count:,} of {len(parts[part]):,} {part} images are exact duplicates of training images."
        for part, count in counts.items()
        if count
    )
