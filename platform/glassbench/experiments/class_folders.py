"""Files in a folder for each class, which may lie in a folder for each part: `path/cat/1.jpg`, `path/train/cat/1.jpg`."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Part = Literal["train", "validation", "test"]
_PARTS: dict[str, Part] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


@dataclass(frozen=True, kw_only=True)
class ClassFile:
    """A file whose folder names its class.

    Args:
        name: Its path within the folder of all, `/` between the parts.
        label: The class.
        part: The part of the data it belongs to, where folders say so, or None.
    """

    name: str
    label: str
    part: Part | None = None


def class_files(root: Path, endings: Collection[str]) -> list[ClassFile]:
    """Return the files in the folders of their classes, in order of their names.

    The classes lie in folders of parts where there are both `train` and `test`.

    Args:
        root: The folder.
        endings: Endings of the files, in small letters with the point.
    """
    parts = {name: part for name, part in _PARTS.items() if (root / name).is_dir()}
    divided = {"train", "test"} <= set(parts)
    tops = [root / name for name in parts] if divided else [root]
    return [
        ClassFile(
            name=file.relative_to(root).as_posix(),
            label=file.relative_to(top).parts[0],
            part=parts[top.name] if divided else None,
        )
        for top in tops
        for file in sorted(top.glob("*/**/*"))
        if file.suffix.lower() in endings and file.is_file()
    ]
