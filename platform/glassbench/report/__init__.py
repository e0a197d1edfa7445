"""From evidence to pages: the report of a run, the index of all runs, and short forms for machines."""

from glassbench.report.index import render_index
from glassbench.report.page import render_report

__all__ = ["render_index", "render_report"]
