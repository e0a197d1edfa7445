"""Data files that a person named: their kind, their size and what they unpack to are checked before they are read."""

import bz2
import gzip
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from glassbench.errors import DataError, suggest
from glassbench.storage.limits import given_limit
from glassbench.storage.plain_files import kind_of, readable

SIZE_VARIABLE = "GLASSBENCH_MAX_DATA_FILE_MB"
PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
"""What opens a packed file, by its ending."""

DAMAGE = (OSError, EOFError, MemoryError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)
"""What reading a damaged packed file raises."""

_MEGABYTES = 2048
_UNSUSPICIOUS = 64 << 20
_RATIO = 100
_PIECE = 1 << 20


def check_data_file(path: Path, where: str = "dataset.path", *, whole: bool = True) -> None:
    """Make sure that a data file can be read; links are followed, nothing is opened that could block.

    Args:
        path: The file.
        where: The setting that names it.
        whole: Whether it is to be read into memory, so that its size counts.

    Raises:
        DataError: It is missing, no plain file, or too large; a file with holes is as small as what it keeps on the disk.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        problem = "there is no such file" if isinstance(error, FileNotFoundError) else "the file cannot be read"
        got = readable(str(path)) + ("" if isinstance(error, FileNotFoundError) else f": {error}"[:200])
        raise DataError(problem, got=got, where=where, fix=_neighbour(path)) from error
    if not stat.S_ISREG(found.st_mode):
        kind = kind_of(found)
        problem = "the path is a folder" if kind == "a folder" else "the path is not a file"
        raise DataError(problem, got=f"{readable(str(path))}: {kind}", where=where, fix="name a file that holds the data")
    if whole:
        kept = found.st_blocks * 512
        check_unpacked(
            found.st_size, found.st_size if kept * _RATIO >= found.st_size else _without_holes(path, kept), path, where
        )


def check_unpacked(size: int, packed: int, path: Path, where: str = "dataset.path") -> None:
    """Refuse what a data file unpacks to when it is too large, or out of all proportion to the file.

    Without `GLASSBENCH_MAX_DATA_FILE_MB`, up to 2,048 MB are read, and beyond 64 MB no more than 100 times the packed size.

    Args:
        size: What it unpacks to, in bytes, as far as is known.
        packed: What it takes on the disk, in bytes.
        path: The file.
        where: The setting that names it.

    Raises:
        DataError: It is too large.
    """
    given = given_limit(SIZE_VARIABLE)
    most = (_MEGABYTES if given is None else given) << 20
    if given is None:
        most = min(most, max(_UNSUSPICIOUS, _RATIO * packed))
    if size > most:
        megabytes = -(-size >> 20)
        raise DataError(
            "the file is too large to be read",
            got=f"{readable(path.name)}: {packed:,} bytes on the disk, {size:,} bytes or more when read",
            available=[f"up to {most >> 20:,} MB"],
            fix=f"if it is meant to be that large, set the environment variable {SIZE_VARIABLE} to {megabytes} or more",
            where=where,
        )


def read_data_file(path: Path, where: str = "dataset.path", *, first: int | None = None) -> bytes:
    """Return the content of a data file, unpacked by its ending (`.gz`, `.bz2`, `.xz`).

    Args:
        path: The file; links are followed.
        where: The setting that names it.
        first: How many bytes to read from its beginning, in bytes unpacked; None for all.

    Raises:
        DataError: It is missing, no plain file, damaged or too large, unpacked or not.
    """
    check_data_file(path, where, whole=first is None)
    try:
        with PACKED.get(path.suffix, Path.open)(path, "rb") as stream:
            return bytes(stream.read(first)) if first is not None else unpacked(stream, path, path.stat().st_size, where)
    except DAMAGE as error:
        raise unreadable(path, error, where) from error


def unreadable(path: Path, error: BaseException, where: str) -> DataError:
    """Return what is said of a file that proved damaged: what reading it raised, by its kind where that has no words."""
    got = f"{readable(str(path))}: {str(error) or type(error).__name__}"[:300]
    fix = "check that the file is whole and that its ending says what it is"
    return DataError("the file cannot be read", got=got, where=where, fix=fix)


def unpacked(stream: IO[bytes], path: Path, packed: int, where: str = "dataset.path") -> bytes:
    """Return all that a stream yields, read in pieces and stopped where `check_unpacked` refuses it."""
    return b"".join(_pieces(stream, path, packed, where))


def check_streamed(path: Path, where: str = "dataset.path") -> None:
    """Check a data file that another engine reads where it is: its kind, and what it unpacks to, without keeping any of it."""
    check_data_file(path, where, whole=False)
    if path.suffix not in PACKED:
        return
    packed, size = path.stat().st_size, 0
    try:
        with PACKED[path.suffix](path, "rb") as stream:
            while size <= max(_UNSUSPICIOUS, _RATIO * packed) and (piece := stream.read(_PIECE)):
                size += len(piece)
    except DAMAGE as error:
        raise unreadable(path, error, where) from error
    if size > _RATIO * packed:
        check_unpacked(size, packed, path, where)


def check_archive(path: Path, where: str = "dataset.path") -> None:
    """Check what all members of a zip archive unpack to, by what it says of them: no more than that is ever unpacked.

    Raises:
        DataError: It is missing, no plain file, no zip archive, or too large.
    """
    check_data_file(path, where)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except DAMAGE as error:
        got = f"{readable(path.name)}: {str(error) or type(error).__name__}"[:300]
        raise DataError("the archive cannot be read", got=got, where=where, fix="check that the file is whole") from error
    check_unpacked(size, path.stat().st_size, path, where)


def _pieces(stream: IO[bytes], path: Path, packed: int, where: str) -> Iterator[bytes]:
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        check_unpacked(size, packed, path, where)
        yield piece


def _without_holes(path: Path, kept: int) -> int:
    """Return how many bytes of a file hold data: its size where it has no hole, whatever the file system says it keeps."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        return size if os.lseek(descriptor, 0, os.SEEK_HOLE) >= size else kept
    finally:
        os.close(descriptor)


def _neighbour(path: Path) -> str | None:
    """Suggest a file beside the one that isn't there."""
    try:
        if not path.parent.is_dir():
            return f"the folder '{readable(str(path.parent))}' isn't there either; paths are relative to the current folder"
        return suggest(path.name, sorted(entry.name for entry in path.parent.iterdir()))
    except (OSError, ValueError):
        return None
