"""Images with boxes from one's own files: Pascal VOC and COCO."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data
from glassbench.errors import DataError, SettingsError, shorten
from glassbench.stats.settings_types import Count, Name
from glassbench.toolkit.splits.splits import Division, Part
from glassbench_plugins.detection.annotations import Annotated, fault_notes, listed_names, read_coco, read_voc, within
from glassbench_plugins.detection.boxed_images import BoxedImages
from glassbench_plugins.detection.encoder import FILE, BoxEncoder
from glassbench_plugins.vision.annotated import divided
from glassbench_plugins.vision.files import ENDINGS, Form, read_image, size_of_file
from glassbench_plugins.vision.pictures import InMemory

Size = Count | tuple[Count, Count]


def voc(
    seed: int,
    *,
    path: str,
    images: str = "JPEGImages",
    annotations: str = "Annotations",
    lists: str | None = "ImageSets/Main",
    classes: tuple[Name, ...] = (),
    sensitive: tuple[str, ...] = (),
    size: Size = 256,
    colour: bool = True,
    validation_share: float = 0.2,
    test_share: float = 0.2,
) -> Data:
    """Images with boxes in the folders of Pascal VOC: an XML file of annotations for each image.

    The lists `train.txt`, `val.txt` and `test.txt` say which image belongs to which part, where they are there; else images are
    divided at random. Boxes without an area, or outside their image, are left out, counted and named in the report.

    Args:
        seed: Seed of the split.
        path: The folder.
        images: Its folder of images.
        annotations: Its folder of annotations.
        lists: Its folder of lists; None divides at random.
        classes: The classes that count, in order; others are left out. Empty takes all that stand in the files.
        sensitive: Features to audit by: `brightness`, `contrast`, `sharpness` or `object_count`, which are measured and cut at
            the terciles of the training images.
        size: Pixels that every image is squeezed to: a side, or height and width. Boxes are squeezed with it.
        colour: Whether images keep their colours; else they become shades of grey.
        validation_share: Share of the images for validation, where no list says it.
        test_share: Share of the images for testing, where no list says it.
    """
    root = Path(path).expanduser()
    folder = _folder(root / annotations, "annotations")
    found = {file.stem: read_voc(file) for file in sorted(folder.glob("*.xml"))}
    if not found:
        raise DataError("the folder holds no annotations", got=annotations, where="dataset.annotations")
    given = None if lists is None else _parts(root / lists, list(found))
    if given is not None:
        kept = sorted({name for names in given.values() for name in names}, key=list(found).index)
        found = {name: found[name] for name in kept}
        places = {name: place for place, name in enumerate(found)}
        parts: Mapping[Part, np.ndarray] = {part: np.array([places[n] for n in names]) for part, names in given.items()}
        words = f"as the lists in {lists} say"
        validation = 0.0 if "validation" in given else validation_share
        division = Division(seed=seed, given=parts, validation=validation, words=words)
    else:
        division = Division(seed=seed, validation=validation_share, test=test_share, words="at random")
    return _data(root, _folder(root / images, "images"), list(found.values()), division, classes, sensitive, size, colour)


def coco(
    seed: int,
    *,
    path: str,
    annotations: str,
    classes: tuple[Name, ...] = (),
    sensitive: tuple[str, ...] = (),
    size: Size = 256,
    colour: bool = True,
    validation_share: float = 0.2,
    test_share: float = 0.2,
) -> Data:
    """Images with boxes in the form of COCO: a folder of images and one JSON file of annotations.

    Images are divided at random. Boxes without an area, or outside their image, are left out, counted and named in the report.

    Args:
        seed: Seed of the split.
        path: The folder of images.
        annotations: The JSON file, relative to the current folder.
        classes: The classes that count, in order; others are left out. Empty takes all that stand in the file.
        sensitive: Features to audit by: `brightness`, `contrast`, `sharpness` or `object_count`.
        size: Pixels that every image is squeezed to: a side, or height and width. Boxes are squeezed with it.
        colour: Whether images keep their colours; else they become shades of grey.
        validation_share: Share of the images for validation.
        test_share: Share of the images for testing.
    """
    root = _folder(Path(path).expanduser(), "path")
    found = read_coco(Path(annotations).expanduser())
    division = Division(seed=seed, validation=validation_share, test=test_share, words="at random")
    return _data(root, root, found, division, classes, sensitive, size, colour)


def _data(
    root: Path,
    folder: Path,
    found: Sequence[Annotated],
    division: Division,
    classes: Sequence[str],
    sensitive: tuple[str, ...],
    size: int | tuple[int, int],
    colour: bool,
) -> Data:
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 8:
        raise SettingsError("an image needs 8 pixels a side at least", got=str(size), where="dataset.size")
    names = tuple(classes) or tuple(sorted({name for each in found for name, *_ in each.boxes}))
    if not names:
        raise DataError("the annotations name no box", got=root.name, where="dataset.annotations")
    form, paths = Form(height=height, width=width, colour=colour, fit="squeeze"), [_image(folder, each.file) for each in found]
    boxes, faults = zip(*(_squeezed(each, path, names, form) for each, path in zip(found, paths, strict=True)), strict=True)
    pixels = np.stack([read_image(path, form) for path in paths])
    whole = divided(
        BoxedImages(
            pictures=InMemory(torch.from_numpy(pixels)),
            boxes=boxes,
            classes=names,
            rows=np.array([each.file for each in found], dtype=object),
            sensitive=sensitive,
            raw=pd.DataFrame({FILE: [str(path) for path in paths]}),
            notes=fault_notes([fault for each in faults for fault in each]),
            source=root.name,
        ),
        division,
    )
    return whole.data(BoxEncoder(form=form, scaling=whole.scaling))


def _squeezed(annotated: Annotated, path: Path, names: tuple[str, ...], form: Form) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the boxes of an image in the pixels that it is squeezed to, `(k, 5)`, and what was wrong with others."""
    height, width = size_of_file(path)
    checked = within(annotated, height, width)
    scale = np.array([form.width / width, form.height / height] * 2)
    kept = [[*(np.array(sides) * scale), names.index(name)] for name, *sides in checked.boxes if name in names]
    return np.array(kept, dtype=np.float32).reshape(-1, 5), checked.faults


def _parts(folder: Path, known: Sequence[str]) -> dict[Part, list[str]] | None:
    """Return the names of each part as lists say; None where there are no lists.

    Raises:
        DataError: A list names an image without annotation, or there is a list of testing or training alone.
    """
    files: dict[Part, Path] = {"train": folder / "train.txt", "validation": folder / "val.txt", "test": folder / "test.txt"}
    named = {part: list(dict.fromkeys(listed_names(file))) for part, file in files.items() if file.is_file()}
    if not named:
        return None
    if not {"train", "test"} <= set(named):
        fix = "add the list that is missing, or set dataset.lists to null to divide at random"
        raise DataError(
            "lists must say what is for training and for testing", got=", ".join(named), where="dataset.lists", fix=fix
        )
    strange = [name for names in named.values() for name in names if name not in set(known)]
    if strange:
        raise DataError("a list names images without annotations", got=shorten(strange, 5), where="dataset.lists")
    return named


def _image(folder: Path, name: str) -> Path:
    """Return the file of an image within its folder: by its name, else by its name without the ending.

    Raises:
        DataError: It is not there, or lies outside the folder.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise DataError("annotations name an image outside its folder", got=name, where="dataset.annotations")
    if path.is_file():
        return folder / name
    same = [file for file in sorted(folder.glob("*")) if file.stem == Path(name).stem and file.suffix.lower() in ENDINGS]
    if not same:
        raise DataError("annotations name an image that is not there", got=name, where="dataset.images")
    return same[0]


def _folder(path: Path, setting: str) -> Path:
    if not path.is_dir():
        fix = "paths are relative to the current folder"
        raise DataError("there is no such folder", got=str(path), where=f"dataset.{setting}", fix=fix)
    return path
