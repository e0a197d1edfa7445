"""Uncertainty in one place: intervals and tests, estimates, verdicts, and the types of settings that set them."""
