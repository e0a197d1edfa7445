"""What a person sees first: findings with small pictures, gates with their intervals, every other audit in a line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from glassbench.contracts.evidence import AuditResult, Finding, measure_from_json
from glassbench.report.cleaning_section import CleaningSection, cleaning_section
from glassbench.report.glances import finding_glance, gate_glance
from glassbench.report.headline import GateLine, Headline, alike, gravity
from glassbench.report.questions import ASKED, Open, answer, answering, graded, question_of, trust_words, unanswered
from glassbench.report.record import Record
from glassbench.report.strips import Glance
from glassbench.report.wording import audit_words, opening, short

_ALSO = 2
"""The most other findings that a card says beside its own."""


@dataclass(frozen=True)
class Matter:
    """One of the weightiest findings.

    Args:
        finding: The finding.
        words: What it says in short; its picture has the numbers.
        anchor: Id of its evidence.
        audit: The audit's name as a heading.
        question: The question of a committee that the audit answers; empty where it is another.
        trust: How far an explanation can be trusted, where no card says so; else empty.
        glance: Its small picture, or None.
        also: What other findings of the audit say that have the same picture and the same next step.
        next_step: What to do, unless a finding before says the same.
    """

    finding: Finding
    words: str
    anchor: str
    audit: str
    question: str
    trust: str
    glance: Glance | None
    also: tuple[str, ...]
    next_step: str


@dataclass(frozen=True)
class Other:
    """An audit whose findings are not among the weightiest: its heading, its question, its grade, and its answer in short."""

    anchor: str
    audit: str
    question: str
    grade: str
    words: str


@dataclass(frozen=True)
class FirstScreen:
    """What stands above the sections, beside the headline.

    Args:
        gates: Gates, each with its small picture or None.
        matters: The weightiest findings.
        others: The other audits that have a finding.
        level: What stands in brackets behind a number, in words.
        open: Questions of a committee that no audit of the run answers.
        unasked: Audits that were available and not asked for.
        unfit: How many others there are, which are not about such rows.
        cleaning: What the experiment's cleaning did to the rows; None where there is none.
    """

    gates: tuple[tuple[GateLine, Glance | None], ...]
    matters: tuple[Matter, ...]
    others: tuple[Other, ...]
    level: str
    open: tuple[Open, ...]
    unasked: tuple[str, ...]
    unfit: int
    cleaning: CleaningSection | None


def first_screen(record: Record, head: Headline, anchors: Mapping[str, str], allowed: int) -> FirstScreen:
    """Return the first screen of a run.

    Args:
        record, head: The run and its headline.
        anchors: Id of each audit's section.
        allowed: Characters of base64 that an image may take.
    """
    results = {result.audit: result for result in record.audits}
    glances = _glances(head, results, allowed)
    matters = tuple(
        _matter(record, place, head, results[audit], glances[place]) for place, (_, _, audit) in enumerate(head.findings)
    )
    told = {audit for _, _, audit in head.findings}
    gates = record.verdict.get("gates", [])
    return FirstScreen(
        gates=tuple((line, _gate_picture(gate)) for line, gate in zip(head.gates, gates, strict=True)),
        matters=matters,
        others=_others(record, matters, told, anchors),
        level=_level(record.audits),
        open=unanswered(record),
        unasked=_unasked(record),
        unfit=record.provenance.get("audits_unfit", 0),
        cleaning=cleaning_section(record.provenance.get("cleaning")),
    )


def _matter(record: Record, place: int, head: Headline, result: AuditResult, glance: Glance | None) -> Matter:
    finding, anchor, _ = head.findings[place]
    shown = _shown(head, result.audit)
    told = [one for one in (_lead(shown, finding, result), finding) if one is not None]
    return Matter(
        finding=finding,
        words=opening(told[0].sentence),
        anchor=anchor,
        audit=_title(result),
        question=question_of(record, result, told[0]),
        trust=_trust(result, shown, finding),
        glance=glance,
        also=tuple(opening(one.sentence) for one in (*told[1:], *_alike(result, finding))),
        next_step=_unsaid(finding.next_step, [one.next_step for one, *_ in head.findings[:place]]),
    )


def _unsaid(step: str, before: Sequence[str]) -> str:
    """Return what a next step asks for beyond earlier ones: of several parts, those that none of them has."""
    said = {part for one in before for part in one.rstrip(".").split("; then ")}
    parts = [part for part in step.rstrip(".").split("; then ") if part not in said]
    return f"{'; then '.join(parts)}." if parts and step else ""


def _shown(head: Headline, audit: str) -> list[Finding]:
    return [one for one, _, of in head.findings if of == audit]


def _lead(shown: Sequence[Finding], finding: Finding, result: AuditResult) -> Finding | None:
    """Return what answers the question of a committee, said before a finding on its audit's first card; None where one does."""
    if finding is not shown[0] or any(one.answers for one in shown):
        return None
    return next(iter(answering(result.findings)), None)


def _alike(result: AuditResult, finding: Finding) -> list[Finding]:
    """Return the findings that share a finding's card."""
    return [one for one in result.findings if one is not finding and alike(one, finding)][:_ALSO]


def _glances(head: Headline, results: Mapping[str, AuditResult], allowed: int) -> list[Glance | None]:
    """Return the small picture of each card; a chart that an earlier card shows gives way to the finding's own measure."""
    glances: list[Glance | None] = []
    shown: dict[tuple[str, str], Glance] = {}
    for place, (finding, _, audit) in enumerate(head.findings):
        lead = _lead(_shown(head, audit), finding, results[audit])
        beside = [one.sentence for one in _alike(results[audit], finding)]
        whole = lead or replace(finding, sentence=" ".join([finding.sentence, *beside]))
        glance = finding_glance(whole, results[audit], f"first-{place}", allowed)
        before = None if glance is None else shown.get((audit, glance.title))
        if glance is not None and before is not None and glance.title == finding.chart and glance.strips == before.strips:
            glance = finding_glance(replace(finding, chart=None), results[audit], f"first-{place}", allowed)
        if glance is not None:
            shown[audit, glance.title] = glance
        glances.append(glance)
    return glances


def _title(result: AuditResult) -> str:
    """Return an audit's heading, of an explanation with how far it can be trusted."""
    return audit_words(result.audit) + (f" ({result.reliability})" if result.reliability else "")


def _level(results: Sequence[AuditResult]) -> str:
    levels = {m.level for result in results for m in result.measures if m.low is not None}
    return f"{100 * levels.pop():.3g} % intervals" if len(levels) == 1 else "intervals"


def _trust(result: AuditResult, shown: Sequence[Finding], finding: Finding) -> str:
    """Return how far an explanation can be trusted, on its first card, unless one of its cards says so."""
    if not result.reliability or finding is not shown[0] or any(result.reliability in opening(one.sentence) for one in shown):
        return ""
    return trust_words(result)


def _others(record: Record, matters: Sequence[Matter], told: set[str], anchors: Mapping[str, str]) -> tuple[Other, ...]:
    """Return the other audits, and what answers a question that no card does; answers to a committee's questions first."""
    results = [result for result in record.audits if result.audit in anchors]
    asked = {one.question for one in matters}
    found = list(_answers(record, [result for result in results if result.audit in told], anchors, asked))
    asked |= {one.question for one in found}
    for result in results:
        gravest = next(iter(graded(result)), None)
        question = question_of(record, result, gravest)
        words = answer(result, several=question == ASKED["data"])
        if result.audit in told or not words or not (gravest or question):
            continue
        words = f"{words}. {trust_words(result)}" if result.reliability else words
        found.append(Other(anchors[result.audit], _title(result), _unless(question, gravest, asked), result.grade, words))
    order = list(ASKED.values())
    return tuple(sorted(found, key=lambda one: order.index(one.question) if one.question in order else len(order)))


def _answers(record: Record, results: Sequence[AuditResult], anchors: Mapping[str, str], asked: set[str]) -> Iterator[Other]:
    """Yield the gravest answer to each question that no card answers, from audits with a card."""
    found = [(finding, result) for result in results for finding in answering(result.findings)]
    for finding, result in sorted(found, key=lambda one: gravity(one[0])):
        question = question_of(record, result, finding)
        if question not in asked:
            asked = {*asked, question}
            yield Other(anchors[result.audit], audit_words(result.audit), question, finding.grade, opening(finding.sentence))


def _unless(question: str, gravest: Finding | None, asked: set[str]) -> str:
    """Return a question that numbers alone would answer, unless a finding answers it."""
    return "" if gravest is None and question in asked else question


def _gate_picture(gate: Mapping[str, Any]) -> Glance | None:
    compared = [measure_from_json(content) for content in gate.get("compared", [])]
    return gate_glance(compared, gate.get("at_least"), gate.get("at_most"))


def _unasked(record: Record) -> tuple[str, ...]:
    asked = {short(name) for name in record.resolved.get("audits") or {}}
    return tuple(audit_words(name) for name in record.provenance.get("audits_available") or [] if name not in asked)
