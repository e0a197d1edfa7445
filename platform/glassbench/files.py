"""Files that are written whole or not at all."""

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from glassbench.errors import RunError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space, then `glassbench resume`"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then `glassbench resume`"),
    errno.EACCES: ("there is no permission to write", "choose another place with --runs DIR"),
    errno.EPERM: ("there is no permission to write", "choose another place with --runs DIR"),
    errno.EROFS: ("the file system is read-only", "choose another place with --runs DIR"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another place with --runs DIR"),
    errno.EEXIST: ("something of that name is in the way", "choose another place with --runs DIR"),
}


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a temporary file beside `path`, flush it to the disk and move it into place.

    Raises:
        RunError: The disk is full, or there is no permission; `path` is then as it was.
    """
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        try:
            write(Path(name))
            with open(name, "rb+") as file:
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all; what is not a number in JSON (NaN, infinity) is refused by the standard and by this."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        RunError: The file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError("a file of the run is missing", where=str(path)) from error
    except (ValueError, OSError) as error:
        raise RunError("a file of the run cannot be read", where=str(path), got=str(error)) from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a full or forbidden place into a RunError about `path`."""
    try:
        yield
    except OSError as error:
        known = _REASONS.get(error.errno or 0, (str(error), "choose another place with --runs DIR"))
        raise RunError(f"cannot write {path.name}: {known[0]}", where=str(path), fix=known[1]) from error
