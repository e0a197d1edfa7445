"""What a run found as SARIF 2.1.0, which code hosts show beside the lines of the experiment file."""

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from glassbench.contracts.evidence import AuditResult, Finding
from glassbench.errors import ExperimentError
from glassbench.experiments.experiment_file import read_document
from glassbench.printable import one_line
from glassbench.report.headline import GateLine, gate_line
from glassbench.report.record import Record, read_record

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_FILE = "experiment.yaml"
_GATE_LEVELS = {"pass": "none", "fail": "error"}
_FINDING_LEVELS = {"concern": "warning", "unclear": "note", "ok": "none"}
_KINDS = {"none": "pass", "error": "fail", "warning": "fail", "note": "fail"}


def render_sarif(folder: Path) -> str:
    """Return the gates, the findings and the audits that failed as a SARIF 2.1.0 log.

    A gate that fails is an error, one whose evidence is insufficient a warning. A finding of concern is a warning, an unclear one
    a note. What is in order has the kind `pass` and the level `none`. Each result points at the line of the experiment file that
    asks for it; of an experiment from Python, at the first line of the run's copy.

    Raises:
        RunError: The folder is no run folder or a file in it cannot be read.
    """
    record = read_record(folder)
    lines = _Lines(record)
    results = [*_gates(record, lines), *_findings(record, lines)]
    rules = list(dict.fromkeys(result["ruleId"] for result in results))
    for result in results:
        result["ruleIndex"] = rules.index(result["ruleId"])
    driver = {
        "name": "Glassbench",
        "version": str(record.provenance.get("glassbench", "")),
        "rules": [{"id": rule, "shortDescription": {"text": _described(rule)}} for rule in rules],
    }
    run: dict[str, Any] = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    run["automationDetails"] = {"id": f"glassbench/{one_line(record.name)}/{record.run}"}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


class _Lines:
    """Where in the experiment file things are asked for.

    Args:
        record: The run.
    """

    def __init__(self, record: Record) -> None:
        self.path = _named_file(str(record.provenance.get("command") or ""))
        try:
            self._lines: Mapping[tuple[str | int, ...], int] = read_document(record.folder / _FILE).lines
        except ExperimentError:
            self._lines = {}

    def of(self, *keys: str | int) -> dict[str, Any]:
        """Return the location of a key, or of the nearest key around it."""
        place = next((self._lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self._lines), 1)
        where = {"artifactLocation": {"uri": self.path}, "region": {"startLine": place}}
        return {"physicalLocation": where}


def _named_file(command: str) -> str:
    """Return the experiment file that a command names below its folder; that of the run where it names none."""
    for word in shlex.split(command):
        path = PurePosixPath(word)
        below = not path.is_absolute() and ".." not in path.parts and not word.startswith("~")
        if path.suffix in (".yaml", ".yml") and below and "=" not in word:
            return quote(str(path))
    return _FILE


def _gates(record: Record, lines: _Lines) -> Iterator[dict[str, Any]]:
    for place, gate in enumerate(record.verdict.get("gates", [])):
        told = gate_line(gate, record.unit)
        level = _GATE_LEVELS.get(told.verdict, "warning")
        yield _result(f"gate/{gate['measure']}", level, _gate_words(told), lines.of("gates", place))


def _gate_words(gate: GateLine) -> str:
    parts = [f"{gate.words}: {gate.verdict}", "; ".join(gate.values), gate.reason]
    return ". ".join(part for part in parts if part)


def _findings(record: Record, lines: _Lines) -> Iterator[dict[str, Any]]:
    for result in record.audits:
        place = lines.of("audits", result.audit)
        if result.error:
            yield _result(f"audit/{result.audit}", "error", f"The audit failed: {result.error}", place)
        for finding in result.findings:
            if finding.grade in _FINDING_LEVELS:
                yield _result(_rule(result, finding), _FINDING_LEVELS[finding.grade], _words(finding), place)


def _rule(result: AuditResult, finding: Finding) -> str:
    return finding.measures[0] if finding.measures else result.audit


def _words(finding: Finding) -> str:
    return " ".join(part for part in (finding.sentence, finding.next_step) if part)


def _result(rule: str, level: str, text: str, location: Mapping[str, Any]) -> dict[str, Any]:
    words = one_line(text)
    return {
        "ruleId": one_line(rule),
        "kind": _KINDS[level],
        "level": level,
        "message": {"text": words},
        "locations": [location],
        "partialFingerprints": {"finding/v1": hashlib.sha256(f"{rule}\n{words}".encode()).hexdigest()},
    }


def _described(rule: str) -> str:
    if rule.startswith("gate/"):
        return f"A gate on {rule.removeprefix('gate/')}"
    return f"An audit that failed: {rule.removeprefix('audit/')}" if rule.startswith("audit/") else f"A finding on {rule}"
