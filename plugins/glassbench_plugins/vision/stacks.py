"""Arrays of images with their labels, as files of arrays hold them, part by part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from glassbench.errors import DataError
from glassbench.toolkit.splits.splits import Part


@dataclass(frozen=True, eq=False, kw_only=True)
class Stack:
    """Images and their labels.

    Args:
        pixels: Bytes `(n, C, H, W)`.
        codes: Labels as the file has them `(n,)`, whole numbers from 0.
    """

    pixels: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, images: np.ndarray, labels: np.ndarray, images_name: str, labels_name: str) -> Self:
        """Make sure of the arrays of a file and bring them to one layout.

        Args:
            images: Bytes `(n, H, W)`, `(n, H, W, 1)` or `(n, H, W, 3)`.
            labels: Whole numbers `(n,)` or `(n, 1)`.
            images_name, labels_name: What they are called, for messages.

        Raises:
            DataError: They have another shape or type, or differ in number.
        """
        if images.dtype != np.uint8:
            raise DataError("images must be bytes, 0 to 255", got=f"{images_name}: {images.dtype}", where="dataset.path")
        if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in (1, 3)) or 0 in images.shape:
            raise DataError(
                "images have the wrong shape",
                got=f"{images_name}: {images.shape}",
                available=["(n, height, width)", "(n, height, width, 1)", "(n, height, width, 3)"],
                where="dataset.path",
            )
        codes = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        if codes.ndim != 1 or not np.issubdtype(codes.dtype, np.integer) or (len(codes) and codes.min() < 0):
            raise DataError(
                "labels must be one whole number from 0 for each image",
                got=f"{labels_name}: {labels.shape} of {labels.dtype}",
                where="dataset.path",
            )
        if len(codes) != len(images):
            got = f"{len(images):,} images in {images_name}, {len(codes):,} labels in {labels_name}"
            raise DataError("there is not one label for each image", got=got, where="dataset.path")
        channels_last = images if images.ndim == 4 else images[..., None]
        return cls(pixels=np.ascontiguousarray(channels_last.transpose(0, 3, 1, 2)), codes=codes.astype(np.int64))


@dataclass(frozen=True, eq=False, kw_only=True)
class Joined:
    """Images of all parts.

    Args:
        pixels: Bytes `(n, C, H, W)`.
        labels: Name of the class of each `(n,)`.
        rows: What each is called: its part and its place there `(n,)`.
        classes: Names of the classes, in the order of their labels.
    """

    pixels: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    classes: tuple[str, ...]


def joined(stacks: Mapping[Part, Stack], names: tuple[str, ...]) -> tuple[Joined, dict[Part, np.ndarray]]:
    """Join the parts of a data set, and return where each lies.

    Args:
        stacks: The parts.
        names: Names of the classes, of label 0 first; empty takes the labels that occur.

    Raises:
        DataError: Parts differ in the size of their images, or a label has no name.
    """
    shapes = {part: stack.pixels.shape[1:] for part, stack in stacks.items()}
    if len(set(shapes.values())) > 1:
        got = ", ".join(f"{part}: {shape}" for part, shape in shapes.items())
        raise DataError("the parts differ in the size of their images", got=got, where="dataset.path")
    codes = np.concatenate([stack.codes for stack in stacks.values()])
    found = np.unique(codes)
    if names and int(found[-1]) >= len(names):
        raise DataError(
            "a label has no name",
            got=f"label {int(found[-1])}, {len(names)} classes",
            fix="name a class for each label, of label 0 first",
            where="dataset.classes",
        )
    ends = np.cumsum([0, *(len(stack.codes) for stack in stacks.values())])
    given = {part: np.arange(ends[i], ends[i + 1]) for i, part in enumerate(stacks)}
    rows = [f"{part}/{place}" for part, where in given.items() for place in range(len(where))]
    whole = Joined(
        pixels=np.concatenate([stack.pixels for stack in stacks.values()]),
        labels=np.array([names[code] if names else str(code) for code in codes], dtype=object),
        rows=np.array(rows, dtype=object),
        classes=names or tuple(str(code) for code in found),
    )
    return whole, given
