"""Masks of files: an image of class values beside each picture."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from glassbench.contracts.predictions.run_lengths import UNKNOWN
from glassbench.errors import DataError, shorten
from glassbench.storage.data_files import check_data_file
from glassbench_plugins.vision.files import DAMAGE, ENDINGS, Form, formats, read_image, size_of_file

WHERE = "dataset.masks"


def paired(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Return each image with its mask: the file of the same name, whatever its ending.

    Args:
        images: The folder of images.
        masks: The folder of masks.

    Raises:
        DataError: An image has no mask, or several; or there is no image.
    """
    pictures = _files(images)
    if not pictures:
        raise DataError("the folder holds no images", got=images.name, available=sorted(ENDINGS), where="dataset.images")
    by_stem: dict[str, list[Path]] = {}
    for path in _files(masks):
        by_stem.setdefault(path.relative_to(masks).with_suffix("").as_posix(), []).append(path)
    stems = [path.relative_to(images).with_suffix("").as_posix() for path in pictures]
    missing = [path.name for path, stem in zip(pictures, stems, strict=True) if stem not in by_stem]
    if missing:
        raise DataError(
            f"{len(missing):,} of {len(pictures):,} images have no mask",
            got=shorten(missing, 5),
            available=shorten(sorted(by_stem), 5) or "no masks",
            where=WHERE,
            fix=f"put a mask of the same name into {masks.name}, or take the image out",
        )
    twice = [f"{stem}: {shorten([p.name for p in by_stem[stem]], 3)}" for stem in stems if len(by_stem[stem]) > 1]
    if twice or len(set(stems)) < len(stems):
        raise DataError("a name has several files", got=shorten(twice or stems, 3), where=WHERE)
    return [(path, by_stem[stem][0]) for path, stem in zip(pictures, stems, strict=True)]


def read_pair(picture: Path, mask: Path, form: Form, values: Mapping[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Read an image and its mask, brought to one size: masks by the nearest pixel, so that no class is made up.

    Args:
        picture: The image.
        mask: Its mask: one channel, or palette, of whole numbers.
        form: What images are brought to.
        values: The class number of each value in a mask, -1 for pixels whose class is not known.

    Returns:
        Bytes `(C, H, W)`, and class numbers, int16 `(H, W)`.

    Raises:
        DataError: A file is damaged, sizes differ, or the mask holds another value.
    """
    raw = mask_values(mask)
    if raw.shape != (size := size_of_file(picture)):
        got = f"{picture.name}: {size[0]} x {size[1]}; {mask.name}: {raw.shape[0]} x {raw.shape[1]}"
        raise DataError("a mask has another size than its image", got=got, where=WHERE, fix="make both of one size")
    table = np.full(int(raw.max(initial=0)) + 1, UNKNOWN - 1, dtype=np.int16)
    for value, code in values.items():
        if value < len(table):
            table[value] = code
    codes = table[raw]
    if (strange := np.unique(raw[codes < UNKNOWN])).size:
        raise DataError(
            "a mask holds a value that no class is named for",
            got=f"{mask.name}: {shorten(list(map(str, strange.tolist())), 8)}",
            available=[str(value) for value in values],
            where="dataset.classes",
            fix="name a class for each value, or list it in dataset.ignore",
        )
    return read_image(picture, form), _resized(codes, form)


def mask_values(path: Path) -> np.ndarray:
    """Return the values of a mask, int64 `(height, width)`: of a palette the numbers, not the colours.

    Raises:
        DataError: It is damaged, or has several channels.
    """
    check_data_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=formats()) as opened:
                values = np.asarray(opened)
    except DAMAGE as error:
        raise DataError("the mask cannot be read", got=path.name, where=WHERE) from error
    if values.ndim == 3 and (values[..., :3] == values[..., :1]).all():
        values = values[..., 0]
    if values.ndim != 2 or (values.dtype.kind not in "uib") or (values < 0).any():
        raise DataError(
            "a mask is no image of one number per pixel",
            got=f"{path.name}: shape {values.shape}, {values.dtype}",
            where=WHERE,
            fix="save masks in grey or as a palette, one value per class",
        )
    return values.astype(np.int64)


def values_in(masks: Sequence[Path]) -> list[int]:
    """Return the values that stand in masks, ascending."""
    found: set[int] = set()
    for path in masks:
        found |= set(np.unique(mask_values(path)).tolist())
    return sorted(found)


def _resized(codes: np.ndarray, form: Form) -> np.ndarray:
    """Return a mask cut or squeezed as `read_image` does with its image, by the nearest pixel."""
    height, width = codes.shape
    tall, wide = height, width
    if form.fit == "crop":
        scale = min(height / form.height, width / form.width)
        tall, wide = scale * form.height, scale * form.width
    rows = (height - tall) / 2 + (np.arange(form.height) + 0.5) * tall / form.height
    columns = (width - wide) / 2 + (np.arange(form.width) + 0.5) * wide / form.width
    return np.asarray(codes[np.minimum(rows.astype(int), height - 1)][:, np.minimum(columns.astype(int), width - 1)])


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in ENDINGS and file.is_file()]
