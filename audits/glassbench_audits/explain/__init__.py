"""Explanations: why a model decides as it does, and how far that can be trusted."""
