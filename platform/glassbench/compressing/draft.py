"""The folder of a compression under way: kept after a kill, taken up by the same request, moved into place when whole."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glassbench.errors import ExperimentError, GlassbenchError, RunError
from glassbench.storage.files import read_object, storage, write_json
from glassbench.storage.plain_files import open_plain

_REQUEST, _LOCK = "request.json", "lock"


@contextlib.contextmanager
def draft_of(place: Path, request: Mapping[str, Any]) -> Iterator[Path]:
    """Give a folder to work in, which becomes `place` when the work is done.

    After an error nothing is left. After a kill it is, and the same request goes on from there; another one begins anew.

    Args:
        place: The folder that is wanted, which must not exist.
        request: What is asked for, JSON values.

    Raises:
        ExperimentError: There is something at `place`.
        RunError: Another process is at work there.
    """
    if place.exists() or place.is_symlink():
        fix = "name another folder with --output"
        raise ExperimentError("the compressed models would replace what is there", where=str(place), fix=fix)
    draft = place.with_name(f".{place.name[:100]}.unfinished")
    with storage(draft):
        draft.mkdir(parents=True, exist_ok=True)
        with open_plain(draft / _LOCK, os.O_RDWR | os.O_CREAT) as file:
            _hold(file, draft)
            _begin(draft, request)
            try:
                yield draft
            except GlassbenchError:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            for name in (_REQUEST, _LOCK):
                (draft / name).unlink(missing_ok=True)
            draft.rename(place)


def _hold(file: Any, draft: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RunError("another process compresses into this folder", where=str(draft), fix="wait until it is done") from error


def _begin(draft: Path, request: Mapping[str, Any]) -> None:
    """Empty the folder unless the same was asked for there."""
    with contextlib.suppress(RunError):
        if read_object(draft / _REQUEST) == request:
            return
    for path in draft.iterdir():
        if path.name != _LOCK:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    write_json(draft / _REQUEST, dict(request))
