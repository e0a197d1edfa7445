"""A run as a notebook shows it: its first screen."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

from markupsafe import Markup, escape

from glassbench.contracts.evidence import AuditResult
from glassbench.printable import printable
from glassbench.report.headline import gravity, headline
from glassbench.report.record import read_record
from glassbench.report.templating import slugs
from glassbench.report.wording import SYMBOLS, outcome_words

_FINDINGS = 3
_LONGEST = 400
_ITEM = Markup("<li><b>{}</b>: {}</li>")
_GATES = 20


def run_html(folder: Path) -> str:
    """Return the first screen of a finished run as a small piece of HTML: verdict, gates, what matters most.

    Raises:
        RunError: The folder is no run folder or a file in it cannot be read.
    """
    record = read_record(folder)
    head = headline(record, slugs((result.audit for result in record.audits), "audit"))
    gates = [(gate.words, "; ".join(gate.values), _verdict(gate.verdict)) for gate in head.gates[:_GATES]]
    parts = [
        Markup("<h4>{}: {}</h4><p>{} {}</p>").format(printable(head.name), _verdict(head.verdict), head.sentence, head.subject),
        _table(("gate", f"measured [{head.level}]", "verdict"), gates) if gates else "",
        _findings(record.audits, _FINDINGS),
        Markup("<p>Report: <code>{}</code></p>").format(printable(str(folder / "report.html"))),
    ]
    return str(Markup('<div class="glassbench-run">{}</div>').format(Markup("").join(parts)))


def worst_findings(results: Sequence[AuditResult], most: int = _FINDINGS) -> list[tuple[str, str]]:
    """Return the gravest findings that say something is wrong or not known, each with its grade."""
    found = [finding for result in results for finding in result.findings if finding.grade in ("concern", "unclear")]
    return [(finding.grade, finding.sentence) for finding in sorted(found, key=gravity)[:most]]


def _verdict(word: str) -> str:
    return f"{SYMBOLS.get(word, '')} {outcome_words(word)}".strip()


def _findings(results: Sequence[AuditResult], most: int) -> Markup:
    found = sorted((f for r in results for f in r.findings if f.grade != "not applicable"), key=gravity)[:most]
    items = Markup("").join(_ITEM.format(f.grade, shorten(f.sentence, _LONGEST, placeholder=" …")) for f in found)
    return Markup("<ul>{}</ul>").format(items) if items else Markup("")


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    top = Markup("").join(Markup('<th scope="col">{}</th>').format(head) for head in heads)
    lines = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(escape(cell)) for cell in row)) for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(top, lines)
