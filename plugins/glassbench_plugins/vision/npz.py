"""NumPy archives laid out as MedMNIST's."""

import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Name, ShareBelowOne
from glassbench.storage.data_files import check_archive, check_data_file
from glassbench.toolkit.splits.splits import Division, Part
from glassbench_plugins.vision.assembly import Collection, divided, one_class
from glassbench_plugins.vision.pictures import InMemory
from glassbench_plugins.vision.properties import PropertyName
from glassbench_plugins.vision.stacks import Stack, joined

_PREFIXES: dict[Part, str] = {"train": "train", "validation": "val", "test": "test"}


def npz(
    seed: int,
    *,
    path: str,
    classes: tuple[str, ...] = (),
    positive: Name | None = None,
    normal: Name | None = None,
    sensitive: tuple[PropertyName, ...] = (),
    validation_share: ShareBelowOne = 0.1,
) -> Data:
    """Images in one NumPy archive, laid out as MedMNIST's.

    The archive holds `train_images`, `train_labels`, `test_images`, `test_labels`, and `val_images`, `val_labels` perhaps: bytes
    `(n, H, W)` or `(n, H, W, 3)`, and whole numbers `(n,)` or `(n, 1)`. Nothing in it is unpickled. Layout: Yang et al. (2023),
    "MedMNIST v2".

    Args:
        seed: Seed of the split between training and validation, where the archive has none.
        path: The archive.
        classes: Names of the classes, of label 0 first; without them the labels are the names.
        positive: The class whose rates a binary audit speaks of.
        normal: A class to learn alone, so that all others are told apart from it as "unusual"; None for all.
        sensitive: Measured properties to audit by: below, between and above the terciles of the training images.
        validation_share: Share of the training images for validation, where the archive has none.
    """
    file = Path(path).expanduser()
    arrays = _read(file)
    stacks = {part: _stack(arrays, prefix, file.name) for part, prefix in _PREFIXES.items() if f"{prefix}_images" in arrays}
    stack, given = joined(stacks, classes)
    images = Collection(
        pictures=InMemory(torch.from_numpy(stack.pixels)),
        labels=pd.Series(stack.labels, dtype=object),
        rows=stack.rows,
        classes=stack.classes,
        positive=positive,
        sensitive=tuple(sensitive),
        source=file.name,
    )
    return divided(one_class(images, normal), Division(seed=seed, validation=validation_share, given=given)).data()


def _read(file: Path) -> dict[str, np.ndarray]:
    check_data_file(file)
    if zipfile.is_zipfile(file):
        check_archive(file)
    try:
        with np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError("the file holds one array, not an archive of them", got=file.name, where="dataset.path")
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError("the archive cannot be read", got=f"{file.name}: {error}", where="dataset.path") from error
    needed = [f"{prefix}_{kind}" for prefix in ("train", "test") for kind in ("images", "labels")]
    needed += ["val_labels"] if "val_images" in arrays else []
    if absent := [name for name in needed if name not in arrays]:
        raise DataError(f"the archive holds no '{absent[0]}'", got=file.name, available=sorted(arrays), where="dataset.path")
    return arrays


def _stack(arrays: dict[str, np.ndarray], prefix: str, name: str) -> Stack:
    images, labels = f"{prefix}_images", f"{prefix}_labels"
    return Stack.of(arrays[images], arrays[labels], f"{images} of {name}", f"{labels} of {name}")
