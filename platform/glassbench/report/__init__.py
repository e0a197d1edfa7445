"""From evidence to pages: the report of a run, the index of all runs, comparisons, and short forms for machines."""

from glassbench.report.charts import refuse_narrow_memory
from glassbench.report.compare import compare
from glassbench.report.comparison import comparison_page, render_comparison
from glassbench.report.exports import render_junit, render_markdown
from glassbench.report.index import render_index
from glassbench.report.page import render_report
from glassbench.report.sarif import render_sarif
from glassbench.report.study_page import render_study
from glassbench.report.summary import render_summary

__all__ = [
    "compare",
    "comparison_page",
    "refuse_narrow_memory",
    "render_comparison",
    "render_index",
    "render_junit",
    "render_markdown",
    "render_report",
    "render_sarif",
    "render_study",
    "render_summary",
]
