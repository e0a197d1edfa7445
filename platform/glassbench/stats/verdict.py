"""From an interval and a threshold to a verdict: the one function that gates, findings and plugins share."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from glassbench.stats.grade import Grade
from glassbench.stats.more_rows import MoreRows, more_rows

Direction = Literal["at_least", "at_most"]
Outcome = Literal["pass", "fail", "insufficient evidence"]

_GRADES: dict[Outcome, Grade] = {"pass": "ok", "fail": "concern", "insufficient evidence": "unclear"}


class Bounded(Protocol):
    """A number with its interval: an `Estimate`, a `Measure`, or what a plugin brings."""

    @property
    def value(self) -> float | None:
        """The point value, None where undefined."""

    @property
    def low(self) -> float | None:
        """The low end, None where there is no interval."""

    @property
    def high(self) -> float | None:
        """The high end, None where there is no interval."""

    @property
    def level(self) -> float:
        """The confidence level of the interval."""

    @property
    def n(self) -> int | None:
        """Rows or clusters it rests on."""

    @property
    def undefined(self) -> str | None:
        """Why there is no value."""

    @property
    def unsupported(self) -> str | None:
        """Why no verdict may be based on the value."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What an estimate held against a threshold came to.

    Args:
        verdict: pass where the whole interval meets the threshold, fail where the whole interval misses it, else insufficient
            evidence.
        reason: Why, in one sentence.
        more_rows: How many more rows like these would settle it, or None.
    """

    verdict: Outcome
    reason: str
    more_rows: MoreRows | None = None

    @property
    def grade(self) -> Grade:
        """The verdict as findings say it: ok, a concern or unclear."""
        return _GRADES[self.verdict]


def judge(
    estimate: Bounded, threshold: float, direction: Direction, *, on: Literal["interval", "value"] = "interval"
) -> Judgement:
    """Hold an estimate against a threshold.

    Args:
        estimate: The number and its interval.
        threshold: What it must reach, or stay within.
        direction: `at_least` or `at_most`.
        on: `interval` asks the whole interval; `value` the point value alone, whatever its interval. Too few events
            (`unsupported`) leave either without a verdict.

    Example:
        >>> from glassbench.stats.estimate import Estimate
        >>> accuracy = Estimate(value=0.73, low=0.63, high=0.81, n=89)
        >>> [judge(accuracy, t, "at_least").verdict for t in (0.6, 0.65, 0.9)]
        ['pass', 'insufficient evidence', 'fail']
    """
    if estimate.value is None:
        return Judgement(verdict="insufficient evidence", reason=f"undefined: {estimate.undefined}")
    if estimate.unsupported is not None:
        return Judgement(verdict="insufficient evidence", reason=f"too few events: {estimate.unsupported}")
    if on == "interval" and (estimate.low is None or estimate.high is None):
        reason = "the measure carries no interval; set `on: value` to gate on the point value"
        return Judgement(verdict="insufficient evidence", reason=reason)
    ends = [estimate.value]
    if on == "interval":
        ends += [end for end in (estimate.low, estimate.high) if end is not None]
    worst, best = (min(ends), max(ends)) if direction == "at_least" else (max(ends), min(ends))
    if meets(worst, threshold, direction):
        return Judgement(verdict="pass", reason=f"the {on} meets the threshold")
    if not meets(best, threshold, direction):
        return Judgement(verdict="fail", reason=f"the {on} misses the threshold")
    return Judgement(
        verdict="insufficient evidence",
        reason="the interval reaches across the threshold",
        more_rows=_more(estimate, threshold),
    )


def meets(value: float, threshold: float, direction: Direction) -> bool:
    """Whether a number meets a threshold; the last digits of a float do not decide.

    Example:
        >>> 0.36 / 0.45 >= 0.8, meets(0.36 / 0.45, 0.8, "at_least")
        (False, True)
    """
    close = math.isclose(value, threshold, rel_tol=1e-12, abs_tol=1e-12)
    return close or (value >= threshold if direction == "at_least" else value <= threshold)


def _more(estimate: Bounded, threshold: float) -> MoreRows | None:
    if estimate.n is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    return more_rows(estimate.value, estimate.low, estimate.high, estimate.n, threshold, estimate.level)
