"""What the run folder says, read once: the only thing a report is made from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from glassbench.errors import RunError
from glassbench.evidence import AuditResult
from glassbench.report.wording import short

_CHANGES_AFTER_REPORT = {"report.html", "summary.md", "junit.xml", "manifest.json", "status.json", "events.jsonl", "lock"}
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Record:
    """A run folder in memory; what a run has not written yet is empty.

    Args:
        folder: Where it was read from; never shown.
        resolved: The experiment with every setting in full.
        schema, data, provenance, verdict, phases: The JSON files of the same names.
        history: One mapping per line of `metrics.jsonl`.
        audits: Results in the order of the experiment.
    """

    folder: Path
    resolved: Mapping[str, Any]
    schema: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    verdict: Mapping[str, Any] = field(default_factory=dict)
    phases: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()
    audits: tuple[AuditResult, ...] = ()

    @property
    def name(self) -> str:
        """The experiment's name."""
        return str(self.resolved.get("name") or self.run)

    @property
    def run(self) -> str:
        """The run's id."""
        return str(self.provenance.get("run") or self.folder.name)

    @property
    def unit(self) -> str:
        """What one row is, in the singular."""
        return str(self.data.get("unit") or self.schema.get("unit") or "row")


def read_record(folder: Path) -> Record:
    """Read a run folder.

    Raises:
        RunError: The folder holds no resolved experiment, or a file in it cannot be read.
    """
    resolved = _resolved(folder)
    return Record(
        folder=folder,
        resolved=resolved,
        schema=_json(folder / "schema.json"),
        data=_json(folder / "data.json"),
        provenance=_json(folder / "provenance.json"),
        verdict=_json(folder / "verdict.json"),
        phases=_json(folder / "status.json").get("phases", {}),
        history=_lines(folder / "metrics.jsonl"),
        audits=_audits(folder / "audits", list(resolved.get("audits") or {})),
    )


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that the report rests on, by path within the folder.

    Files that a run still changes after its report (its status, its manifest) are left out.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    kept = {n: p for n, p in names.items() if n not in _CHANGES_AFTER_REPORT and not p.name.startswith(".")}
    return {name: _sha256(path) for name, path in kept.items()}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _resolved(folder: Path) -> Mapping[str, Any]:
    path = folder / "resolved.yaml"
    if not path.is_file():
        raise RunError("this is not a run folder", got=str(folder), fix="name a folder that holds resolved.yaml")
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise _damaged(path) from error


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise _damaged(path) from error


def _lines(path: Path) -> tuple[Mapping[str, Any], ...]:
    if not path.is_file():
        return ()
    try:
        return tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except ValueError as error:
        raise _damaged(path) from error


def _audits(folder: Path, order: list[str]) -> tuple[AuditResult, ...]:
    found = {path.parent.name: _audit(path) for path in sorted(folder.glob("*/result.json"))}
    known = [short(name) for name in order]
    names = [name for name in known if name in found] + [name for name in found if name not in known]
    return tuple(found[name] for name in names)


def _audit(path: Path) -> AuditResult:
    try:
        return AuditResult.from_json(_json(path))
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> RunError:
    return RunError(f"{path.name} cannot be read", got=str(path), fix="audit the run again: glassbench audit RUN")
