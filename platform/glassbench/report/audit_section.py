"""One audit's evidence as a section of the page; the same for built-in audits and anyone's."""

from collections.abc import Sequence
from dataclasses import dataclass

from glassbench.contracts.evidence import AuditResult, Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.measure_words import measure_words
from glassbench.printable import plural
from glassbench.report.cards import Card, card
from glassbench.report.facts import Fact, facts
from glassbench.report.figures import DrawnChart, Image, drawn_charts, images
from glassbench.report.grid import MOST_ROWS, Grid, grid, measure_table, without_empty
from glassbench.report.headline import gravity
from glassbench.report.numbers import measured
from glassbench.report.wording import audit_words
from glassbench.stats.grade import GRAVITY

_SHOWN_FINDINGS = 3
_FOLDED_FINDINGS = 5
"""Further findings behind the fold, the gravest; the others are in the result's file."""

_SHOWN_FIGURES = 4
_SHOWN_TABLES = 4
_NAMED_TABLES = 2
"""The most tables named that only the result file holds."""

_SHOWN_PICTURES = 6
"""Pictures behind the fold; those that a finding names come first."""
_RELIABILITY = {"reliable": "ok", "use with care": "unclear", "do not rely": "concern"}


@dataclass(frozen=True)
class FindingLine:
    """A finding with its id and the figures behind it in words."""

    finding: Finding
    anchor: str
    figures: tuple[str, ...]


@dataclass(frozen=True)
class AuditSection:
    """Everything the page says about one audit.

    Args:
        anchor, title, grade: Its heading.
        reliability: Word and the grade that colours it, or None.
        reliability_note: What speaks most against it, unless a finding says so.
        findings, minor: The gravest findings, and the others behind a fold.
        leading: The picture behind the gravest finding that has one, a chart or an image; None without pictures.
        tables: Tables of the audit; its measures over all rows where it has none.
        elsewhere: What is in the run folder only: the other tables, charts and measures, in words.
        charts: Headings and the other charts under each.
        images: Other images of the audit.
        cards: Single decisions.
        result: The evidence itself, for how it was measured.
        parameters: Settings of the method.
    """

    anchor: str
    title: str
    grade: str
    reliability: tuple[str, str] | None
    reliability_note: str | None
    findings: tuple[FindingLine, ...]
    minor: tuple[FindingLine, ...]
    leading: DrawnChart | Image | None
    tables: tuple[Grid, ...]
    elsewhere: str
    charts: tuple[tuple[str | None, tuple[DrawnChart, ...]], ...]
    images: tuple[Image, ...]
    cards: tuple[Card, ...]
    result: AuditResult
    parameters: tuple[Fact, ...]

    @property
    def pictures(self) -> int:
        """How many pictures there are besides the leading one."""
        return len(self.images) + sum(len(drawn) for _, drawn in self.charts)


def audit_section(result: AuditResult, anchor: str, allowed: int) -> AuditSection:
    """Return the section of an audit that examined its subject.

    Args:
        result: What it found.
        anchor: Id of the section.
        allowed: Characters of base64 that an image may take.
    """
    lines = _findings(result, anchor)
    tables = result.tables[:_SHOWN_TABLES] or _overall(result)
    charts = _chosen(result.charts, lines)
    whole = [table for table in tables if len(table.rows) <= MOST_ROWS]
    drawn, shown = drawn_charts(charts, anchor, whole), images(result.pictures, allowed)
    leading = _leading(lines, drawn, shown)
    source = f"audits/{result.audit}/result.json"
    return AuditSection(
        anchor=anchor,
        title=audit_words(result.audit),
        grade=result.grade,
        reliability=(result.reliability, _RELIABILITY.get(result.reliability, "not applicable")) if result.reliability else None,
        reliability_note=_unsaid(result.reliability_note, result.findings),
        findings=lines[:_SHOWN_FINDINGS],
        minor=lines[_SHOWN_FINDINGS : _SHOWN_FINDINGS + _FOLDED_FINDINGS],
        leading=leading,
        tables=tuple(grid(without_empty(table), most=MOST_ROWS, source=source) for table in tables),
        elsewhere=_elsewhere(result, charts),
        charts=_by_heading([one for one in drawn if one is not leading]),
        images=tuple(image for image in shown if image is not leading),
        cards=tuple(card(case, f"{anchor}-case{place}", allowed) for place, case in enumerate(result.cases, start=1)),
        result=result,
        parameters=facts({name: value for name, value in result.method.parameters.items() if value is not None}),
    )


def reading_order(results: Sequence[AuditResult]) -> list[AuditResult]:
    """Return the audits that have something to show, by their gravest finding as on the first screen, else as they are listed."""
    examined = [result for result in results if not result.error and not result.not_applicable]
    return sorted(examined, key=lambda result: (-GRAVITY[result.grade], -_weight(result)))


def _weight(result: AuditResult) -> float:
    """Return the weight of the gravest finding of an audit; 0 where none has its grade."""
    return max((finding.weight for finding in result.findings if finding.grade == result.grade), default=0.0)


def _unsaid(note: str | None, findings: Sequence[Finding]) -> str | None:
    """Return a note unless the figures in it stand in a finding."""
    figures = (note or "").partition(", ")[2]
    return None if figures and any(figures in finding.sentence for finding in findings) else note


def _overall(result: AuditResult) -> tuple[Table, ...]:
    """Return the measures over all rows as a table; nothing where there are none."""
    overall = [measure for measure in result.measures if measure.by is None and measure.group is None]
    return (measure_table("Over all rows", overall),) if overall else ()


def _chosen(charts: Sequence[Chart], lines: Sequence[FindingLine]) -> list[Chart]:
    """Return the charts that are drawn: those behind the gravest findings, then the first ones, in the audit's order."""
    behind = [line.finding.chart for line in lines if line.finding.chart]
    ranked = sorted(charts, key=lambda chart: behind.index(chart.title) if chart.title in behind else len(behind))
    kept = ranked[: _SHOWN_PICTURES + 1]
    return [chart for chart in charts if any(chart is one for one in kept)]


def _elsewhere(result: AuditResult, charts: Sequence[Chart]) -> str:
    """Return in words what the page leaves to the result's file: tables by name; findings, charts and measures by number."""
    titles = [table.title for table in result.tables[_SHOWN_TABLES:]]
    tables = [f"{len(titles)} more tables"] if len(titles) > _NAMED_TABLES else [f"the table {title!r}" for title in titles]
    less = len(result.findings) - _SHOWN_FINDINGS - _FOLDED_FINDINGS
    findings = [f"{less} more {plural('finding', less)} of less weight"] if less > 0 else []
    others = len(result.charts) - len(charts)
    pictures = [f"{others} more {plural('chart', others)}"] if others else []
    count = len(result.measures)
    measures = [f"{count} {plural('measure', count)} with intervals"] if count else []
    return "; ".join([*findings, *measures, *pictures, *tables])


def _findings(result: AuditResult, anchor: str) -> tuple[FindingLine, ...]:
    lines = [
        FindingLine(finding, f"{anchor}-finding-{place}", _figures(finding, result.measures))
        for place, finding in enumerate(result.findings, start=1)
    ]
    return tuple(sorted(lines, key=lambda line: gravity(line.finding)))


def _leading(lines: Sequence[FindingLine], drawn: Sequence[DrawnChart], shown: Sequence[Image]) -> DrawnChart | Image | None:
    """Return the picture that a section opens with: behind its gravest finding, else the first image, else the first chart."""
    titled = {one.chart.title: one for one in reversed(drawn)}
    behind = [titled[line.finding.chart] for line in lines if line.finding.chart in titled]
    every: list[DrawnChart | Image] = [*behind, *shown, *drawn]
    return every[0] if every else None


def _figures(finding: Finding, measures: Sequence[Measure]) -> tuple[str, ...]:
    """Return the measures that a finding names and gives no interval of, told apart by their name alone."""
    if "[" in finding.sentence:
        return ()
    behind = [m for m in measures if m.name in finding.measures and m.group == finding.group]
    behind = [m for m in behind if finding.by is None or m.by == finding.by]
    names = [m.name for m in behind]
    return tuple(_figure(m) for m in behind if names.count(m.name) == 1)[:_SHOWN_FIGURES]


def _figure(measure: Measure) -> str:
    rows = f" (n {measure.n:,})" if measure.n is not None else ""
    return f"{measure_words(measure.name)} {measured(measure)}{rows}"


def _by_heading(drawn: Sequence[DrawnChart]) -> tuple[tuple[str | None, tuple[DrawnChart, ...]], ...]:
    headings = list(dict.fromkeys(d.chart.section for d in drawn))
    return tuple((heading, tuple(d for d in drawn if d.chart.section == heading)) for heading in headings)
