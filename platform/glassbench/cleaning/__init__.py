"""From what audits find in the data to a cleaning, and what the model trained with it does to whom."""

from glassbench.cleaning.proposing import propose
from glassbench.cleaning.trying import before_and_after

__all__ = ["before_and_after", "propose"]
