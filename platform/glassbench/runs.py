"""The run folder, which is the truth about a run."""

import contextlib
import datetime
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from glassbench.errors import RunError, suggest
from glassbench.evidence import AuditResult
from glassbench.files import read_json, sha256, storage, write_json, write_text

PHASES = ("plan", "fit", "predict", "audit", "report")
FORMAT = 1


class RunFolder:
    """One run's files, by what they hold.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run(self) -> str:
        """The run's id, the folder's name."""
        return self.path.name

    @property
    def status(self) -> dict[str, Any]:
        """Which phases are done, and when.

        Raises:
            RunError: The file is missing or damaged.
        """
        status = read_json(self.path / "status.json")
        if not isinstance(status, dict) or not isinstance(status.get("phases"), dict):
            raise RunError("the run's status is damaged", where=str(self.path / "status.json"))
        return status

    def done(self, phase: str) -> bool:
        """Whether a phase has its completion record, and the files it left are still there."""
        record = self.status["phases"].get(phase)
        return record is not None and all((self.path / name).is_file() for name in record.get("files", ()))

    def complete(self, phase: str, seconds: float, files: Sequence[str] = ()) -> None:
        """Write a phase's completion record, with the files it left; what came after it has to be done again."""
        self.reopen(phase)
        status, now = self.status, datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        status["phases"][phase] = {"done": now, "seconds": round(seconds, 3), "files": list(files)}
        write_json(self.path / "status.json", status)
        self.log("phase done", phase=phase)

    def reopen(self, phase: str) -> None:
        """Take back the completion record of a phase and of all after it."""
        status = self.status
        kept = PHASES[: PHASES.index(phase)]
        status["phases"] = {name: record for name, record in status["phases"].items() if name in kept}
        write_json(self.path / "status.json", status)

    def require(self, phase: str) -> None:
        """Make sure that a phase is done.

        Raises:
            RunError: It is not; the run was stopped before.
        """
        if not self.done(phase):
            last = [name for name in PHASES if self.done(name)][-1:]
            raise RunError(
                "the run is not that far",
                where=str(self.path),
                got=f"done up to: {''.join(last) or 'nothing'}",
                fix=f"glassbench resume {self.run}",
            )

    def log(self, event: str, **facts: Any) -> None:
        """Append a line to `events.jsonl`."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        append_line(self.path / "events.jsonl", {"time": now, "event": event, **facts})

    def history(self) -> list[dict[str, Any]]:
        """Return the training history, one record per step, in order; a torn last line is left aside."""
        records = {record["step"]: record for record in read_lines(self.path / "metrics.jsonl") if "step" in record}
        return [records[step] for step in sorted(records)]

    def results(self) -> list[AuditResult]:
        """Return the audits' results, in the order the experiment names them."""
        found = {p.parent.name: read_result(p) for p in self.path.glob("audits/*/result.json")}
        asked = self.status.get("audits", [])
        return [found[name] for name in sorted(found, key=lambda n: (asked.index(n) if n in asked else len(asked), n))]

    def write_manifest(self) -> None:
        """Write the SHA-256 of every file of the run."""
        write_json(self.path / "manifest.json", {"files": {str(p.relative_to(self.path)): sha256(p) for p in self.files()}})

    def files(self) -> list[Path]:
        """Return every file the manifest speaks of, in order."""
        skipped = {"manifest.json", "lock", "events.jsonl"}
        found = (p for p in self.path.rglob("*") if p.is_file() and not p.is_symlink() and not p.name.startswith("."))
        return sorted(p for p in found if str(p.relative_to(self.path)) not in skipped)

    def damage(self) -> list[str]:
        """Compare the files with the manifest; return one line for each that changed, is missing or was added."""
        if not (self.path / "manifest.json").is_file():
            self.require("report")
        recorded = read_json(self.path / "manifest.json")
        if not isinstance(recorded, dict) or not isinstance(recorded.get("files"), dict):
            raise RunError("the manifest is damaged", where=str(self.path / "manifest.json"))
        recorded = recorded["files"]
        present = {str(p.relative_to(self.path)): sha256(p) for p in self.files()}
        changed = [f"changed: {name}" for name in recorded if name in present and present[name] != recorded[name]]
        missing = [f"missing: {name}" for name in recorded if name not in present]
        added = [f"added: {name}" for name in present if name not in recorded]
        return changed + missing + added

    def sweep(self) -> None:
        """Remove temporary files that a kill left behind."""
        for path in self.path.rglob(".*"):
            if path.is_file():
                path.unlink()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run alone; the lock falls with the process, however it ends.

        Raises:
            RunError: Another process works on this run.
        """
        with storage(self.path / "lock"), (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError("another process works on this run", where=str(self.path), fix="wait until it is done") from error
            yield


def read_result(path: Path) -> AuditResult:
    """Read an audit's result.

    Raises:
        RunError: The file is missing, damaged, or of another version.
    """
    try:
        return AuditResult.from_json(read_json(path))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        got = f"{type(error).__name__}: {error}"
        raise RunError(
            "an audit's result is damaged", where=str(path), got=got, fix="`glassbench audit` the run again"
        ) from error


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
    draft = root / f".{run}"
    with storage(root):
        root.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        try:
            for name, text in files.items():
                write_text(draft / name, text)
            for name, path in (moved or {}).items():
                os.replace(path, draft / name)
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            phases = {"plan": {"done": now, "seconds": 0.0}}
            write_json(draft / "status.json", {"run": run, "format": FORMAT, "audits": audits, "phases": phases})
            os.replace(draft, root / run)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return RunFolder(root / run)


def open_run(path: Path) -> RunFolder:
    """Open an existing run's folder.

    Raises:
        RunError: It is none, or of a format this version does not read.
    """
    if not (path / "status.json").is_file():
        near = sorted(p.parent.name for p in path.parent.glob("*/status.json")) if path.parent.is_dir() else []
        raise RunError("this is no run folder", got=str(path), available=near[-10:], fix=suggest(path.name, near))
    folder = RunFolder(path.absolute())
    if folder.status.get("format") != FORMAT:
        raise RunError(
            "the run was written by another version",
            got=f"format {folder.status.get('format')}",
            available=[f"format {FORMAT}"],
            fix="open it with the version named in its provenance.json",
        )
    return folder


def find_run(name: str, root: Path) -> RunFolder:
    """Open the run that a folder, an id, the start of an id, or `latest` means."""
    if Path(name).is_dir():
        return open_run(Path(name))
    runs = sorted(p.parent.name for p in root.glob("*/status.json"))
    matches = runs[-1:] if name == "latest" else [r for r in runs if r.startswith(name)]
    if len(matches) == 1:
        return open_run(root / matches[0])
    problem = "several runs start so" if matches else f"there is no such run under {root}"
    raise RunError(problem, got=name, available=matches or runs[-10:], fix=suggest(name, runs))


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one JSON line in a single write."""
    with storage(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, allow_nan=True) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; a line torn by a kill is left aside, for the work behind it is done again."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            records.append(json.loads(line))
    return records
