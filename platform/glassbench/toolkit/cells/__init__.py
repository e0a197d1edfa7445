"""Cells of raw tables: how they read as numbers, texts, dates and groups."""
