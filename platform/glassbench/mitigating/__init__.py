"""From a run's findings to mitigations that fit, tried on the same rows, and what they did to whom."""

from glassbench.mitigating.mitigate import mitigate, propose

__all__ = ["mitigate", "propose"]
