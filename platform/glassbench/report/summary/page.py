"""The summary as one HTML page of two sheets, the same bytes for the same folder."""

from pathlib import Path

from glassbench.report.record import read_record
from glassbench.report.summary.content import summary
from glassbench.report.templating import render


def render_summary(folder: Path) -> str:
    """Return the summary of a run for a committee: an HTML page without a script that prints on two sheets, A4 or Letter.

    Args:
        folder: The run folder; nothing else is read.

    Raises:
        RunError: The folder is no run folder or a file in it cannot be read.
    """
    return render("summary.html.j2", said=summary(read_record(folder)))
