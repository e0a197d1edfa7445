"""Decisions made elsewhere: their data set and their tasks."""
