"""The verdict in the forms that other tools read: Markdown for a pull request, JUnit for a build."""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from glassbench.contracts.evidence import Finding
from glassbench.printable import one_line, printable
from glassbench.report.headline import GateLine, Headline, headline
from glassbench.report.record import Record, read_record
from glassbench.report.templating import slugs
from glassbench.report.wording import SYMBOLS, outcome_words

_SPECIAL = {
    **{ord(character): f"\\{character}" for character in "\\`*_{}[]<>#|!~"},
    ord("@"): "&#64;",
}
"""What Markdown reads as more than text; a name after an @ would be called."""

_ADDRESS = re.compile(r"(?<=www)\.|:(?=//)")
"""What makes a link of an address that stands by itself."""


def render_markdown(folder: Path) -> str:
    """Return a summary of a run for a pull request: verdict, gates, what matters most, what was not audited.

    Raises:
        RunError: The folder is no run folder or a file in it cannot be read.
    """
    head = _head(read_record(folder))
    title = f"## {SYMBOLS.get(head.verdict, '')} {_escaped(head.name)}: {outcome_words(head.verdict)}"
    blocks = [title, f"{_escaped(head.sentence)} {_escaped(head.subject)}, run `{head.run}`."]
    blocks += _gate_table(head.gates)
    findings = [_finding_line(finding) for finding, _, _ in head.findings]
    omitted = [f"- **{_escaped(name)}**: {_escaped(reason)}" for name, reason, _ in head.omitted]
    blocks += ["\n".join(["### What matters most", "", *findings])] if findings else []
    blocks += ["\n".join(["### Not audited", "", *omitted])] if omitted else []
    done = [f"- {_escaped(words)}" for _, words in head.treatments]
    blocks += ["\n".join(["### How the data were read", "", *done])] if done else []
    return "\n\n".join(blocks) + "\n"


def render_junit(folder: Path) -> str:
    """Return the verdict as JUnit XML: a test case per gate, and one per audit that failed.

    A gate that fails is a failure. One whose evidence is insufficient is an error, so that no build takes it for a pass; so is an
    audit that broke, unless the experiment allows it. Without gates the suite is empty.

    Raises:
        RunError: The folder is no run folder or a file in it cannot be read.
    """
    record = read_record(folder)
    head = _head(record)
    broken = [result for result in record.audits if result.error]
    failures = sum(gate.verdict == "fail" for gate in head.gates)
    allowed = bool(record.resolved.get("allow_failed"))
    errors = sum(gate.verdict not in ("pass", "fail") for gate in head.gates) + (0 if allowed else len(broken))
    counts = {"tests": len(head.gates) + len(broken), "failures": failures, "errors": errors}
    counts |= {"skipped": len(broken)} if allowed and broken else {}
    suite = ET.Element("testsuite", {"name": printable(head.name), **{name: str(count) for name, count in counts.items()}})
    for gate in head.gates:
        _gate_case(suite, gate)
    for result in broken:
        case = ET.SubElement(suite, "testcase", {"classname": "audits", "name": printable(result.audit)})
        ET.SubElement(case, "skipped" if allowed else "error", {"type": "audit failed", "message": printable(str(result.error))})
    ET.indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suite, encoding="unicode")}\n'


def _head(record: Record) -> Headline:
    return headline(record, slugs((result.audit for result in record.audits), "audit"))


def _finding_line(finding: Finding) -> str:
    following = f" *Next:* {_escaped(finding.next_step)}" if finding.next_step else ""
    return f"- **{finding.grade}** {_escaped(finding.sentence)}{following}"


def _gate_table(gates: Sequence[GateLine]) -> list[str]:
    if not gates:
        return []
    rows = [
        f"| {_escaped(gate.words)} | {_escaped('; '.join(gate.values))} | {SYMBOLS.get(gate.verdict, '')} {gate.verdict} |"
        for gate in gates
    ]
    return ["\n".join(["| gate | measured | verdict |", "| --- | --- | --- |", *rows])]


def _gate_case(suite: ET.Element, gate: GateLine) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": "gates", "name": printable(gate.words)})
    message = printable(f"{'; '.join(gate.values)}: {gate.reason}".strip(": "))
    if gate.verdict == "fail":
        ET.SubElement(case, "failure", {"type": "gate", "message": message})
    elif gate.verdict != "pass":
        ET.SubElement(case, "error", {"type": gate.verdict, "message": message})


def _escaped(text: str) -> str:
    plain = one_line(text).translate(_SPECIAL)
    return _ADDRESS.sub(lambda found: f"&#{ord(found.group())};", plain)
