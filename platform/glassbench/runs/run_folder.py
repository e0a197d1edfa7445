"""The run folder, which is the truth about a run."""

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.evidence_form import result_from_json
from glassbench.errors import RunError, shorten
from glassbench.runs.seals import (
    EVENTS,
    LOCK,
    MANIFEST,
    STATUS,
    content_files,
    differences,
    read_manifest,
    recorded,
    seal_of,
    sealed_files,
)
from glassbench.runs.status import PHASES, checked_status, is_of_later
from glassbench.storage.files import is_temporary, json_text, parse_json, read_object, sha256, storage, understood, write_text
from glassbench.storage.plain_files import inventory, open_plain, read_plain, refuse_strange


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
        """Which phases are done, when, and what they left.

        Raises:
            RunError: The file is missing or damaged, or of another version.
        """
        return checked_status(read_object(self.path / STATUS), self.path / STATUS)

    def done(self, phase: str) -> bool:
        """Whether a phase has its completion record, and the files it left are still there."""
        record = self.status["phases"].get(phase)
        return record is not None and all((self.path / name).is_file() for name in record["files"])

    def complete(self, phase: str, seconds: float, files: Sequence[str] = ()) -> None:
        """Write a phase's completion record, with the files it left; what came after it has to be done again."""
        status = self._without(phase, keep=self.status["going"])
        before = recorded({**status, "going": {}})
        new = [e for e in content_files(self.path) if e.name not in status["going"] and not is_of_later(e.name, phase)]
        left = {entry.name: sha256(entry.path) for entry in new if entry.name in files or entry.name not in before}
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        record = {"done": now, "seconds": round(seconds, 3), "files": list(files), "sha256": status["going"] | left}
        status["phases"][phase] = record
        self.log("phase done", phase=phase)
        self._write_status({**status, "going": {}})

    def keep(self, *names: str) -> None:
        """Record files of the phase that is going on as finished."""
        status = self.status
        self._write_status({**status, "going": status["going"] | {name: sha256(self.path / name) for name in names}})

    def kept(self, name: str) -> bool:
        """Whether a file is recorded as finished, and is there."""
        return name in recorded(self.status) and (self.path / name).is_file()

    def write(self, name: str, content: Any) -> None:
        """Write a JSON file that an earlier phase left already; whenever this is interrupted, the file is as recorded."""
        text, status = json_text(content), self.status
        going = status["going"] | {name: hashlib.sha256(text.encode()).hexdigest()}
        self._write_status({**status, "going": going})
        write_text(self.path / name, text)

    def reopen(self, phase: str, keep: Sequence[str] = ()) -> None:
        """Take back the completion record of a phase and of all after it; what the files to `keep` hold stays recorded."""
        known = recorded(self.status)
        self._write_status(self._without(phase, {name: known[name] for name in keep if name in known}))

    def _without(self, phase: str, keep: Mapping[str, str]) -> dict[str, Any]:
        status = self.status
        before = PHASES[: PHASES.index(phase)]
        phases = {name: record for name, record in status["phases"].items() if name in before}
        earlier, known = recorded({**status, "phases": phases, "going": {}}), recorded(status)
        written_again = {name: known[name] for name in earlier if known[name] != earlier[name]}
        return {**status, "phases": phases, "going": {**written_again, **keep}, "sealed": False}

    def unseal(self) -> None:
        """Say that the run is worked on again."""
        self._write_status({**self.status, "sealed": False})

    def _write_status(self, status: Mapping[str, Any]) -> None:
        write_text(self.path / STATUS, _status_text(status))

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
        append_line(self.path / EVENTS, {"time": now, "event": event, **facts})

    def history(self) -> list[dict[str, Any]]:
        """Return the training history, one record per step, in order; a torn line is left aside.

        Raises:
            RunError: A line holds something else.
        """
        path = self.path / "metrics.jsonl"
        records: dict[int, dict[str, Any]] = {}
        for line in read_lines(path):
            if "step" in line:
                _check_record(line, path)
                records[line["step"]] = line
        return [records[step] for step in sorted(records)]

    def results(self) -> list[AuditResult]:
        """Return the audits' results, in the order the experiment names them."""
        found = {p.parent.name: read_result(p) for p in self.path.glob("audits/*/result.json")}
        asked = self.status["audits"]
        return [found[name] for name in sorted(found, key=lambda n: (asked.index(n) if n in asked else len(asked), n))]

    def reopen_audits(self, audits: Collection[str]) -> None:
        """Take back the phase of the audits, and remove what some of them wrote; what anyone else put beside it stays."""
        known = [name for name in recorded(self.status) if name.startswith("audits/")]
        again = [name for name in known if name.split("/")[1] in audits]
        self.reopen("audit", keep=[name for name in known if name not in again])
        for name in again:
            (self.path / name).unlink(missing_ok=True)

    def seal(self) -> None:
        """Write the manifest, the SHA-256 of every file of the run, and say that the run is done."""
        status = _status_text({**self.status, "sealed": True})
        known = recorded(self.status)
        left = {entry.name: known.get(entry.name) or sha256(entry.path) for entry in sealed_files(self.path)}
        left[STATUS] = hashlib.sha256(status.encode()).hexdigest()
        write_text(self.path / MANIFEST, json_text({"files": dict(sorted(left.items()))}))
        write_text(self.path / STATUS, status)

    def manifest(self) -> dict[str, str]:
        """Return the SHA-256 of each file as the manifest records it."""
        return read_manifest(self.path)

    def damage(self) -> list[str]:
        """Compare the files with what is recorded; return one line for each that changed, is missing or was added.

        Of a run that is not done, only what is recorded so far is compared.
        """
        return differences(self.path, self.status)

    def confirm(self) -> None:
        """Make sure that the files are as they were written; lost ones that `glassbench resume` makes again do not count.

        Raises:
            RunError: A file changed, is missing, was added, or is no plain file.
        """
        refuse_strange(self.path)
        made = {f"missing: {name}" for record in self.status["phases"].values() for name in record["files"]}
        damage = [line for line in self.damage() if line not in made]
        if damage:
            raise RunError(
                "the run's files are not as they were written",
                where=str(self.path),
                got=shorten(damage, 5),
                fix=f"restore them, or `glassbench resume {self.run} --accept-changes`, which says so in the report",
            )

    def accept_changes(self) -> None:
        """Record the files as they are now, and in `provenance.json` that they were changed.

        Raises:
            RunError: Something is no plain file, or status or provenance cannot be read; that cannot be accepted.
        """
        refuse_strange(self.path)
        try:
            damage = self.damage()
        except RunError as error:
            damage = [error.problem]
        if not damage:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        path = self.path / "provenance.json"
        provenance = read_object(path)
        with understood(path):
            told = [*provenance.get("accepted_changes", []), {"when": now, "changes": damage}]
        write_text(path, json_text({**provenance, "accepted_changes": told}))
        self._record_as_it_is()
        self.log("changes accepted", changes=damage)

    def _record_as_it_is(self) -> None:
        """Record what the files of the finished phases hold now; a phase that lost one has to be done again."""
        status = self.status
        present = {entry.name: entry.path for entry in content_files(self.path)}
        phases = {}
        for phase, record in status["phases"].items():
            if any(name not in present for name in record["files"]):
                break
            phases[phase] = {**record, "sha256": {n: sha256(present[n]) for n in record["sha256"] if n in present}}
        going = {name: sha256(present[name]) for name in status["going"] if name in present}
        self._write_status({**status, "phases": phases, "going": going, "sealed": False})
        if (self.path / LOCK).is_file():
            os.truncate(self.path / LOCK, 0)

    def sweep(self) -> None:
        """Remove temporary files that a kill left behind; what anyone else put there stays."""
        for entry in inventory(self.path):
            if not entry.folder and not entry.strange and is_temporary(entry.path):
                entry.path.unlink()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run alone; the lock falls with the process, however it ends.

        Raises:
            RunError: Another process works on this run, or something in its folder is no plain file.
        """
        refuse_strange(self.path)
        with storage(self.path / LOCK), open_plain(self.path / LOCK, os.O_RDWR | os.O_CREAT) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError("another process works on this run", where=str(self.path), fix="wait until it is done") from error
            yield


def _status_text(status: Mapping[str, Any]) -> str:
    return json_text({**status, "seal": seal_of(status)})


def _check_record(record: Mapping[str, Any], path: Path) -> None:
    plain = all(value is None or isinstance(value, int | float | str) for value in record.values())
    if not plain or not isinstance(record["step"], int):
        raise RunError("the training history is damaged", where=str(path), got=str(record)[:200], fix="restore the file")


def read_result(path: Path) -> AuditResult:
    """Read an audit's result.

    Raises:
        RunError: The file is missing, damaged, or of another version.
    """
    with understood(path, fix="`glassbench audit` the run again"):
        return result_from_json(read_object(path))


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one JSON line in a single write; a line that a kill tore before it is ended first."""
    line = json.dumps(record, allow_nan=True) + "\n"
    with storage(path), open_plain(path, os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        file.write(("\n" * torn + line).encode())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; a line torn by a kill is left aside, for the work behind it is done again.

    Raises:
        RunError: The file cannot be read, or a line holds something else than an object.
    """
    if not os.path.lexists(path):
        return []
    records = []
    with understood(path):
        text = read_plain(path).decode("utf-8")
    for line in text.split("\n"):
        with contextlib.suppress(ValueError):
            records.append(parse_json(line, finite=False))
    if not all(isinstance(record, dict) for record in records):
        raise RunError(f"{path.name} is damaged", where=str(path), got="a line that is no object", fix="restore the file")
    return records
