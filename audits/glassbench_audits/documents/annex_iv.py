"""The headings of Annex IV of the EU AI Act (Regulation (EU) 2024/1689) with what a run knows under each."""

from glassbench.contracts.evidence import AuditResult, Method, TextFile
from glassbench.contracts.exhibits import Table
from glassbench.contracts.measure_words import measure_words
from glassbench.contracts.subject import Subject
from glassbench_audits.documents.known import NOT_PROVIDED, Known, figure, filled
from glassbench_audits.documents.markdown import escaped, listed, table

FILE = "annex_iv.md"

Part = tuple[str, str | None]


def audit(subject: Subject) -> AuditResult:
    """Put what the run knows under the headings of Annex IV, and “not provided” under the others.

    Args:
        subject: What was examined.
    """
    if not subject.results:
        return AuditResult(method=_method(), not_applicable="no other audit found anything")
    known = Known(subject)
    parts = _parts(known)
    body = "\n\n".join(f"## {heading}\n\n{NOT_PROVIDED if text is None else text}" for heading, text in parts)
    first = "Evidence for a technical documentation. It is not one, and it claims no compliance with any law."
    document = f"# Annex IV evidence: {escaped(known.name)}\n\n{first} From {escaped(known.run)}.\n\n{body}\n"
    rows = tuple((heading, "evidence" if text is not None else "not provided") for heading, text in parts)
    note = f"The text is audits/annex-iv/{FILE}. No claim of compliance is made."
    return AuditResult(
        measures=(filled("annex-iv", parts),),
        tables=(Table(title="Headings of Annex IV", columns=("heading", "state"), rows=rows, note=note),),
        files=(TextFile(name=FILE, text=document),),
        method=_method(),
    )


def _parts(known: Known) -> list[Part]:
    """Return every heading with its evidence; most of what the Annex asks is for people to write."""
    groups = known.subject.schema.sensitive
    return [
        ("1 (a) Intended purpose, provider, version", _line(_joined(known.said("purpose"), known.said("owner")))),
        ("1 (b) Interaction with other hardware and software", None),
        ("1 (c) Versions of software", _line(known.versions)),
        ("1 (d) Forms in which it is placed on the market", None),
        ("1 (e) Hardware it runs on", _line(known.hardware and f"Measured here on: {known.hardware}")),
        ("1 (f) Photographs or illustrations of the product", None),
        ("1 (g) User interface", None),
        ("1 (h) Instructions for use", None),
        ("2 (a) Methods and steps of development, third-party parts", _line(_steps(known))),
        ("2 (b) Design: logic, choices, what is optimised", _line(f"Predicts {known.target}. Task: {known.task}.")),
        ("2 (c) Architecture and computing resources", _line(_joined(known.model, known.hardware))),
        ("2 (d) Data: provenance, scope, preparation", _line(_joined(known.data, known.fingerprint))),
        ("2 (e) Human oversight measures", None),
        ("2 (f) Changes determined beforehand", None),
        ("2 (g) Validation and testing: procedures, metrics, effects on groups", _metrics(known)),
        ("2 (h) Cybersecurity measures", None),
        ("3 Capabilities and limits of performance, by group where known", listed(known.sentences("ok", "concern"))),
        ("3 Degrees of accuracy for groups of persons", _by_group(known) if groups else None),
        ("3 Foreseeable unintended outcomes and sources of risk", listed(known.sentences("concern", "unclear"))),
        ("3 Specification of input data", _line(known.inputs and f"Inputs: {known.inputs}")),
        ("4 Appropriateness of the performance metrics", listed(known.cautions())),
        ("5 Risk management system", None),
        ("6 Changes through the lifecycle", _line(known.code)),
        ("7 Harmonised standards applied", None),
        ("8 EU declaration of conformity", None),
        ("9 Monitoring after placing on the market", None),
    ]


def _steps(known: Known) -> str | None:
    return _joined(known.model and f"Model: {known.model}", known.trainer and f"trainer: {known.trainer}", known.training)


def _joined(*texts: str | None) -> str | None:
    return "; ".join(text for text in texts if text) or None


def _line(text: str | None) -> str | None:
    return None if not text else escaped(text)


def _metrics(known: Known) -> str | None:
    rows = [(measure_words(name), figure(measure)) for name, measure in known.metrics()]
    audits = ", ".join(r.audit for r in known.subject.results if not r.error and not r.not_applicable)
    found = table(("metric", "value and interval"), rows)
    omitted = listed(f"Not examined: {text}" for text in known.omitted())
    return "\n\n".join(part for part in (f"Audits: {escaped(audits)}.", found, omitted) if part) if audits else None


def _by_group(known: Known) -> str | None:
    measured = [
        m for r in known.subject.results for m in r.measures if m.group is not None and m.name.endswith((".accuracy", "_error"))
    ]
    rows = [(" & ".join((m.group or {}).values()), m.name, figure(m)) for m in measured[:60]]
    return table(("group", "measure", "value and interval"), rows)


def _method() -> Method:
    return Method(
        summary=(
            "The headings of Annex IV were listed in order, with the facts and figures of this run under those it can say "
            "something about."
        ),
        references=("Regulation (EU) 2024/1689 (Artificial Intelligence Act), Annex IV: technical documentation",),
        cautions=(
            "No claim of compliance: whether the Act applies, and whether a documentation is complete, is for others to decide.",
            "Evidence under a heading is what a run knows of it, not all that the Annex asks there.",
        ),
    )
