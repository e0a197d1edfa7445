"""Uncertainty in one place: intervals and tests."""
