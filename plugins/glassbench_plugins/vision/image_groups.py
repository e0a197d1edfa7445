"""The groups of images that audits compare: what their metadata say, and terciles of what is measured on them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError
from glassbench_plugins.vision.properties import PROPERTIES, terciles

Measured = Mapping[str, Callable[[], np.ndarray]]
"""Of a feature's name what measures it on every image, float `(n,)`."""


def in_metadata(name: str, metadata: pd.DataFrame | None) -> bool:
    """Whether the metadata say the group; else it is measured."""
    return metadata is not None and name in metadata


def pixel_properties(properties: Callable[[], pd.DataFrame]) -> Measured:
    """Return the features that are measured on pixels alone, from what computes all of them."""
    return {name: lambda name=name: properties()[name].to_numpy() for name in PROPERTIES}  # type: ignore[misc]


def image_groups(
    names: Sequence[str], metadata: pd.DataFrame | None, measured: Measured, train: np.ndarray
) -> pd.DataFrame | None:
    """Return the group of each image for each feature, text; None where no feature is named.

    Args:
        names: The features.
        metadata: Columns that say groups, a row per image, or None.
        measured: What further features are measured; they are cut at the terciles of the images for training.
        train: Rows of the images for training.

    Raises:
        DataError: A feature is neither in the metadata nor measured.
    """
    if not names:
        return None
    return pd.DataFrame({name: _group(name, metadata, measured, train) for name in names}, dtype=object)


def _group(name: str, metadata: pd.DataFrame | None, measured: Measured, train: np.ndarray) -> np.ndarray:
    if metadata is not None and in_metadata(name, metadata):
        return np.asarray(metadata[name].astype("string").fillna(MISSING).astype(object))
    if name in measured:
        return terciles(measured[name](), train)
    columns = [] if metadata is None else list(map(str, metadata.columns))
    raise DataError("there is no such feature to audit by", got=name, available=[*columns, *measured], where="dataset.sensitive")
