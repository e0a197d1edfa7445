"""Boxes as files of annotations name them: Pascal VOC and COCO."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from glassbench.errors import DataError, shorten
from glassbench.storage.data_files import check_data_file

_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>")
_MARKUP = re.compile(r"<!(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class Annotated:
    """One picture and the boxes that a file names in it.

    Args:
        file: The picture's file name.
        boxes: The class of each, and left, top, right and bottom edge in pixels, as they stand in the file.
    """

    file: str
    boxes: tuple[tuple[str, float, float, float, float], ...]


def read_voc(path: Path) -> Annotated:
    """Read the annotation of one picture in the XML form of Pascal VOC.

    The file is text in UTF-8. A document type is refused, and entities with it: nothing can be expanded or fetched.

    Raises:
        DataError: It cannot be read, or a box lacks a side.
    """
    check_data_file(path)
    where = f"dataset.annotations: {path.name}"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("the annotation is no text in UTF-8", got=path.name, where=where) from error
    if (found := _MARKUP.search(text)) is not None:
        fix = "remove the document type: annotations need none"
        raise DataError("the annotation declares a document type or an entity", got=found.group(0), where=where, fix=fix)
    try:
        root = ElementTree.fromstring(_DECLARED.sub("", text))
    except ElementTree.ParseError as error:
        raise DataError("the annotation is no XML", got=f"{path.name}: {error}", where=where) from error
    boxes = tuple(_voc_box(item, where) for item in root.findall("object"))
    return Annotated(file=(root.findtext("filename") or path.stem).strip(), boxes=boxes)


def read_coco(path: Path) -> list[Annotated]:
    """Read the annotations of many pictures in COCO's JSON form: `images`, `annotations` and `categories`.

    Regions of crowds (`iscrowd`) are left out, as they hold no single object.

    Raises:
        DataError: It cannot be read, a key is missing, or an annotation names a picture or a class that there is not.
    """
    check_data_file(path)
    where = f"dataset.annotations: {path.name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {each["id"]: str(each["name"]) for each in content["categories"]}
        files = {each["id"]: str(each["file_name"]) for each in content["images"]}
        found: dict[Any, list[tuple[str, float, float, float, float]]] = {key: [] for key in files}
        for each in content["annotations"]:
            if each.get("iscrowd"):
                continue
            left, top, width, height = map(float, each["bbox"])
            found[each["image_id"]].append((names[each["category_id"]], left, top, left + width, top + height))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError("the annotations are no JSON", got=path.name, where=where) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        fix = "images with id and file_name, categories with id and name, annotations with image_id, category_id and bbox"
        raise DataError(
            "the annotations are not in COCO's form", got=f"{type(error).__name__}: {error}", where=where, fix=fix
        ) from error
    return [Annotated(file=file, boxes=tuple(found[key])) for key, file in files.items()]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Boxes that lie in their picture.

    Args:
        boxes: They, cut at the picture's edges.
        faults: What was wrong with others, in words.
    """

    boxes: tuple[tuple[str, float, float, float, float], ...]
    faults: tuple[str, ...]


def within(annotated: Annotated, height: int, width: int) -> Checked:
    """Return the boxes of a picture, cut at its edges; those without an area there are left out and named.

    Args:
        annotated: The picture's boxes.
        height, width: Its size in pixels.
    """
    kept, faults = [], []
    for name, *sides in annotated.boxes:
        left, top, right, bottom = sides
        said = f"{annotated.file}: {name} {left:g}, {top:g} to {right:g}, {bottom:g}"
        if not all(map(math.isfinite, sides)) or right <= left or bottom <= top:
            faults.append(f"{said} has no area")
            continue
        cut = max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))
        if cut[2] <= cut[0] or cut[3] <= cut[1]:
            faults.append(f"{said} lies outside the image of {width} x {height} pixels")
        else:
            kept.append((name, *cut))
    return Checked(boxes=tuple(kept), faults=tuple(faults))


def fault_notes(faults: Sequence[str]) -> tuple[str, ...]:
    """Return one note that counts faulty boxes and names the first."""
    if not faults:
        return ()
    more = f", and {len(faults) - _NAMED:,} more" if len(faults) > _NAMED else ""
    boxes = "box is faulty and is" if len(faults) == 1 else "boxes are faulty and are"
    return (f"{len(faults):,} {boxes} left out: {'; '.join(faults[:_NAMED])}{more}.",)


def _voc_box(item: ElementTree.Element, where: str) -> tuple[str, float, float, float, float]:
    name, box = (item.findtext("name") or "").strip(), item.find("bndbox")
    texts = [None if box is None else box.findtext(side) for side in ("xmin", "ymin", "xmax", "ymax")]
    if not name or any(text is None for text in texts):
        got = shorten([name or "no name", *(str(text) for text in texts)], 5)
        raise DataError("an object lacks its name or a side of its box", got=got, where=where)
    return (name, *_numbers([str(text) for text in texts], where))


def _numbers(texts: list[str], where: str) -> tuple[float, float, float, float]:
    try:
        left, top, right, bottom = map(float, texts)
    except ValueError as error:
        raise DataError("a side of a box is no number", got=", ".join(texts), where=where) from error
    return left, top, right, bottom


def listed_names(path: Path) -> Iterator[str]:
    """Yield the names that a list of Pascal VOC holds (`ImageSets/Main/train.txt`), one each line."""
    check_data_file(path)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield line.split()[0]
