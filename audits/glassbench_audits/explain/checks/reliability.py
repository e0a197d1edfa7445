"""What self-tests say about an explanation as a whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Table

Outcome = Literal["passed", "weak", "failed", "not applicable"]
Reliability = Literal["reliable", "use with care", "do not rely"]

ENOUGH = 2

FEWEST_ROWS = 20
"""The fewest explained rows of a reliable explanation: where an explanation holds on all of so many, it holds on more than six in
seven rows like them (one-sided 95 %; of 8 rows, on more than two in three)."""

_GRAVITY: dict[Outcome, int] = {"not applicable": 0, "passed": 1, "weak": 2, "failed": 3}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One self-test of an explanation.

    Args:
        name: What was tested.
        outcome: How it went.
        result: The figure against what it was held to, or why the test does not apply.
        meaning: What the test asks, one sentence.
        measure: The figure as a measure.
        margin: How far the figure lies on the passing side of what it needs to pass, in units of the distance between passing and
            failing; negative beyond it, infinite where there is no such distance.
        more: Further figures that the test looked at.
        charts, tables: What the test shows in full.
    """

    name: str
    outcome: Outcome
    result: str
    meaning: str
    measure: Measure
    margin: float = math.inf
    more: tuple[Measure, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every figure, the one that decides first."""
        return (self.measure, *self.more)


def reliability(outcomes: Sequence[Outcome], rows: int) -> Reliability:
    """Return the word a reader must see before any explanation.

    - `do not rely` when any self-test failed;
    - `use with care` when any came out weak, fewer than two could be made at all, or fewer than 20 rows were explained;
    - `reliable` when every one that could be made, two at least, passed.

    Args:
        outcomes: How the self-tests went.
        rows: How many rows were explained.

    Example:
        >>> reliability(["passed", "passed", "not applicable"], 64)
        'reliable'
        >>> reliability(["passed", "passed"], 8), reliability(["passed", "failed"], 64)
        ('use with care', 'do not rely')
    """
    made = [outcome for outcome in outcomes if outcome != "not applicable"]
    if "failed" in made:
        return "do not rely"
    return "use with care" if "weak" in made or len(made) < ENOUGH or rows < FEWEST_ROWS else "reliable"


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the worst of several outcomes, "not applicable" where there is none.

    Example:
        >>> worst(["passed", "weak", "not applicable"])
        'weak'
    """
    return max(outcomes, key=_GRAVITY.__getitem__, default="not applicable")


def weakest(checks: Sequence[Check]) -> Check | None:
    """Return the self-test that says least for an explanation, or None where none could be made.

    The worst outcome comes first; of several, the one that lies farthest on the wrong side of what it needs to pass, or nearest
    to it where all pass, in units of the distance between passing and failing.
    """
    made = [check for check in checks if check.outcome != "not applicable"]
    return max(made, key=lambda check: (_GRAVITY[check.outcome], -check.margin), default=None)


def margin(value: float, passes: float, fails: float) -> float:
    """Return how far a figure lies on the passing side of `passes`, in units of the distance to `fails`; negative beyond it.

    Example:
        >>> margin(0.25, passes=0.5, fails=0.75), margin(0.75, passes=0.5, fails=0.75)
        (1.0, -1.0)
    """
    return (passes - value) / (fails - passes)


def graded(value: float, passes: float, fails: float) -> Outcome:
    """Return the outcome of a figure: passed on the side of `passes`, failed beyond `fails`, weak in between.

    Example:
        >>> graded(0.3, passes=0.5, fails=0.8), graded(0.6, passes=0.5, fails=0.8), graded(0.7, passes=0.9, fails=0.7)
        ('passed', 'weak', 'failed')
    """
    if value != value:
        return "failed"
    sign = 1 if passes < fails else -1
    if sign * value <= sign * passes:
        return "passed"
    return "failed" if sign * value >= sign * fails else "weak"
