"""What a person sees first: findings with small pictures, gates with their intervals, every other audit in a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassbench.contracts.evidence import AuditResult, Finding, measure_from_json
from glassbench.report.glances import finding_glance, gate_glance
from glassbench.report.headline import GateLine, Headline, alike, gravity
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
        glance: Its small picture, or None.
        also: What other findings of the audit say that have the same picture and the same next step.
        next_step: What to do, unless a finding before says the same.
    """

    finding: Finding
    words: str
    anchor: str
    audit: str
    glance: Glance | None
    also: tuple[str, ...]
    next_step: str


@dataclass(frozen=True)
class Other:
    """An audit whose findings are not among the weightiest: its heading, its grade, and its answer in short."""

    anchor: str
    audit: str
    grade: str
    words: str


@dataclass(frozen=True)
class FirstScreen:
    """What stands above the sections, beside the headline.

    Args:
        gates: Gates, each with its small picture or None.
        matters: The weightiest findings.
        others: The other audits that have a finding.
        unasked: Audits that were available and not asked for.
        unfit: How many others there are, which are not about such rows.
    """

    gates: tuple[tuple[GateLine, Glance | None], ...]
    matters: tuple[Matter, ...]
    others: tuple[Other, ...]
    unasked: tuple[str, ...]
    unfit: int


def first_screen(record: Record, head: Headline, anchors: Mapping[str, str], allowed: int) -> FirstScreen:
    """Return the first screen of a run.

    Args:
        record, head: The run and its headline.
        anchors: Id of each audit's section.
        allowed: Characters of base64 that an image may take.
    """
    results = {result.audit: result for result in record.audits}
    matters = tuple(
        _matter(finding, anchor, results[audit], f"first-{place}", allowed, [before for before, *_ in head.findings[:place]])
        for place, (finding, anchor, audit) in enumerate(head.findings)
    )
    told = {audit for _, _, audit in head.findings}
    gates = record.verdict.get("gates", [])
    return FirstScreen(
        gates=tuple((line, _gate_picture(gate)) for line, gate in zip(head.gates, gates, strict=True)),
        matters=matters,
        others=tuple(_others([r for r in record.audits if r.audit not in told and r.audit in anchors], anchors)),
        unasked=_unasked(record),
        unfit=record.provenance.get("audits_unfit", 0),
    )


def _matter(finding: Finding, anchor: str, result: AuditResult, uid: str, allowed: int, before: Sequence[Finding]) -> Matter:
    said = finding.next_step in [one.next_step for one in before]
    return Matter(
        finding=finding,
        words=opening(finding.sentence),
        anchor=anchor,
        audit=_title(result),
        glance=finding_glance(finding, result, uid, allowed),
        also=tuple(opening(one.sentence) for one in result.findings if one is not finding and alike(one, finding))[:_ALSO],
        next_step="" if said else finding.next_step,
    )


def _title(result: AuditResult) -> str:
    """Return an audit's heading, of an explanation with how far it can be trusted."""
    return audit_words(result.audit) + (f" ({result.reliability})" if result.reliability else "")


def _others(results: Sequence[AuditResult], anchors: Mapping[str, str]) -> list[Other]:
    found = []
    for result in results:
        graded = [finding for finding in result.findings if finding.grade != "not applicable"]
        if graded:
            words = opening(min(graded, key=gravity).sentence)
            found.append(Other(anchors[result.audit], _title(result), result.grade, words))
    return found


def _gate_picture(gate: Mapping[str, Any]) -> Glance | None:
    compared = [measure_from_json(content) for content in gate.get("compared", [])]
    return gate_glance(compared, gate.get("at_least"), gate.get("at_most"))


def _unasked(record: Record) -> tuple[str, ...]:
    asked = {short(name) for name in record.resolved.get("audits") or {}}
    return tuple(audit_words(name) for name in record.provenance.get("audits_available") or [] if name not in asked)
