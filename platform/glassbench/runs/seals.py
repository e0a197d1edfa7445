"""What makes a change to a run's files visible: the SHA-256 of each, kept as soon as its phase is done.

While a run is worked on, `status.json` records the files of each finished phase (`sha256` of the phase) and what is finished of
the present one (`going`); `seal` is the SHA-256 of the rest of `status.json`. When all is done, `manifest.json` records every
file and `sealed` becomes true. A kill between any two writes leaves a folder that is as recorded.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassbench.errors import RunError
from glassbench.storage.files import is_temporary, json_text, read_object, sha256
from glassbench.storage.plain_files import Entry, inventory, readable

STATUS, MANIFEST, LOCK, EVENTS = "status.json", "manifest.json", "lock", "events.jsonl"
TRACKERS = "trackers"
"""The folder that trackers write to while the run is worked on."""
MONITORING = "monitoring"
"""The folder that monitoring writes to after the run is done."""

_CHANGING = {STATUS, MANIFEST, LOCK, EVENTS}


def seal_of(status: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a status without its own seal."""
    rest = {key: value for key, value in status.items() if key != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def recorded(status: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each file of the phases that are done and of what is finished of the present one, by name."""
    found: dict[str, str] = {}
    for record in status["phases"].values():
        found |= record["sha256"]
    found |= status["going"]
    return found


def content_files(folder: Path) -> list[Entry]:
    """Return the plain files that phases leave behind; what changes at any time, and temporary files, are not among them."""
    return [entry for entry in _plain_files(folder) if entry.name not in _CHANGING and not _of_no_phase(entry)]


def sealed_files(folder: Path) -> list[Entry]:
    """Return the files that the manifest records: what phases, trackers and monitoring left behind, and the log."""
    return [entry for entry in _plain_files(folder) if entry.name not in _CHANGING or entry.name == EVENTS]


def _of_no_phase(entry: Entry) -> bool:
    return entry.name.startswith((f"{TRACKERS}/", f"{MONITORING}/"))


def _plain_files(folder: Path) -> list[Entry]:
    plain = (entry for entry in inventory(folder) if not entry.folder and not entry.strange)
    return [entry for entry in plain if not is_temporary(entry.path)]


def read_manifest(folder: Path) -> dict[str, str]:
    """Return what the manifest records.

    Raises:
        RunError: It is missing, or not as it was written.
    """
    path = folder / MANIFEST
    content = read_object(path)
    files = content.get("files")
    plain = isinstance(files, dict) and all(isinstance(value, str) for value in files.values())
    if not plain or set(content) != {"files"} or json_text(content).encode() != path.read_bytes():
        raise RunError(
            "the manifest is damaged", where=str(path), fix="`glassbench report RUN --accept-changes` writes a new one"
        )
    return dict(content["files"])


def differences(folder: Path, status: Mapping[str, Any]) -> list[str]:
    """Return one line for each file that changed, is missing, was added, or is no plain file.

    Args:
        folder: The run's folder.
        status: Its status, read.
    """
    entries = inventory(folder)
    strange = [f"not a plain file: {readable(entry.name)} is {entry.strange}" for entry in entries if entry.strange]
    present = {entry.name: entry.path for entry in entries if not entry.folder and not entry.strange}
    own = ["changed: status.json"] if status.get("seal") != seal_of(status) else []
    if LOCK in present and present[LOCK].stat().st_size:
        own.append("changed: lock")
    return strange + own + (_of_sealed(folder, present) if status["sealed"] else _of_going(status, present))


def _of_sealed(folder: Path, present: Mapping[str, Path]) -> list[str]:
    if MANIFEST not in present:
        return ["missing: manifest.json"]
    expected = read_manifest(folder)
    found = {name: path for name, path in present.items() if name not in (MANIFEST, LOCK)}
    changed = [name for name, known in expected.items() if name in found and sha256(found[name]) != known]
    missing = [name for name in expected if name not in found]
    added = [name for name in found if name not in expected]
    return _lines(changed=changed, missing=missing, added=added)


def _of_going(status: Mapping[str, Any], present: Mapping[str, Path]) -> list[str]:
    before = recorded({**status, "going": {}})
    expected = recorded(status)
    found = {name: sha256(present[name]) for name in expected if name in present}
    changed = [name for name, known in expected.items() if name in found and found[name] not in (known, before.get(name))]
    return _lines(changed=changed, missing=[name for name in expected if name not in present], added=[])


def _lines(**names: list[str]) -> list[str]:
    return [f"{word}: {readable(name)}" for word, listed in names.items() for name in listed]
