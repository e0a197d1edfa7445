"""Runs that another tool logged, audited: what MLflow holds of a run, read without running code."""
