"""The report: one page from a run folder, the same bytes for the same folder."""

from pathlib import Path

from glassbench.report.audit_section import audit_section, reading_order
from glassbench.report.data_section import data_section
from glassbench.report.explore import exploring
from glassbench.report.facts import facts
from glassbench.report.figures import allowance
from glassbench.report.first_screen import first_screen
from glassbench.report.headline import headline
from glassbench.report.record import read_record
from glassbench.report.reproduce_section import reproduce_section
from glassbench.report.templating import render, slugs
from glassbench.report.training_section import training_section


def render_report(folder: Path) -> str:
    """Return the report of a run as one HTML page that asks nothing of any network.

    Args:
        folder: The run folder; nothing else is read, no clock and no chance take part.

    Raises:
        RunError: The folder is no run folder or a file in it cannot be read.
    """
    record = read_record(folder)
    results = reading_order(record.audits)
    anchors = slugs((result.audit for result in results), "audit")
    head, allowed = headline(record, anchors), allowance(results)
    return render(
        "report.html.j2",
        head=head,
        first=first_screen(record, head, anchors, allowed),
        about=facts({name: value for name, value in (record.resolved.get("about") or {}).items() if name != "purpose"}),
        exploring=exploring(record),
        unit=record.unit,
        audits=[audit_section(result, anchors[result.audit], allowed) for result in results],
        data=data_section(record),
        training=training_section(record),
        reproduce=reproduce_section(record),
    )
