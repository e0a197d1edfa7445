"""Whom the predictions treat differently, and how sure that is."""
