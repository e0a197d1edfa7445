"""Whether a run's model still holds: new rows against the run's held-out rows, with sequences that are valid at every look."""

from glassbench.monitoring.monitor import Monitor, MonitorState

__all__ = ["Monitor", "MonitorState"]
