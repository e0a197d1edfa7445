"""Files that are written whole or not at all, and read as what they should be or not at all."""

import contextlib
import errno
import hashlib
import json
import math
import os
import re
import secrets
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from glassbench.errors import RunError
from glassbench.storage.plain_files import kind_of, open_plain, read_plain, readable

_ELSEWHERE = "choose another place with --runs DIR"
_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space, then `glassbench resume`"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then `glassbench resume`"),
    errno.EFBIG: (
        "the file would be larger than this process may write",
        "raise the limit (`ulimit -f`), then `glassbench resume`",
    ),
    errno.EACCES: ("there is no permission to write", _ELSEWHERE),
    errno.EPERM: ("there is no permission to write", _ELSEWHERE),
    errno.EROFS: ("the file system is read-only", _ELSEWHERE),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", _ELSEWHERE),
    errno.EISDIR: ("a folder of that name is in the way", _ELSEWHERE),
    errno.EEXIST: ("something of that name is in the way", _ELSEWHERE),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
}
_TEMPORARY = re.compile(r"\..{1,100}\.[0-9a-f]{16}\.part", re.DOTALL)
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a temporary file beside `path`, flush it to the disk and move it into place.

    The file gets the permissions that the umask leaves. A link at `path` is replaced, never written through.

    Raises:
        RunError: The disk is full, there is no permission, or `path` is no file; `path` is then as it was.
    """
    with storage(path):
        _refuse_special(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(path)
        try:
            with open_plain(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            write(temporary)
            with open(temporary, "rb+") as file:
                os.fchmod(file.fileno(), mode)  # libraries that make a file anew choose permissions of their own
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def temporary_name(path: Path) -> Path:
    """Return the path of a temporary file beside `path`, one that `is_temporary` knows again."""
    return path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")


def is_temporary(path: Path) -> bool:
    """Whether a file's name is one that `temporary_name` gives."""
    return _TEMPORARY.fullmatch(path.name) is not None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all; what is not a number in JSON (NaN, infinity) is refused by the standard and by this."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Return content as `write_json` writes it."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    """Read JSON from a plain file.

    Raises:
        RunError: The file is missing, too large, no plain file, or not JSON of finite numbers without repeated keys.
    """
    try:
        return parse_json(read_plain(path).decode("utf-8"), finite=True)
    except FileNotFoundError as error:
        raise RunError("a file of the run is missing", where=str(path)) from error
    except (ValueError, OSError) as error:
        raise RunError("a file of the run cannot be read", where=str(path), got=str(error)[:200]) from error


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object from a plain file.

    Raises:
        RunError: As of `read_json`, or it holds something else.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        got = f"a {type(content).__name__} in place of an object"
        raise RunError(f"{path.name} is damaged", where=str(path), got=got, fix="restore it, or start a new run")
    return content


def parse_json(text: str, *, finite: bool) -> Any:
    """Parse JSON strictly.

    Args:
        text: The JSON.
        finite: Whether NaN and infinities are refused.

    Raises:
        ValueError: It is not JSON, nests too deeply, repeats a key, or holds text or numbers that cannot be written again.
    """
    try:
        content = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant if finite else float,
            parse_float=_finite if finite else float,
        )
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    if "\\ud" in text.lower() and _LONE_SURROGATE.search(json.dumps(content, ensure_ascii=False)):
        raise ValueError("it holds half a character (a lone surrogate)")
    return content


@contextlib.contextmanager
def understood(path: Path, fix: str = "restore the file, or start a new run") -> Iterator[None]:
    """Say which file is damaged when its content turns out to be of another form than expected.

    Raises:
        RunError: What is done within the `with` block raises what odd content causes.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        raise RunError(f"{path.name} cannot be read: it is damaged", where=str(path), got=_said(error), fix=fix) from error


def _said(error: Exception) -> str:
    """Return what an error says on one line; of several things that a form lacks, the first."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))[:80]}: {first['msg'][:120]}"
    return f"{type(error).__name__}: {error}"[:200]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a plain file of any size, in hexadecimal.

    Raises:
        RunError: It cannot be read.
    """
    try:
        with open_plain(path, most=1 << 62) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError("a file of the run cannot be read", where=readable(str(path)), got=error.strerror) from error


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of the content of each file, in hexadecimal, in order of their names."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def content_hash(paths: Iterable[Path]) -> str:
    """Return one SHA-256 of the content of data files, in order; links are followed."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


@contextlib.contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a full or forbidden place into a RunError about `path`."""
    try:
        yield
    except OSError as error:
        known = _REASONS.get(error.errno or 0, (str(error), _ELSEWHERE))
        raise RunError(f"cannot write {readable(path.name)}: {known[0]}", where=readable(str(path)), fix=known[1]) from error


def _refuse_special(path: Path) -> None:
    """Refuse to put a file in the place of a device, a pipe or a folder, whether named itself or by a link."""
    if path.exists() and (kind := kind_of(path.stat())) and not path.is_file():
        raise RunError(f"cannot write {readable(path.name)}: it is {kind}", where=readable(str(path)), fix="name a file")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the key '{counts.most_common(1)[0][0][:80]}' is given twice")
    return content


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large for a number")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")
