"""The report: one page from a run folder, the same bytes for the same folder."""

from dataclasses import replace
from pathlib import Path

from glassbench.report.audit_section import audit_section, reading_order
from glassbench.report.data_section import data_section
from glassbench.report.explore import exploring
from glassbench.report.facts import facts
from glassbench.report.figures import allowance
from glassbench.report.first_screen import first_screen
from glassbench.report.headline import headline
from glassbench.report.record import Record, read_record
from glassbench.report.reproduce_section import reproduce_section
from glassbench.report.templating import render, slugs, with_spoken_names
from glassbench.report.training_section import training_section
from glassbench.report.without_rows import without_single_rows


def render_report(folder: Path, *, single_rows: bool = True) -> str:
    """Return the report of a run as one HTML page that asks nothing of any network.

    Args:
        folder: The run folder; nothing else is read, no clock and no chance take part.
        single_rows: Whether what is shown of single rows is on the page.

    Raises:
        RunError: The folder is no run folder or a file in it cannot be read.
    """
    record = read_record(folder)
    if not single_rows:
        record = replace(record, audits=tuple(map(without_single_rows, record.audits)))
    results = reading_order(record.audits)
    anchors = slugs((result.audit for result in results), "audit")
    head, allowed = headline(record, anchors), allowance(results)
    page = render(
        "report.html.j2",
        head=head,
        first=first_screen(record, head, anchors, allowed),
        about=facts({name: value for name, value in (record.resolved.get("about") or {}).items() if name != "purpose"}),
        exploring=exploring(record) if single_rows else None,
        unit=record.unit,
        audits=[audit_section(result, anchors[result.audit], allowed) for result in results],
        data=data_section(record),
        training=training_section(record),
        reproduce=reproduce_section(record),
    )
    return with_spoken_names(page, column_names(record))


def column_names(record: Record) -> list[str]:
    """Return what columns of a run's data are called: features, groups and the target."""
    schema = record.schema
    features = [str(feature.get("name")) for feature in schema.get("features") or ()]
    target = [str((schema.get("target") or {}).get("name") or "")]
    return [*features, *map(str, schema.get("sensitive") or ()), *map(str, schema.get("conditions") or ()), *target]
