"""Images of one size and colour, from files of any."""

import functools
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from glassbench.errors import DataError
from glassbench.storage.data_files import check_data_file

Fit = Literal["crop", "squeeze"]
ENDINGS: Collection[str] = Image.registered_extensions()
"""Endings of the files that Pillow knows."""

DAMAGE = (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError)
"""What Pillow raises on a damaged file, by format."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What every image is brought to.

    Args:
        height, width: Size in pixels.
        colour: Red, green and blue; else shades of grey.
        fit: How another aspect is met: `crop` keeps the middle, `squeeze` distorts.
    """

    height: int
    width: int
    colour: bool = True
    fit: Fit = "crop"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return (3 if self.colour else 1), self.height, self.width


def read_image(path: Path, form: Form) -> np.ndarray:
    """Read a file of any format that Pillow knows as one image: turned as its camera noted, resized, in the colours asked for.

    Of an animation the first frame is read; transparent parts are laid on white. EPS is refused: other programs run it.

    Returns:
        Bytes `(C, H, W)`.

    Raises:
        DataError: The file is damaged or holds no image.
    """
    check_data_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata say nothing about the pixels
            with Image.open(path, formats=formats()) as opened:
                image = _coloured(ImageOps.exif_transpose(opened), form.colour)
    except DAMAGE as error:
        raise DataError("the image cannot be read", got=f"{path.name}: {_reason(error, path)}") from error
    pixels = np.asarray(_fitted(image, form))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)) if form.colour else pixels[None].copy()


def size_of_file(path: Path) -> tuple[int, int]:
    """Return height and width of an image, its camera's turn allowed for, from its header.

    Raises:
        DataError: It cannot be read.
    """
    check_data_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=formats()) as opened:
                width, height = opened.size
                turned = int(opened.getexif().get(274, 1)) >= 5
    except DAMAGE as error:
        raise DataError("the image cannot be read", got=path.name) from error
    return (width, height) if turned else (height, width)


@functools.cache
def formats() -> tuple[str, ...]:
    """Return the formats that Pillow reads by itself."""
    Image.init()
    return tuple(name for name in Image.OPEN if name != "EPS")


def _coloured(image: Image.Image, colour: bool) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits: Pillow would cut them off at 255 rather than scale them
        deep = np.asarray(image).astype(np.float64)
        image = Image.fromarray((deep * (255 / 65_535)).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return image.convert("RGB" if colour else "L")


def _fitted(image: Image.Image, form: Form) -> Image.Image:
    size = (form.width, form.height)
    if image.size == size:
        return image
    if form.fit == "crop":
        return ImageOps.fit(image, size, Image.Resampling.BILINEAR)
    return image.resize(size, Image.Resampling.BILINEAR)


def _reason(error: BaseException, path: Path) -> str:
    """Return why in few words, without where the file lies."""
    if "cannot identify image file" in str(error):
        return "is no image"
    return str(error).replace(str(path), path.name) or type(error).__name__
