"""What the run folder says, read once: the only thing a report is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.evidence_form import result_from_json
from glassbench.errors import ExperimentError, RunError
from glassbench.experiments.experiment_file import read_document
from glassbench.report.forms import FORMS, RESOLVED_FORM, STATUS_FORM
from glassbench.report.wording import short
from glassbench.runs.run_folder import read_lines
from glassbench.runs.seals import content_files
from glassbench.runs.verdict_form import read_verdict
from glassbench.storage.files import read_object, sha256, understood
from glassbench.storage.home_paths import without_home
from glassbench.storage.plain_files import readable, refuse_strange

_WRITTEN_LAST = {"report.html", "summary.html", "summary.md", "junit.xml", "findings.sarif"}


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
    def people_named(self) -> bool:
        """Whether the data name groups that people belong to; they may where the run does not say."""
        sensitive, conditions = (self.schema.get(name, []) for name in ("sensitive", "conditions"))
        return not self.schema or bool(set(sensitive) - set(conditions))

    @property
    def unit(self) -> str:
        """What one row is, in the singular."""
        return str(self.data.get("unit") or self.schema.get("unit") or "row")


def read_record(folder: Path) -> Record:
    """Read a run folder; paths below a home folder are written with `~`.

    Raises:
        RunError: The folder holds no resolved experiment, or a file in it cannot be read or is not of its form.
    """
    refuse_strange(folder)
    resolved = _resolved(folder)
    verdict = folder / "verdict.json"
    return Record(
        folder=folder,
        resolved=resolved,
        **{name: without_home(_form(folder / f"{name}.json", form)) for name, form in FORMS.items()},
        verdict=read_verdict(verdict) if verdict.is_file() else {},
        phases=_form(folder / "status.json", STATUS_FORM).get("phases", {}),
        history=tuple(read_lines(folder / "metrics.jsonl")),
        audits=_audits(folder / "audits", list(resolved.get("audits") or {})),
    )


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that the report rests on, by path within the folder.

    Files that a run still changes after its report (its status, its manifest) are left out.
    """
    return {entry.name: sha256(entry.path) for entry in content_files(folder) if entry.name not in _WRITTEN_LAST}


def _resolved(folder: Path) -> Mapping[str, Any]:
    path = folder / "resolved.yaml"
    if not path.is_file():
        raise RunError("this is not a run folder", got=readable(str(folder)), fix="name a folder that holds resolved.yaml")
    try:
        content = read_document(path).content
    except ExperimentError as error:
        raise RunError(f"{path.name} is damaged", where=str(path), got=error.got or error.problem) from error
    with understood(path):
        RESOLVED_FORM.validate_python(content)
    return dict(without_home(content))


def _form(path: Path, form: TypeAdapter[Any]) -> Mapping[str, Any]:
    """Return the content of a JSON file of a form; nothing where a run has not written it yet."""
    if not path.is_file():
        return {}
    content = read_object(path)
    with understood(path):
        form.validate_python(content)
    return content


def _audits(folder: Path, order: list[str]) -> tuple[AuditResult, ...]:
    found = {path.parent.name: _audit(path) for path in sorted(folder.glob("*/result.json"))}
    known = [short(name) for name in order]
    names = [name for name in known if name in found] + [name for name in found if name not in known]
    return tuple(found[name] for name in names)


def _audit(path: Path) -> AuditResult:
    with understood(path, fix="`glassbench audit` the run again"):
        return result_from_json(without_home(read_object(path)))
