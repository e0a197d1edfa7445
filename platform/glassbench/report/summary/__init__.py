"""The summary for a committee: two printed pages in plain words, for the people who sign."""

from glassbench.report.summary.page import render_summary

__all__ = ["render_summary"]
