"""Which files are texts, known without reading any."""

ENDINGS = (".txt", ".md")
"""Endings of texts in files of their own."""
