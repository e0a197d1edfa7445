"""Reading many images: what can be read, what was measured of it, and what cannot be."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from glassbench.errors import DataError, shorten
from glassbench_plugins.vision.duplicates import prints
from glassbench_plugins.vision.files import Form, read_image
from glassbench_plugins.vision.pictures import InMemory, OnDisk, Pictures
from glassbench_plugins.vision.properties import measured
from glassbench_plugins.vision.scaling import moments

_AT_ONCE = 256
_NAMED = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Found:
    """The images that can be read.

    Args:
        pictures: They.
        kept: Positions of their files among those asked for `(n,)`.
        form: What they were brought to.
        notes: What was skipped, and why.
    """

    pictures: Pictures
    kept: np.ndarray
    form: Form
    notes: tuple[str, ...]


def read_all(root: Path, files: Sequence[str], form: Form, keep: Literal["memory", "disk"]) -> Found:
    """Decode every file once; those that cannot be are named and skipped.

    Args:
        root: The folder.
        files: Names relative to it.
        form: What images are brought to.
        keep: Whether pixels stay in memory, or only what was measured of them.

    Raises:
        DataError: None can be read.
    """
    broken: dict[int, str] = {}
    held: list[np.ndarray] = []
    of_each: list[np.ndarray] = []
    properties: list[pd.DataFrame] = []
    marks: list[np.ndarray] = []
    for block in _blocks(root, files, form, broken):
        if keep == "memory":
            held.append(block)
        else:
            pixels = torch.from_numpy(block)
            of_each.append(moments(pixels))
            properties.append(measured(pixels))
            marks.append(prints(pixels))
    kept = np.array([place for place in range(len(files)) if place not in broken], dtype=np.int64)
    if not len(kept):
        raise DataError("no image can be read", got=shorten(list(broken.values()), 3), where="dataset.path")
    pictures: Pictures
    if keep == "memory":
        pictures = InMemory(torch.from_numpy(np.concatenate(held)))
    else:
        paths = tuple(root / files[place] for place in kept)
        table = pd.concat(properties, ignore_index=True)
        pictures = OnDisk(paths=paths, form=form, moments=np.concatenate(of_each), properties=table, prints=np.concatenate(marks))
    return Found(pictures=pictures, kept=kept, form=form, notes=_notes(list(broken.values())))


def _blocks(root: Path, files: Sequence[str], form: Form, broken: dict[int, str]) -> Iterator[np.ndarray]:
    """Yield the images that can be read, in order, some at a time; note in `broken` those that cannot be.

    Threads help because Pillow decodes without holding the interpreter's lock.
    """

    def read(place: int) -> np.ndarray | None:
        try:
            return read_image(root / files[place], form)
        except DataError as error:
            broken[place] = f"{files[place]} ({str(error.got).removeprefix((root / files[place]).name + ': ')})"
            return None

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for start in range(0, len(files), _AT_ONCE):
            places = range(start, min(start + _AT_ONCE, len(files)))
            block = [image for image in pool.map(read, places) if image is not None]
            if block:
                yield np.stack(block)


def _notes(broken: Sequence[str]) -> tuple[str, ...]:
    if not broken:
        return ()
    more = f", and {len(broken) - _NAMED:,} more" if len(broken) > _NAMED else ""
    files = "file" if len(broken) == 1 else "files"
    return (f"{len(broken):,} {files} cannot be read as images and are skipped: {'; '.join(broken[:_NAMED])}{more}.",)
