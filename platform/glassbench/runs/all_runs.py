"""Run folders side by side: create one, open one, find one by its name."""

import datetime
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from glassbench.errors import RunError, suggest
from glassbench.runs.drafts import draft_folder, sweep_drafts
from glassbench.runs.run_folder import RunFolder, _status_text
from glassbench.runs.seals import (
    STATUS,
)
from glassbench.runs.status import FORMAT
from glassbench.storage.files import sha256, storage, write_text
from glassbench.storage.plain_files import readable, refuse_strange


def new_run_id() -> str:
    """Return an id that sorts by time and that nobody else has."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{stamp}-{secrets.token_hex(3)}"


def create_run(
    root: Path, run: str, files: Mapping[str, str], audits: list[str], moved: Mapping[str, Path] | None = None
) -> RunFolder:
    """Create a run's folder with its first files and its plan done; it appears complete or not at all.

    Args:
        root: The folder of all runs.
        run: The run's id.
        files: Text of each first file by name.
        audits: Names of the audits, in order.
        moved: Files elsewhere under `root` that become the run's, by the name they get.
    """
    with storage(root):
        root.mkdir(parents=True, exist_ok=True)
        sweep_drafts(root)
        with draft_folder(root / f".{run}") as draft:
            for name, text in files.items():
                write_text(draft / name, text)
            for name, path in (moved or {}).items():
                os.replace(path, draft / name)
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            known = {name: sha256(draft / name) for name in (*files, *(moved or {}))}
            phases = {"plan": {"done": now, "seconds": 0.0, "files": [], "sha256": known}}
            status = {"run": run, "format": FORMAT, "audits": audits, "phases": phases, "going": {}, "sealed": False}
            write_text(draft / STATUS, _status_text(status))
            os.replace(draft, root / run)
    return RunFolder(root / run)


def run_names(root: Path) -> list[str]:
    """Return the names of the run folders under a folder, in order; links are passed over."""
    try:
        with os.scandir(root) as entries:
            folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        return sorted(path.name for path in folders if not path.name.startswith(".") and (path / STATUS).is_file())
    except OSError:
        return []


def open_run(path: Path) -> RunFolder:
    """Open an existing run's folder.

    Raises:
        RunError: It is none, is damaged, or is of a format this version does not read.
    """
    if not (path / STATUS).is_file():
        near = run_names(path.parent)
        raise RunError("this is no run folder", got=readable(str(path)), available=near[-10:], fix=suggest(path.name, near))
    folder = RunFolder(path.absolute())
    if folder.path.is_symlink():
        refuse_strange(folder.path)
    assert folder.status
    return folder


def find_run(name: str, root: Path) -> RunFolder:
    """Open the run that a folder, an id, the start of an id, or `latest` means."""
    if Path(name).is_dir():
        return open_run(Path(name))
    runs = run_names(root)
    matches = runs[-1:] if name == "latest" else [r for r in runs if r.startswith(name)]
    if len(matches) == 1:
        return open_run(root / matches[0])
    if not runs:
        fix = "name the folder of the runs (--runs), or make a run: glassbench run FILE"
        raise RunError(f"there are no runs under {root}", got=name, fix=fix)
    problem = "several runs start so" if matches else f"there is no such run under {root}"
    raise RunError(problem, got=name, available=matches or runs[-10:], fix=suggest(name, runs))
