"""Rows in fewer numbers."""
