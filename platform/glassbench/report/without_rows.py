"""Evidence without what it shows of single rows, for readers who may not see any."""

from dataclasses import replace

from glassbench.contracts.evidence import AuditResult

_ROW = frozenset({"row", "rows", "id", "decision", "nearest row", "other row"})
"""Columns of tables that say which row each line is of."""


def without_single_rows(result: AuditResult) -> AuditResult:
    """Return a result without explained cases, pictures, scatter plots of rows and tables of rows; its measures are all there."""
    charts = tuple(chart for chart in result.charts if chart.kind != "points")
    tables = tuple(table for table in result.tables if not _ROW & {column.lower() for column in table.columns[:2]})
    titles = {chart.title for chart in charts}
    findings = tuple(f if f.chart in titles else replace(f, chart=None) for f in result.findings)
    return replace(result, charts=charts, tables=tables, findings=findings, cases=(), pictures=())
