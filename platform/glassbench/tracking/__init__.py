"""Trackers: components that are told what happens in a run, each in a process of its own."""
