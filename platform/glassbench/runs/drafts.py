"""Hidden folders in which a run is put together before it appears, and what a kill leaves of them."""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from glassbench.errors import RunError
from glassbench.runs.seals import LOCK, STATUS
from glassbench.storage.files import is_temporary
from glassbench.storage.plain_files import inventory, open_plain

_DRAFT = re.compile(r"\.(\d{8}T\d{6}Z-[0-9a-f]{6}|frame-[0-9a-f]{12})")
_WRITTEN = {LOCK, STATUS} | {
    "experiment.yaml",
    "resolved.yaml",
    "provenance.json",
    "schema.json",
    "data.json",
    "encoder.json",
    "model.json",
    "data.parquet",
}


@contextlib.contextmanager
def draft_folder(path: Path) -> Iterator[Path]:
    """Make a hidden folder and hold its lock, by which `sweep_drafts` knows that a process still writes in it.

    What is left of it at the end, or when something is raised, is removed; move it to keep it.

    Args:
        path: Where, under a name that starts with a dot.

    Raises:
        OSError: It cannot be made.
    """
    path.mkdir()
    try:
        with open_plain(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep_drafts(root: Path) -> list[str]:
    """Remove the drafts that killed processes left in a folder of runs; return their names.

    A draft is removed when its name is one that the platform gives, its lock is there and no process holds it, and it holds
    nothing but files that the platform writes into drafts. Everything else stays.
    """
    try:
        with os.scandir(root) as entries:
            found = sorted(e.name for e in entries if _DRAFT.fullmatch(e.name) and e.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return [name for name in found if _swept(root / name)]


def _swept(draft: Path) -> bool:
    """Remove one draft, if it is the platform's and nobody's; the lock goes last, so that a kill leaves a draft again."""
    with contextlib.suppress(RunError, OSError), open_plain(draft / LOCK, os.O_RDWR) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        entries = inventory(draft)
        if any(e.folder or e.strange or not (e.name in _WRITTEN or is_temporary(e.path)) for e in entries):
            return False
        for entry in sorted(entries, key=lambda e: e.name == LOCK):
            entry.path.unlink()
        draft.rmdir()
        return True
    return False
