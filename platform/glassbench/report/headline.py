"""The first screen: verdict, gates, what matters most, and what was not audited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassbench.contracts.evidence import Finding, Measure, measure_from_json
from glassbench.contracts.measure_words import measure_words, scope_words
from glassbench.external.components import ROWS
from glassbench.printable import plural
from glassbench.report.numbers import measured, number
from glassbench.report.record import Record
from glassbench.report.treatments import treatment_lines
from glassbench.report.wording import TOO_FEW, audit_words, gate_words, opening, short, verdict_sentence
from glassbench.stats.grade import GRAVITY
from glassbench.stats.more_rows import MoreRows

MOST_FINDINGS = 5
_MOST_OF_ONE_AUDIT = 2
_SHOWN_MEASURES = 3
_LONGEST_ERROR = 300


@dataclass(frozen=True)
class GateLine:
    """A gate as one line of the first table.

    Args:
        words: The gate as a person would say it.
        values: What it was held against, the decisive measure first.
        verdict, reason: What it came to and why.
        more: How many more rows would settle it, in words, or None.
    """

    words: str
    values: tuple[str, ...]
    verdict: str
    reason: str
    more: str | None


@dataclass(frozen=True)
class Headline:
    """Everything above the contents.

    Args:
        name, run, subject, divided, verdict, sentence: The title block.
        decides: What the model is for, or what it decides of each row; empty where that is not known.
        judged: What gates speak of, in words.
        level: Confidence level of the gates' intervals, in words.
        gates: One line per gate.
        findings: The weightiest findings, each with the id of its evidence and its audit.
        omitted: What was not audited, and why.
        treatments: What was done while the data were read: action and words.
    """

    name: str
    run: str
    subject: str
    divided: str
    decides: str
    verdict: str
    sentence: str
    judged: str
    level: str
    gates: tuple[GateLine, ...]
    findings: tuple[tuple[Finding, str, str], ...]
    omitted: tuple[tuple[str, str, bool], ...]
    treatments: tuple[tuple[str, str], ...]


def gravity(finding: Finding) -> tuple[int, float]:
    """Return what findings are ordered by: the worst grade first, then the weightiest."""
    return -GRAVITY[finding.grade], -finding.weight


def alike(one: Finding, other: Finding) -> bool:
    """Whether two findings of an audit show the same picture, ask for the same and weigh alike, and so share a card."""
    own = one.between or other.between or one.chart is None
    return not own and (one.chart, one.next_step, one.grade) == (other.chart, other.next_step, other.grade)


def headline(record: Record, anchors: Mapping[str, str]) -> Headline:
    """Return the first screen of a run.

    Args:
        record: The run.
        anchors: Id of each audit's section.
    """
    gates = record.verdict.get("gates", [])
    return Headline(
        name=record.name,
        run=record.run,
        subject=subject_words(record),
        divided=divided_words(record),
        decides=decided_words(record),
        verdict=record.verdict.get("verdict", "not applicable"),
        sentence=verdict_sentence([gate["verdict"] for gate in gates], held_out_words(record), _failed_gates(gates))
        + failed_words(record)
        + concern_words(record)
        + accepted_words(record),
        judged=f"these {plural(record.unit)}" if record.data.get("rows", {}).get("test") else "what it was judged on",
        level=_level(gates),
        gates=tuple(gate_line(gate, record.unit) for gate in gates),
        findings=_weightiest(record, anchors),
        omitted=_omitted(record),
        treatments=treatment_lines([one for one in record.data.get("treatments", []) if one.get("action") != "cleaned"]),
    )


def subject_words(record: Record) -> str:
    """Return the model and how many rows it was given: "mlp, 442 patients"."""
    model = short(str((record.resolved.get("model") or {}).get("use", "no model")))
    rows = sum(count for count in record.data.get("rows", {}).values() if count)
    return f"{model}, {number(rows)} {plural(record.unit, rows)}" if rows else model


def decided_words(record: Record) -> str:
    """Return the purpose that the experiment states, else what the task decides of each row, as a sentence."""
    said = str((record.resolved.get("about") or {}).get("purpose") or record.provenance.get("decides") or "").strip()
    return f"{said[0].upper()}{said[1:]}{'' if said[-1] in '.!?' else '.'}" if said else ""


def _failed_gates(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the measures whose gates fail, in words, without their thresholds."""
    bare = {"at_least": None, "at_most": None, "no_worse_than": None}
    return [gate_words({**gate, **bare}) for gate in gates if gate["verdict"] == "fail"]


def divided_words(record: Record) -> str:
    """Return how rows were divided; of episodes how they were judged.

    For example "266 to learn from, 88 held out; divided at random, stratified by the target; seed 7".
    """
    counts, split = record.data.get("rows", {}), str(record.data.get("split") or "")
    if not counts.get("train"):
        return split
    said = {"train": "to learn from", "validation": "for validation", "test": "held out"}
    parts = [f"{number(counts[name])} {words}" for name, words in said.items() if counts.get(name)]
    seed = record.resolved.get("seed")
    how = f"divided {split}" if split else ""
    return "; ".join(filter(None, (", ".join(parts), how, f"seed {seed}" if seed is not None else "")))


def held_out_words(record: Record) -> str:
    """Return what the audits looked at: "89 held-out patients", or "89 patients" where nothing was learnt from others.

    External rows are called held out where the caller says so.
    """
    counts, dataset = record.data.get("rows", {}), record.resolved.get("dataset") or {}
    known = dataset.get("held_out") if dataset.get("use") == ROWS else counts.get("train")
    rows, held_out = counts.get("test"), "held-out " if known else ""
    return f"{number(rows)} {held_out}{plural(record.unit, rows)}" if rows else "what it was judged on"


def failed_words(record: Record) -> str:
    """Return which audits failed and so keep the run from passing, as a sentence; nothing where none did."""
    failed = record.verdict.get("failed_audits") or []
    if not failed:
        return ""
    return f" {len(failed)} {plural('audit', len(failed))} failed ({', '.join(map(str, failed))}), so the run does not pass."


def concern_words(record: Record) -> str:
    """Return which audits raise concerns, whatever the gates say, as a sentence; nothing where none does or nothing is gated."""
    raised = [audit_words(r.audit) for r in record.audits if any(finding.grade == "concern" for finding in r.findings)]
    if not record.verdict.get("gates") or not raised:
        return ""
    return f" {len(raised)} {plural('audit', len(raised))} raise{'s' if len(raised) == 1 else ''} concerns: {', '.join(raised)}."


def accepted_words(record: Record) -> str:
    """Return how many changes to the run's files were accepted, as a sentence; nothing where there were none."""
    count = sum(len(one["changes"]) for one in record.provenance.get("accepted_changes") or [])
    if not count:
        return ""
    return (
        f" Files were changed after the run wrote them, and the changes accepted ({count} {plural('change', count)}, see below)."
    )


def gate_line(gate: Mapping[str, Any], unit: str) -> GateLine:
    """Return a gate of `verdict.json` as a line of the first table."""
    compared = [measure_from_json(content) for content in gate.get("compared", [])]
    values = [_value(measure, gate, len(compared) > 1) for measure in compared[:_SHOWN_MEASURES]]
    if len(compared) > _SHOWN_MEASURES:
        values.append(f"and {len(compared) - _SHOWN_MEASURES} more")
    more = MoreRows(**gate["more_rows"]).words(plural(unit)) if gate.get("more_rows") else None
    return GateLine(gate_words(gate), tuple(values), gate["verdict"], str(gate.get("reason") or ""), more)


def _value(measure: Measure, gate: Mapping[str, Any], several: bool) -> str:
    text = measured(measure) if measure.unsupported is None else f"{measured(measure)} {TOO_FEW}"
    if gate.get("no_worse_than"):
        name = f"{measure_words(measure.name)} " if "*" in str(gate["measure"]) else ""
        return f"difference of {name}{scope_words(measure)}: {text}"
    told_apart = several or (measure.group and not gate.get("group"))
    return f"{scope_words(measure)}: {text}" if told_apart else text


def _level(gates: list[Mapping[str, Any]]) -> str:
    levels = {measure["level"] for gate in gates for measure in gate.get("compared", [])}
    return f"{100 * levels.pop():.3g} % interval" if len(levels) == 1 else "interval"


def _weightiest(record: Record, anchors: Mapping[str, str]) -> tuple[tuple[Finding, str, str], ...]:
    found = [
        (finding, f"{anchors[result.audit]}-finding-{place}", result.audit)
        for result in record.audits
        for place, finding in enumerate(result.findings, start=1)
        if finding.grade != "not applicable" and result.audit in anchors
    ]
    found.sort(key=lambda entry: gravity(entry[0]))
    found = [
        entry for place, entry in enumerate(found) if not any(e[2] == entry[2] and alike(e[0], entry[0]) for e in found[:place])
    ]
    # Good news of an audit that a card speaks of already is one more card that tells little.
    found = [entry for i, entry in enumerate(found) if entry[0].grade != "ok" or entry[2] not in {e[2] for e in found[:i]}]
    # One audit with much to say must not silence the others.
    first = [entry for i, entry in enumerate(found) if [e[2] for e in found[:i]].count(entry[2]) < _MOST_OF_ONE_AUDIT]
    kept = (first + [entry for entry in found if entry not in first])[:MOST_FINDINGS]
    return tuple(sorted(kept, key=lambda entry: gravity(entry[0])))


def _brief(error: str, audit: str) -> str:
    first, _, rest = error.strip().partition("\n")
    if not rest and len(first) <= _LONGEST_ERROR:
        return first
    return f"{first[:_LONGEST_ERROR]} … (in full in audits/{audit}/result.json)"


def _omitted(record: Record) -> tuple[tuple[str, str, bool], ...]:
    failed = [(audit_words(r.audit), _brief(str(r.error), r.audit), True) for r in record.audits if r.error]
    unfit = [(audit_words(r.audit), str(r.not_applicable), False) for r in record.audits if r.not_applicable and not r.error]
    parts = [
        (audit_words(r.audit), opening(finding.sentence, ends=";."), False)
        for r in record.audits
        for finding in r.findings
        if finding.grade == "not applicable"
    ]
    asked = [short(name) for name in record.resolved.get("audits") or {}]
    found = {result.audit for result in record.audits}
    missing = [(audit_words(name), "the run holds no result of it", True) for name in asked if name not in found]
    return tuple(failed + missing + unfit + parts + _nobody(record))


def _nobody(record: Record) -> list[tuple[str, str, bool]]:
    """Return that nothing is said of people, where the data name no groups of them."""
    if record.people_named:
        return []
    sensitive = record.schema.get("sensitive", [])
    compared = f"; compared by {' and '.join(sensitive)} instead" if sensitive else ""
    return [("People", f"no groups of people are named, so nothing is said of who is treated differently{compared}", False)]
