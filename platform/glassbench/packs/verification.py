"""Whether a pack is as it was signed, and what in it was changed; no network is asked, and nothing in it is run."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from glassbench.errors import GlassbenchError
from glassbench.packs.archive import ArchiveError, odd_records, read_archive
from glassbench.packs.packing import MANIFEST
from glassbench.packs.signature import PUBLIC_KEY, SIGNATURE, refused, signed_digests
from glassbench.storage.files import digests, json_text
from glassbench.storage.plain_files import read_plain


@dataclass(frozen=True, kw_only=True)
class PackCheck:
    """What a pack's verification found.

    Args:
        differences: One line for each file that was changed, is missing or was added, and for records of the archive.
        refused: Why the signature does not hold, or None.
        signer: SHA-256 of the public key inside, or None where there is none.
        known_key: Whether the key was given from outside.
        files: How many files the pack holds.
    """

    differences: tuple[str, ...]
    refused: str | None
    signer: str | None
    known_key: bool
    files: int

    @property
    def intact(self) -> bool:
        """Whether everything is as it was signed."""
        return not self.differences and self.refused is None


def verify_pack(path: Path, key: Path | None = None) -> PackCheck:
    """Check a pack against its signature.

    Args:
        path: The archive.
        key: The public key of whoever should have signed, PEM; None takes the one inside, which shows that nothing was changed
            since, and not who signed.

    Raises:
        GlassbenchError: A file cannot be read, or packages are missing.
    """
    try:
        content = read_plain(path)
        given = None if key is None else read_plain(key)
    except OSError as error:
        raise GlassbenchError("the file cannot be read", where=str(key or path), got=error.strerror) from error
    try:
        files = read_archive(content)
    except ArchiveError as error:
        return PackCheck(differences=(f"changed: {error}",), refused=None, signer=None, known_key=key is not None, files=0)
    changed = _changed(files)
    lines = changed or [f"changed: {record}" for record in odd_records(content, files)]
    reason = _signature(files, given, changed=bool(changed))
    if reason is not None and not lines and given in (None, files.get(PUBLIC_KEY)):
        lines = [f"changed: {SIGNATURE}"]
    signer = hashlib.sha256(files[PUBLIC_KEY]).hexdigest() if PUBLIC_KEY in files else None
    return PackCheck(differences=tuple(lines), refused=reason, signer=signer, known_key=key is not None, files=len(files))


def _changed(files: Mapping[str, bytes]) -> list[str]:
    """Return what differs from the manifest and from what was signed, by name."""
    listed, signed = _listed(files.get(MANIFEST)), signed_digests(files.get(SIGNATURE, b""))
    found = digests({name: body for name, body in files.items() if name not in (MANIFEST, SIGNATURE)})
    against = [one for one in (listed, signed and {n: d for n, d in signed.items() if n != MANIFEST}) if one]
    lines = [f"missing: {name}" for name in (MANIFEST, SIGNATURE) if name not in files]
    if MANIFEST in files and listed is None:
        lines.append(f"changed: {MANIFEST}")
    for name in sorted({*found, *(name for one in against for name in one)}):
        expected = [one.get(name) for one in against]
        if expected and found.get(name) not in expected:  # where the two disagree, one of them was changed and not the file
            word = "missing" if name not in found else "added" if set(expected) == {None} else "changed"
            lines.append(f"{word}: {name}")
    if not lines and listed is not None and listed != found:
        lines.append(f"changed: {MANIFEST}")
    return lines


def _listed(manifest: bytes | None) -> dict[str, str] | None:
    """Return what the manifest lists; None where it is not as it was written."""
    try:
        content = json.loads(manifest or b"")
        listed = {str(name): str(digest) for name, digest in content["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return listed if json_text({"files": listed}).encode() == manifest else None


def _signature(files: Mapping[str, bytes], given: bytes | None, *, changed: bool) -> str | None:
    """Return why the signature does not hold, or None."""
    key = given if given is not None else files.get(PUBLIC_KEY)
    if SIGNATURE not in files or key is None:
        return "the pack is not signed"
    if given is not None and given.strip() != files.get(PUBLIC_KEY, b"").strip() and not changed:
        return "it was signed by another key"
    with tempfile.TemporaryDirectory() as place:
        inside = Path(place) / "pack"
        inside.mkdir()
        for name, body in files.items():
            if name != SIGNATURE:
                (inside / name).write_bytes(body)
        (Path(place) / SIGNATURE).write_bytes(files[SIGNATURE])
        (Path(place) / PUBLIC_KEY).write_bytes(key)
        return refused(inside, Path(place) / SIGNATURE, Path(place) / PUBLIC_KEY)
