"""Plain files alone: no link, device, pipe or socket that a received folder holds is opened, written or removed through."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import cast

from glassbench.errors import RunError
from glassbench.storage.limits import given_limit

MOST_ENTRIES = 100_000
"""Files and folders a run may hold."""

_SIZE_VARIABLE = "GLASSBENCH_MAX_RUN_FILE_MB"
_MEGABYTES = 512
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@dataclass(frozen=True)
class Entry:
    """Something a folder holds.

    Args:
        name: Its path within the folder, `/` between the parts.
        path: Where it is.
        strange: What it is where it is neither a folder nor a plain file with one name ("a symbolic link"), or None.
        folder: Whether it is a folder.
    """

    name: str
    path: Path
    strange: str | None
    folder: bool


def kind_of(found: os.stat_result) -> str | None:
    """Return what a file is when it is not a plain file with one name ("a device"), or None."""
    if not stat.S_ISREG(found.st_mode):
        return _KINDS.get(stat.S_IFMT(found.st_mode), "of an unknown kind")
    return "a hard link, it has another name elsewhere" if found.st_nlink > 1 else None


def inventory(folder: Path) -> list[Entry]:
    """Return everything below a folder, in order of names; links are listed and not followed.

    Raises:
        RunError: It cannot be listed, or holds more than `MOST_ENTRIES`.
    """
    found: list[Entry] = []
    waiting = [(folder, "")]
    while waiting:
        place, prefix = waiting.pop()
        for entry in _entries(place):
            kind = kind_of(entry.stat(follow_symlinks=False))
            inner = kind == "a folder"
            name = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            found.append(Entry(name, Path(entry.path), None if inner else kind, inner))
            if inner:
                waiting.append((Path(entry.path), f"{name}/"))
        if len(found) > MOST_ENTRIES:
            raise RunError("the folder holds too much to be a run", where=str(folder), got=f"more than {MOST_ENTRIES:,} files")
    return sorted(found, key=lambda entry: entry.name)


def refuse_strange(folder: Path) -> None:
    """Make sure that a run's folder holds plain files and folders only.

    Raises:
        RunError: It is a link, or something in it is a link, a device, a pipe or a socket.
    """
    strange = [f"{readable(entry.name)} is {entry.strange}" for entry in inventory(folder) if entry.strange]
    if folder.is_symlink():
        strange = ["the folder itself is a symbolic link", *strange]
    if strange:
        more = f" (and {len(strange) - 1} more)" if len(strange) > 1 else ""
        raise RunError(
            "the run's folder holds something that is not a plain file; nothing was read or written through it",
            where=str(folder),
            got=strange[0] + more,
            available=["plain files and folders"],
            fix="remove it, or name the real folder; `cp -r --dereference` copies a run of your own without links",
        )


def open_plain(path: Path, flags: int = os.O_RDONLY, most: int | None = None) -> BufferedRandom:
    """Open a plain file without following a link in its place.

    Args:
        path: Where it is.
        flags: How to open it, as of `os.open`; `os.O_CREAT` makes it with the permissions that the umask leaves.
        most: Largest size to read, in bytes; None allows what `GLASSBENCH_MAX_RUN_FILE_MB` says.

    Raises:
        RunError: It is no plain file, or larger.
        OSError: It is missing or may not be opened.
    """
    try:
        before = os.lstat(path)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    else:
        _check(path, before, most)
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    try:
        _check(path, os.fstat(descriptor), most)
        mode = {os.O_RDONLY: "rb", os.O_WRONLY: "wb", os.O_RDWR: "r+b"}[flags & os.O_ACCMODE]
        return cast(BufferedRandom, os.fdopen(descriptor, mode))
    except BaseException:
        os.close(descriptor)
        raise


def read_plain(path: Path, most: int | None = None) -> bytes:
    """Return the content of a plain file, checked as by `open_plain`."""
    with open_plain(path, most=most) as file:
        return file.read()


def read_given(path: Path, most: int) -> bytes:
    """Return the content of a file that a person named; links are followed, and nothing but a plain file is read.

    Args:
        path: The file.
        most: Largest size, in bytes.

    Raises:
        OSError: It is missing, cannot be read, or is a folder, a device or a pipe (`EINVAL`) or larger (`EFBIG`).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, f"it is {kind_of(found)}, not a file")
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"it has {found.st_size:,} bytes, and up to {most:,} are read")
    except OSError:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def readable(name: str) -> str:
    """Return a file's name with everything escaped that would not print, at most 200 characters of it."""
    shown = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name)
    return shown if len(shown) <= 200 else f"{shown[:197]}..."


def _entries(place: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            yield from entries
    except OSError as error:
        raise RunError("a folder of the run cannot be listed", where=readable(str(place)), got=error.strerror) from error


def _check(path: Path, found: os.stat_result, most: int | None) -> None:
    kind = kind_of(found)
    if kind is not None:
        raise RunError(
            f"{readable(path.name)} is not a plain file, so it is neither read nor written",
            where=readable(str(path)),
            got=kind,
            fix="remove it; the folder was not written by Glassbench alone",
        )
    allowed = _largest() if most is None else most
    if found.st_size > allowed:
        raise RunError(
            f"{readable(path.name)} is too large to be read",
            where=readable(str(path)),
            got=f"{found.st_size:,} bytes",
            available=[f"up to {allowed:,} bytes"],
            fix=f"if the file is meant to be that large, set the environment variable {_SIZE_VARIABLE}" if most is None else None,
        )


def _largest() -> int:
    given = given_limit(_SIZE_VARIABLE)
    return (_MEGABYTES if given is None else given) << 20
