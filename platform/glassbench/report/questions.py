"""What a committee asks of a model, and which audit of a run answers it."""

from collections.abc import Iterable
from dataclasses import dataclass

from glassbench.contracts.evidence import AuditResult, Finding
from glassbench.contracts.measure_words import measure_words
from glassbench.printable import plural
from glassbench.report.headline import gravity
from glassbench.report.numbers import measured
from glassbench.report.record import Record
from glassbench.report.wording import audit_words, opening

ASKED = {
    "quality": "Is it good enough?",
    "differences": "Who is treated differently?",
    "reasons": "Why does it decide so?",
    "data": "Which problems do the data have?",
}
"""The questions in words, by what an audit says it answers (`AuditSpec.answers`), in the order in which they are put."""

_CONDITIONS = "Under which conditions is it worse?"
"""What comparing groups tells where they are conditions that nobody belongs to (`Schema.conditions`)."""

_SHOWN_MEASURES = 2
_MOST_WORDS = 3
_DESCRIBED = "; described only, with nothing to hold these numbers against"


@dataclass(frozen=True)
class Open:
    """A question that no audit of the run answers, and why."""

    question: str
    words: str


def question_of(record: Record, result: AuditResult, finding: Finding | None) -> str:
    """Return the question that a finding of an audit answers, in words; empty where it answers none of a committee's.

    Where no finding of the run says that it answers an audit's question, each of that audit's findings does.

    Args:
        record: The run.
        result: What the audit found.
        finding: One of its findings; None for its numbers.
    """
    own = str((record.provenance.get("questions") or {}).get(result.audit))
    says = finding is not None and any(one.answers == own for other in record.audits for one in other.findings)
    key = str(finding.answers) if finding is not None and (finding.answers or says) else own
    return differences_asked(record) if key == "differences" else ASKED.get(key, "")


def answering(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that answer a question of a committee, the gravest first."""
    return sorted((one for one in findings if one.answers and one.grade != "not applicable"), key=gravity)


def graded(result: AuditResult) -> list[Finding]:
    """Return the findings of an audit that have a grade: those that answer a question first, the gravest of them first."""
    found = [one for one in result.findings if one.grade != "not applicable"]
    return sorted(found, key=lambda one: (one.answers is None, *gravity(one)))


def differences_asked(record: Record) -> str:
    """Return what comparing the groups of a run tells, as a question."""
    return ASKED["differences"] if record.people_named else _CONDITIONS


def answer(result: AuditResult, several: bool) -> str:
    """Return what an audit found in one line: its gravest answer in short, else its first numbers.

    Args:
        result: What it found.
        several: Whether a few findings are said, the gravest first: of what data lack, one finding says little.
    """
    found = graded(result)
    if found:
        return "; ".join(dict.fromkeys(opening(finding.sentence) for finding in found[: _MOST_WORDS if several else 1]))
    overall = [m for m in result.measures if m.by is None and m.group is None and m.value is not None][:_SHOWN_MEASURES]
    if not overall:
        return ""
    return ", ".join(f"{measure_words(m.name)} {measured(m)}" for m in overall) + _DESCRIBED


def trust_words(result: AuditResult) -> str:
    """Return how far an explanation can be trusted, with what speaks most against it."""
    note = (result.reliability_note or "").partition(",")[0]
    return f"Can that be trusted? {result.reliability}{f'; {note}' if note else ''}"


def unanswered(record: Record) -> tuple[Open, ...]:
    """Return the questions that no audit of a run answers; none where the run does not record which audit answers what."""
    known = record.provenance.get("questions") or {}
    if not known:
        return ()
    told = {known.get(result.audit) for result in record.audits}
    available = record.provenance.get("audits_available") or []
    return tuple(
        Open(asked, _reason(record, [name for name in available if known.get(name) == key]))
        for key, asked in ASKED.items()
        if key not in told and (key != "differences" or record.people_named)
    )


def _reason(record: Record, available: list[str]) -> str:
    if not available:
        return f"not looked at; no audit that answers it can examine {plural(record.unit)}"
    asked = " and ".join(f"“{audit_words(name)}”" for name in available[:2])
    return f"not looked at; {asked} {'was' if len(available) == 1 else 'were'} not asked for"
