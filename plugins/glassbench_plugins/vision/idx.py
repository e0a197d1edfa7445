"""IDX files: MNIST and its relatives."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, Name, ShareBelowOne
from glassbench.storage.data_files import read_data_file
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.vision.assembly import Collection, divided
from glassbench_plugins.vision.pictures import InMemory
from glassbench_plugins.vision.properties import PropertyName
from glassbench_plugins.vision.stacks import Stack, joined

_BYTES = 0x08
_NAMES = {"train": ("train",), "test": ("t10k", "test")}


def idx(
    seed: int,
    *,
    path: str,
    classes: tuple[str, ...] = (),
    positive: Name | None = None,
    sensitive: tuple[PropertyName, ...] = (),
    validation_share: ShareBelowOne = 0.1,
    train_rows: Count | None = None,
) -> Data:
    """Images in the IDX files of MNIST and its relatives.

    The folder holds four files, compressed by gzip or not: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same
    with `t10k` (or `test`) in place of `train`. The format is described on the page of MNIST (LeCun, Cortes and Burges).

    Args:
        seed: Seed of the split between training and validation.
        path: The folder.
        classes: Names of the classes, of label 0 first; without them the labels are the names.
        positive: The class whose rates a binary audit speaks of.
        sensitive: Measured properties to audit by: below, between and above the terciles of the training images.
        validation_share: Share of the training images for validation.
        train_rows: Learn from so many of the training images, of each class about as many; None learns from all.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise DataError("there is no such folder", got=path, where="dataset.path", fix="paths are relative to the current folder")
    train, test = (_stack(folder, prefixes) for prefixes in _NAMES.values())
    stack, given = joined({"train": train, "test": test}, classes)
    images = Collection(
        pictures=InMemory(torch.from_numpy(stack.pixels)),
        labels=pd.Series(stack.labels, dtype=object),
        rows=stack.rows,
        classes=stack.classes,
        positive=positive,
        sensitive=tuple(sensitive),
        train_rows=train_rows,
        source=folder.name,
    )
    return divided(images, Division(seed=seed, validation=validation_share, given=given)).data()


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of bytes, compressed by gzip or not.

    Raises:
        DataError: It cannot be read or is too large, is no IDX file of bytes, or is cut off.
    """
    content = read_data_file(path)
    if len(content) < 4 or content[:2] != b"\0\0":
        raise DataError("the file is no IDX file", got=f"{path.name} begins with {content[:4].hex(' ') or 'nothing'}")
    if content[2] != _BYTES:
        raise DataError("the IDX file holds no bytes", got=f"{path.name}: numbers of kind 0x{content[2]:02x}", available=["0x08"])
    axes = content[3]
    shape = tuple(int(size) for size in np.frombuffer(content[4 : 4 + 4 * axes], dtype=">u4"))
    expected, found = int(np.prod(shape, dtype=np.int64)), len(content) - 4 - 4 * axes
    if len(shape) != axes or expected != found:
        size = " x ".join(map(str, shape))
        raise DataError("the IDX file is not as long as it says", got=f"{path.name}: {found:,} bytes for {size}")
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def _stack(folder: Path, prefixes: tuple[str, ...]) -> Stack:
    images, labels = (_find(folder, prefixes, kind) for kind in ("images", "labels"))
    return Stack.of(read_idx(images), read_idx(labels), images.name, labels.name)


def _find(folder: Path, prefixes: tuple[str, ...], kind: str) -> Path:
    """Return the file whose name begins so; without compression if there are both."""
    starts = tuple(f"{prefix}-{kind}" for prefix in prefixes)
    found = sorted(file for file in folder.iterdir() if file.name.startswith(starts) and file.is_file())
    if not found:
        raise DataError(
            f"the folder holds no file '{starts[0]}-...'",
            got=folder.name,
            available=sorted(file.name for file in folder.iterdir()),
            where="dataset.path",
        )
    return found[0]
