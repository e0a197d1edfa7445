"""Looking at a folder of images."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from glassbench.errors import DataError
from glassbench.experiments.folder_inspection import FolderInspection, inspect_folder
from glassbench.storage.data_files import check_data_file
from glassbench.toolkit.reading.labelled_files import described, labelled_files
from glassbench_plugins.vision.files import DAMAGE, ENDINGS, formats

_LARGEST = 128
"""Side, in pixels, up to which images of one size are kept as they are."""


def inspect_images(path: Path, settings: Mapping[str, Any]) -> FolderInspection:
    """Look at a folder of images in folders of their classes.

    Args:
        path: The folder.
        settings: The column of a table's classes as `target`, where it was named.

    Raises:
        DataError: It holds no images with classes.
    """
    labelled = labelled_files(path, ENDINGS, "images", settings.get("target"))
    found = inspect_folder(path, labelled.files, ENDINGS, _look, holds="images", dataset="image-folder", model="cnn")
    found = described(found, labelled)
    heights, widths = set(found.numbers.get("height", ())), set(found.numbers.get("width", ()))
    same = len(heights) == len(widths) == 1 and max(*heights, *widths) <= _LARGEST
    size = {"size": [int(heights.pop()), int(widths.pop())]} if same else {}
    return found.having(**size, **({"colour": False} if set(found.words.get("colours", ())) == {"grey"} else {}))


def _look(path: Path) -> dict[str, str | float]:
    """Decode an image and say how large it is and of which colours."""
    check_data_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=formats()) as image:
                image.load()
                width, height, mode, kind = image.width, image.height, image.mode, str(image.format)
    except DAMAGE as error:
        raise DataError("the image cannot be read", got=f"{path.name}: {error}".replace(str(path), path.name)) from error
    return {"width": width, "height": height, "colours": _colours(mode), "format": kind}


def _colours(mode: str) -> str:
    known = {"L": "grey", "1": "black and white", "RGB": "colours", "P": "palette", "RGBA": "colours, transparent parts"}
    return "grey, 16 bits" if mode.startswith("I") else known.get(mode, mode)
