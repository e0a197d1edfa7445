"""What a page holds so that a person can explore it: counts, never rows."""

from glassbench.report.explore.content import Exploring, exploring

__all__ = ["Exploring", "exploring"]
