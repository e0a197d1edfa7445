"""The form of `status.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from glassbench.errors import RunError

PHASES = ("plan", "fit", "predict", "audit", "report")
FORMAT = 3

_OUTPUTS = {
    "predict": ("predictions.parquet", "predictions.safetensors"),
    "audit": ("audits", "verdict.json"),
    "report": ("report.html", "summary.html", "summary.md", "junit.xml", "findings.sarif"),
}
"""What the phases after the training write, by the first part of its path."""

Phase = Literal["plan", "fit", "predict", "audit", "report"]


class PhaseRecord(TypedDict):
    """A phase that is done: when, in how many seconds, the files that must be there, and the SHA-256 of all that it left."""

    done: str
    seconds: float
    files: list[str]
    sha256: dict[str, str]


class Status(TypedDict):
    """A run's status; `glassbench.runs.seals` says what `going`, `sealed` and `seal` mean."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]

    run: str
    format: int
    audits: list[str]
    phases: dict[Phase, PhaseRecord]
    going: dict[str, str]
    sealed: bool
    seal: str


_FORM = TypeAdapter(Status)


def is_of_later(name: str, phase: str) -> bool:
    """Whether a file is written by a phase after `phase`; what is there of it already will be written again."""
    later = PHASES[PHASES.index(phase) + 1 :]
    return any(name.split("/")[0] in _OUTPUTS.get(other, ()) for other in later)


def checked_status(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the content of a `status.json` after making sure of its form.

    Raises:
        RunError: It is damaged or was written by another version.
    """
    version = content.get("format")
    if isinstance(version, int) and version != FORMAT:
        raise RunError(
            "the run was written by another version",
            where=str(path),
            got=f"format {str(version)[:40]}",
            available=[f"format {FORMAT}"],
            fix="open it with the version named in its provenance.json",
        )
    try:
        return dict(_FORM.validate_python(dict(content)))
    except ValidationError as error:
        first = error.errors()[0]
        got = f"{'.'.join(map(str, first['loc']))[:80]}: {first['msg']}"
        raise RunError("the run's status is damaged", where=str(path), got=got, fix="restore it, or start a new run") from error
