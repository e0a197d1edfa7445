"""A folder of images and a folder of masks as a data set."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data
from glassbench.contracts.predictions.run_lengths import UNKNOWN
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, Name
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.reading.labelled_files import listed_files
from glassbench.toolkit.reading.tables import Format, read_table
from glassbench.toolkit.splits.split_by import SplitBy, division_of
from glassbench_plugins.segmentation.encoder import FILE, MASK, MaskEncoder
from glassbench_plugins.segmentation.mask_files import paired, read_pair, values_in
from glassbench_plugins.segmentation.masked_images import MaskedImages
from glassbench_plugins.segmentation.objects import OBJECT_SIZE
from glassbench_plugins.vision.annotated import divided
from glassbench_plugins.vision.files import ENDINGS, Fit, Form, size_of_file
from glassbench_plugins.vision.pictures import InMemory
from glassbench_plugins.vision.properties import PROPERTIES


def mask_folder(
    seed: int,
    *,
    path: str,
    images: str = "images",
    masks: str = "masks",
    classes: Mapping[int, Name] | None = None,
    ignore: tuple[int, ...] = (),
    background: Name | None = "background",
    metadata: str | None = None,
    file_column: str = "file",
    split: SplitBy | None = None,
    sensitive: tuple[str, ...] = (),
    cluster: str | None = None,
    size: Count | tuple[Count, Count] | None = None,
    fit: Fit = "crop",
    colour: bool = True,
) -> Data:
    """A folder of images and a folder of masks: for each image a mask of the same name, one value per class.

    Masks are images of one channel, or of a palette. All must be as large as their images. Files that cannot be read, values
    that no class is named for and images without masks are errors: nothing is skipped.

    Args:
        seed: Seed of the split.
        path: The folder that holds both.
        images: Its folder of images.
        masks: Its folder of masks.
        classes: The name of each value in a mask, such as `{0: background, 255: cell}`; None names every value that stands in a
            mask "value <number>".
        ignore: Values of pixels whose class is not known: nothing is learnt from them or judged by them.
        background: The class that is no object, where sizes of objects are measured.
        metadata: A CSV or Parquet file with a row per image, relative to the current folder.
        file_column: Its column of image files.
        split: How images are divided: `{by: random, validation: 0.2, test: 0.2}` unless given; by `date`, `cluster` or `column`
            with columns of the metadata.
        sensitive: Features to audit by: columns of the metadata; `brightness`, `contrast`, `sharpness` or `object_size`, which
            are measured and cut at the terciles of the training images.
        cluster: A column of the metadata, such as the patient, whose images are not independent.
        size: Pixels that every image is brought to: a side, or height and width; None keeps them, where all are of one size.
        fit: How another aspect is met: `crop` keeps the middle, `squeeze` distorts.
        colour: Whether images keep their colours; else they become shades of grey.
    """
    root = Path(path).expanduser()
    folders = root / images, root / masks
    for folder, setting in zip(folders, ("images", "masks"), strict=True):
        if not folder.is_dir():
            there = sorted(entry.name for entry in root.iterdir() if entry.is_dir())[:20] if root.is_dir() else []
            fix = "paths are relative to the current folder"
            raise DataError("there is no such folder", got=str(folder), available=there, where=f"dataset.{setting}", fix=fix)
    pairs = paired(*folders)
    table, notes = _listed(folders[0], pairs, metadata, file_column)
    pairs = [pairs[place] for place in table.pop("place")]
    form = Form(**_size(pairs, size), colour=colour, fit=fit)
    named = _named([mask for _, mask in pairs], classes, ignore)
    names = tuple(dict.fromkeys(named.values()))
    codes = {**{value: names.index(name) for value, name in named.items()}, **dict.fromkeys(ignore, UNKNOWN)}
    read = [read_pair(picture, mask, form, codes) for picture, mask in pairs]
    division = division_of(split, table, seed=seed, cells=Cells(), cluster=cluster)[1]
    whole = divided(
        MaskedImages(
            pictures=InMemory(torch.from_numpy(np.stack([pixels for pixels, _ in read]))),
            masks=torch.from_numpy(np.stack([mask for _, mask in read])),
            classes=names,
            rows=table[FILE].to_numpy(dtype=object),
            background=background,
            metadata=table.drop(columns=[FILE]),
            sensitive=sensitive,
            cluster=cluster,
            raw=pd.DataFrame({FILE: [str(picture) for picture, _ in pairs], MASK: [str(mask) for _, mask in pairs]}),
            notes=notes,
            source=root.name,
        ),
        replace(division, words=division.words or "at random"),
    )
    measured = {*PROPERTIES, OBJECT_SIZE}
    asked = sensitive if not measured & set(sensitive) else ()
    return whole.data(MaskEncoder(form=form, scaling=whole.scaling, classes=names, values=codes, sensitive=asked))


def _listed(
    root: Path, pairs: list[tuple[Path, Path]], metadata: str | None, file_column: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the images in order: `file`, `place` (which pair), the columns of the metadata; and what was left out."""
    names = [picture.relative_to(root).as_posix() for picture, _ in pairs]
    if metadata is None:
        return pd.DataFrame({FILE: names, "place": range(len(pairs))}), ()
    table = read_table(metadata, Format(), "dataset.metadata")
    further = [str(name) for name in table.columns if str(name) != file_column]
    listed, said = listed_files(root, ENDINGS, table, file_column, file_column, further)
    places = {name: place for place, name in enumerate(names)}
    absent = [name for name in listed[FILE] if name not in places]
    if absent:
        raise DataError("the metadata name an image that is not there", got=str(absent[0]), where="dataset.metadata")
    frame = listed.drop(columns=["label"]).assign(place=[places[name] for name in listed[FILE]])
    return frame.reset_index(drop=True), said


def _size(pairs: list[tuple[Path, Path]], size: int | tuple[int, int] | None) -> dict[str, int]:
    if size is not None:
        height, width = (size, size) if isinstance(size, int) else size
        return {"height": height, "width": width}
    sizes = {size_of_file(picture) for picture, _ in pairs}
    if len(sizes) > 1:
        several = ", ".join(f"{height} x {width}" for height, width in sorted(sizes)[:5])
        raise DataError("images differ in size", got=several, where="dataset.size", fix="name one size, such as size: [256, 256]")
    height, width = sizes.pop()
    return {"height": height, "width": width}


def _named(masks: list[Path], classes: Mapping[int, str] | None, ignore: tuple[int, ...]) -> dict[int, str]:
    """Return the class of each value.

    Raises:
        DataError: There are fewer than two classes, or a value is both named and ignored.
    """
    if classes is not None and (both := sorted(set(classes) & set(ignore))):
        raise DataError("a value is both a class and ignored", got=str(both[0]), where="dataset.ignore")
    named = (
        {value: f"value {value}" for value in values_in(masks) if value not in ignore}
        if classes is None
        else {int(value): str(name) for value, name in classes.items()}
    )
    if len(set(named.values())) < 2:
        raise DataError("masks need two classes at least", got=", ".join(named.values()) or "none", where="dataset.classes")
    return named
