"""What the summary says, every text cut to its room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassbench.printable import plural
from glassbench.report.cleaning_section import cleaning_sentences
from glassbench.report.headline import Headline, divided_words, gravity, headline
from glassbench.report.numbers import number
from glassbench.report.questions import ASKED, differences_asked, unanswered
from glassbench.report.record import Record
from glassbench.report.summary.brief import brief, brief_list
from glassbench.report.summary.figures import (
    Comparison,
    Difference,
    Drivers,
    compared,
    comparisons,
    differences,
    drivers,
    gate_line,
    spoken,
)
from glassbench.report.summary.plain_words import GATE_WORDS, VERDICT_WORDS, Outcome
from glassbench.report.templating import slugs
from glassbench.report.training_section import mitigation_lines
from glassbench.report.wording import audit_words, opening
from glassbench.rows.group_order import in_group_order

_GATES, _OMITTED = 4, 3
_LINE, _TEXT = 105, 225


@dataclass(frozen=True)
class Gate:
    """A gate as one line: what was asked, what was measured, what it came to."""

    words: str
    value: str
    outcome: str
    verdict: str


@dataclass(frozen=True)
class Summary:
    """Two pages of it.

    Args:
        name, run, verdict, meaning: The title block.
        about: Purpose, owner, limits and contacts: heading and words; words say where nothing was said.
        gates, more_gates: The gates, and how many are not shown.
        comparisons: Performance beside a simple rule.
        asked: What comparing groups tells, as a question.
        differences: The gaps between groups that answer it.
        compared: What to say of groups where no difference is shown, or beside them.
        drivers: Why it decides so; None where nothing explains it.
        unknown: What is not known, and what else raises concern.
        data: What was learnt and tested on: heading and words.
        omitted: What was not audited: name and reason.
        steps: What to do next.
        record: Run id, commit, seed and the like: heading and words.
    """

    name: str
    run: str
    verdict: str
    meaning: str
    about: tuple[tuple[str, str], ...]
    gates: tuple[Gate, ...]
    more_gates: int
    comparisons: tuple[Comparison, ...]
    asked: str
    differences: tuple[Difference, ...]
    compared: str
    drivers: Drivers | None
    unknown: tuple[str, ...]
    data: tuple[tuple[str, str], ...]
    omitted: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    record: tuple[tuple[str, str], ...]


def summary(record: Record) -> Summary:
    """Return the summary of a run."""
    head = headline(record, slugs((result.audit for result in record.audits), "audit"))
    outcome = Outcome.of(record.schema.get("target") or {})
    found, why = differences(record.audits, outcome), drivers(record.audits)
    about = record.resolved.get("about") or {}
    return Summary(
        name=brief(record.name, 60),
        run=brief(record.run, 40),
        verdict=head.verdict,
        meaning=VERDICT_WORDS.get(head.verdict, ""),
        about=_about(about),
        gates=tuple(_gate(gate, outcome) for gate in record.verdict.get("gates", [])[:_GATES]),
        more_gates=max(0, len(head.gates) - _GATES),
        comparisons=comparisons(record.audits, outcome),
        asked=differences_asked(record) if record.schema.get("sensitive") else ASKED["differences"],
        differences=found,
        compared=_compared(record, found),
        drivers=why,
        unknown=_unknown(record, found),
        data=_data(record, head),
        omitted=_omitted(record, head),
        steps=_steps(record, head, found, why, outcome),
        record=_record(record),
    )


def _omitted(record: Record, head: Headline) -> tuple[tuple[str, str], ...]:
    """Return what was not audited, questions that nothing answers first."""
    lines = [(one.question, one.words) for one in unanswered(record)] + [(name, reason) for name, reason, _ in head.omitted]
    shown = tuple((brief(name, 34), brief(reason, _LINE)) for name, reason in lines[:_OMITTED])
    return (*shown, (f"{len(lines) - _OMITTED} more", "see the full report")) if len(lines) > _OMITTED else shown


def _gate(gate: Mapping[str, Any], outcome: Outcome) -> Gate:
    words, value = gate_line(gate, outcome)
    verdict = str(gate["verdict"])
    return Gate(brief(spoken(words), 96), brief(value, 44), GATE_WORDS.get(verdict, brief(verdict, 20)), verdict)


def _about(about: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    contacts = "; ".join(map(str, about.get("contacts") or ()))
    said = (
        ("Purpose", brief(str(about.get("purpose") or ""), _TEXT)),
        ("Limits", brief(str(about.get("limits") or ""), _TEXT)),
        ("Owner", brief(str(about.get("owner") or ""), 110)),
        ("Contacts", brief(contacts, 110)),
    )
    return tuple((heading, words or "Not stated.") for heading, words in said)


def _compared(record: Record, found: Sequence[Difference]) -> str:
    features = [str(name) for name in record.schema.get("sensitive") or ()]
    if not features:
        return "No groups were compared, because the data name no feature such as sex or age to compare them by."
    named = brief(spoken(", ".join(features)), 90)
    if any(m.by and m.group for result in record.audits for m in result.measures):
        others = "The gravest results are shown. " if found else "No gap between groups was found that needs a picture. "
        return f"Groups were compared by: {named}. {others}All are in the full report."
    return f"The data name {named}, but no audit compared these groups."


def _unknown(record: Record, found: Sequence[Difference]) -> tuple[str, ...]:
    """Return what is unsettled, in one line, and what else raises concern, in the words of its audit."""
    graded = {result.audit: [finding.grade for finding in result.findings] for result in record.audits}
    unclear = [f"{audit_words(name)} ({grades.count('unclear')})" for name, grades in graded.items() if "unclear" in grades]
    lines = [f"Some points could not be settled with so few cases or tests: {brief(', '.join(unclear), 120)}."] if unclear else []
    if any(gap.grade == "unclear" for gap in found):
        lines.append("Some gaps between groups may be real or may be chance. More cases would tell.")
    lines.append("The model was tested on data from one source. It may do worse in other places or at other times.")
    concerns = [
        finding
        for result in record.audits
        for finding in result.findings
        if finding.grade == "concern" and compared(finding, result.measures) is None
    ]
    others = list(dict.fromkeys(f"Concern: {opening(finding.sentence)}." for finding in sorted(concerns, key=gravity)))
    return (*lines, *brief_list(others, 2, 140))


def _data(record: Record, head: Headline) -> tuple[tuple[str, str], ...]:
    target, counts = record.schema.get("target") or {}, record.data.get("groups") or {}
    tested = {name: splits.get("test") or {} for name, splits in counts.items()}
    ordered = {name: {group: found[group] for group in in_group_order(found)} for name, found in tested.items()}
    groups = "; ".join(f"{spoken(name)}: {_counts(found)}" for name, found in ordered.items() if found)
    classes = (record.data.get("target") or {}).get("test") or {}
    spread = f" ({_counts(classes)} in the test)" if classes and target.get("kind") == "class" else ""
    rows = (record.data.get("rows") or {}).get("test")
    mended = "; ".join(f"{one.name} ({one.when} training)" for one in mitigation_lines(record))
    treated = "; ".join(words for _, words in head.treatments) or "no rows or columns were left out"
    said = (
        ("Source", brief(str(record.data.get("source") or "not recorded"), _LINE)),
        ("Cases", brief(divided_words(record) or f"{number(rows)} {plural(record.unit)} tested", _LINE)),
        ("Answer", brief(f"{target['name']}{spread}", _LINE) if target.get("name") else ""),
        ("Groups tested", brief(groups, 150)),
        ("Treatment", brief(treated, 150)),
        ("Cleaning", brief(" ".join(cleaning_sentences(record.provenance.get("cleaning"))), 150)),
        ("Mitigation", brief(mended, 105)),
    )
    return tuple((heading, words) for heading, words in said if words)


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number(n)}" for name, n in found.items())


def _steps(record: Record, head: Headline, found: Sequence[Difference], why: Drivers | None, outcome: Outcome) -> tuple[str, ...]:
    gates = [_gate(gate, outcome).words for gate in record.verdict.get("gates", [])]
    judged = list(zip(gates, head.gates, strict=True))
    steps = [f"Do not use the model until this test is met: {words}." for words, gate in judged if gate.verdict == "fail"]
    steps += [
        f"Test more {brief(plural(record.unit), 24)}, to settle this test: {words}{f' ({gate.more})' if gate.more else ''}."
        for words, gate in judged
        if gate.verdict == "insufficient evidence"
    ]
    findings = sorted((finding for result in record.audits for finding in result.findings), key=gravity)
    steps += [spoken(finding.next_step) for finding in findings if finding.grade == "concern" and finding.next_step]
    grave = [gap.title for gap in found if gap.grade == "concern"]
    steps += [f"Find the cause of this gap, and decide if it can be accepted: {title}." for title in grave]
    steps += ["Do not explain single decisions to people with this list."] if why is not None and why.grade != "ok" else []
    failed = [audit_words(name) for name, _, broke in head.omitted if broke]
    steps += [f"Run again what failed: {', '.join(dict.fromkeys(failed))}."] if failed else []
    about = record.resolved.get("about") or {}
    lacking = [name for name in ("purpose", "owner", "limits") if not about.get(name)]
    steps += [f"Write down the {' and the '.join(lacking)} of this model, under “about” in the experiment."] if lacking else []
    return (*brief_list(list(dict.fromkeys(steps)), 3, 170), "Read the full report before you sign.")


def _record(record: Record) -> tuple[tuple[str, str], ...]:
    provenance = record.provenance
    code = provenance.get("code") or {}
    changed = ", with open changes" if code.get("dirty") else ""
    commit = f"commit {str(code['commit'])[:12]}{changed}" if code.get("commit") else "not under version control"
    return (
        ("Run", brief(record.run, 40)),
        ("Made", brief(str(provenance.get("created") or "not recorded"), 40)),
        ("Code", brief(commit, 60)),
        ("Seed", brief(str(record.resolved.get("seed", provenance.get("seed", "not recorded"))), 20)),
        ("Model", brief(str((record.resolved.get("model") or {}).get("use") or "none"), 50)),
        ("Data", f"SHA-256 {brief(str(record.data.get('fingerprint') or 'not recorded')[:16], 30)}"),
    )
