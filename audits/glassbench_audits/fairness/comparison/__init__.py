"""Gaps between groups: their intervals, tests and grades."""
