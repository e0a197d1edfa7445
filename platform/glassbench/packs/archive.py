"""A ZIP archive with one possible form for given files, so that a change to any of its bytes can be named."""

import re
import struct
import zlib
from collections.abc import Mapping

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_HEADER = struct.Struct("<4s5H3L2H")
_RECORD = struct.Struct("<4s6H3L5H2L")
_TAIL = struct.Struct("<4s4H2LH")
_VERSION, _FLAGS, _STORED, _TIME, _DATE, _MODE = 20, 0x800, 0, 0, 0x21, 0o100644 << 16
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}")


class ArchiveError(ValueError):
    """An archive is not of this form; the message says where.

    Args:
        message: What is wrong.
    """


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return files as a ZIP archive: stored, in order of their names, dated 1980-01-01.

    Args:
        files: Content by name, without folders.
    """
    body, records = bytearray(), bytearray()
    for name, content in sorted(files.items()):
        start, encoded, crc, size = len(body), name.encode(), zlib.crc32(content), len(content)
        body += _HEADER.pack(_LOCAL, _VERSION, _FLAGS, _STORED, _TIME, _DATE, crc, size, size, len(encoded), 0)
        body += encoded + content
        records += _RECORD.pack(
            _CENTRAL,
            (3 << 8) | _VERSION,
            _VERSION,
            _FLAGS,
            _STORED,
            _TIME,
            _DATE,
            crc,
            size,
            size,
            len(encoded),
            0,
            0,
            0,
            0,
            _MODE,
            start,
        )
        records += encoded
    end = _TAIL.pack(_END, 0, 0, len(files), len(files), len(records), len(body), 0)
    return bytes(body + records + end)


def read_archive(content: bytes) -> dict[str, bytes]:
    """Return the files of an archive that `archive` wrote, whatever its directory at the end says.

    Raises:
        ArchiveError: A record of a file is damaged.
    """
    files: dict[str, bytes] = {}
    place, last = 0, "its beginning"
    while content[place : place + 4] == _LOCAL:
        if len(content) < place + _HEADER.size:
            raise ArchiveError(f"the record after {last}")
        fields = _HEADER.unpack_from(content, place)
        size, length = fields[8], fields[9]
        start = place + _HEADER.size + length
        name = content[place + _HEADER.size : start].decode("ascii", errors="replace")
        if not _NAME.fullmatch(name) or name in files or fields[7] != size or start + size > len(content):
            raise ArchiveError(f"the record of {name}" if _NAME.fullmatch(name) else f"the record after {last}")
        files[name] = content[start : start + size]
        place, last = start + size, name
    if not files or content[place : place + 4] != _CENTRAL:
        raise ArchiveError(f"the record of or after {last}")
    return files


def odd_records(content: bytes, files: Mapping[str, bytes]) -> list[str]:
    """Return which files or records of an archive are not as `archive` writes them for these files."""
    expected = archive(files)
    if content == expected:
        return []
    if len(content) != len(expected):
        return ["the archive's length"]
    changed = _other_content(content, files)
    if changed:
        return changed
    first = next(place for place, (a, b) in enumerate(zip(content, expected, strict=True)) if a != b)
    place = 0
    for name, body in sorted(files.items()):
        place += _HEADER.size + len(name) + len(body)
        if first < place:
            return [f"the record of {name}"]
    return ["the archive's directory"]


def _other_content(content: bytes, files: Mapping[str, bytes]) -> list[str]:
    """Return the files whose two checksums in the archive agree with each other, and not with the content."""
    place, record, found = 0, sum(_HEADER.size + len(name) + len(body) for name, body in files.items()), []
    for name, body in sorted(files.items()):
        here, there = _HEADER.unpack_from(content, place)[6], _RECORD.unpack_from(content, record)[7]
        if here == there != zlib.crc32(body):
            found.append(name)
        place += _HEADER.size + len(name) + len(body)
        record += _RECORD.size + len(name)
    return found
