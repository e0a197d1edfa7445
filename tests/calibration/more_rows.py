"""How often as many more rows as are said to settle a verdict do settle it, where the truth lies near the threshold.

A data set of n rows is drawn; where its interval holds the threshold, as many more rows as `more_rows` says are drawn from the
same truth, and it is seen whether the interval of all of them leaves the threshold out. Rates and gaps go through the intervals
that gates and the fairness audit use. *Anywhere* draws the truth itself from a range wider than the interval, evenly.

Run: python tests/calibration/more_rows.py [--sets 2000] [--gap-sets 300]; about a minute of one processor.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassbench.stats.intervals import rate_interval
from glassbench.stats.more_rows import MoreRows, more_rows
from glassbench_audits.fairness.comparison.gaps import gaps
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.rates import class_rates

LEVEL = 0.95
DISTANCES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
"""From the truth to the threshold, in standard errors of n rows."""

Interval = tuple[float, float, float]
"""Value, low and high end."""


@dataclass(frozen=True)
class Outcome:
    """What one data set came to.

    Args:
        open: Whether its interval holds the threshold.
        told: How many more rows were named, None where no number was.
        even, likely: Whether each number of rows settled it.
    """

    open: bool
    told: MoreRows | None = None
    even: bool = False
    likely: bool = False


def rate(hits: np.ndarray) -> Interval:
    """Return a rate with its interval from hits and misses `(2,)`."""
    low, high = rate_interval(np.array(hits[0]), np.array(hits.sum()), LEVEL)
    return float(hits[0] / hits.sum()), float(low), float(high)


def gap(counts: np.ndarray, generator: np.random.Generator) -> Interval:
    """Return the widest gap of selection rates with its interval from decisions per group `(groups, 2)`."""
    groups = tuple(Group(by=("group",), values=(str(i),)) for i in range(len(counts)))
    asked = class_rates(("no", "yes"), [1], truth=False, favourable=[1])[:1]
    table = np.zeros((len(counts), 2, 2), dtype=int)
    table[:, 0, 0], table[:, 1, 1] = counts[:, 1], counts[:, 0]
    frame = ConfusionFrame(groups, table, asked, replicates=200, generator=generator)
    found = gaps(frame, [(0,)], np.ones(frame.value.shape, dtype=bool), LEVEL)[0][0]
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    return found.value, found.low, found.high


def look(draw: Callable[[int], np.ndarray], measure: Callable[[np.ndarray], Interval], n: int, threshold: float) -> Outcome:
    """Draw a data set of n rows, and what was said to settle it.

    Args:
        draw: Draws counts of so many rows.
        measure: Returns value and interval of counts.
        n: Rows at first.
        threshold: The threshold.
    """
    first = draw(n)
    value, low, high = measure(first)
    if not low <= threshold <= high:
        return Outcome(open=False)
    told = more_rows(value, low, high, n, threshold, LEVEL)
    if told is None:
        return Outcome(open=True)
    ends = [measure(first + draw(count))[1:] for count in (told.even, told.likely)]
    even, likely = (not one[0] <= threshold <= one[1] for one in ends)
    return Outcome(open=True, told=told, even=even, likely=likely)


def of_rate(truth: float, n: int, threshold: float, generator: np.random.Generator) -> Outcome:
    """Look at a rate."""
    return look(lambda rows: generator.multinomial(rows, [truth, 1 - truth]), rate, n, threshold)


def of_gap(truth: float, groups: int, n: int, threshold: float, generator: np.random.Generator) -> Outcome:
    """Look at the gap of groups of one size, whose rates rise in even steps from .3."""
    rates = 0.3 + truth * np.linspace(0, 1, groups)

    def draw(rows: int) -> np.ndarray:
        return np.array([generator.multinomial(max(rows // groups, 1), [p, 1 - p]) for p in rates])

    return look(draw, lambda counts: gap(counts, generator), n, threshold)


def row(words: str, outcomes: list[Outcome], n: int) -> str:
    """Return a row of the table."""
    still = [o for o in outcomes if o.open]
    told = [o for o in still if o.told is not None]
    if not told:
        return f"| {words} | {len(still) / len(outcomes):.2f} | 0 | | | |"
    even, likely = (float(np.median([getattr(o.told, k) for o in told])) / n for k in ("even", "likely"))
    settled = [sum(getattr(o, k) for o in told) / len(told) for k in ("even", "likely")]
    open_, said = len(still) / len(outcomes), len(told) / len(still)
    return f"| {words} | {open_:.2f} | {said:.2f} | {even:.1f}, {likely:.1f} | {settled[0]:.2f} | {settled[1]:.2f} |"


def rates_table(sets: int, generator: np.random.Generator) -> None:
    """Print the rows of rates."""
    for n, threshold in ((200, 0.8), (1000, 0.1)):
        error = (threshold * (1 - threshold) / n) ** 0.5
        for distance in DISTANCES:
            truth = threshold + distance * error
            found = [of_rate(truth, n, threshold, generator) for _ in range(sets)]
            print(row(f"rate, {n} rows, threshold {threshold}, {distance} away", found, n), flush=True)
        anywhere = threshold + error * generator.uniform(-5, 5, sets)
        found = [of_rate(truth, n, threshold, generator) for truth in anywhere]
        print(row(f"rate, {n} rows, threshold {threshold}, anywhere", found, n), flush=True)


def gaps_table(sets: int, generator: np.random.Generator) -> None:
    """Print the rows of gaps."""
    n, threshold = 1200, 0.1
    for groups in (2, 3, 6):
        error = (2 * 0.3 * 0.7 * groups / n) ** 0.5
        for distance in DISTANCES:
            truth = threshold + distance * error
            found = [of_gap(truth, groups, n, threshold, generator) for _ in range(sets)]
            print(row(f"gap of {groups} groups, {n} rows, threshold {threshold}, {distance} away", found, n), flush=True)
        anywhere = np.maximum(threshold + error * generator.uniform(-5, 5, sets), 0)
        found = [of_gap(float(truth), groups, n, threshold, generator) for truth in anywhere]
        print(row(f"gap of {groups} groups, {n} rows, threshold {threshold}, anywhere", found, n), flush=True)


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=2000)
    parser.add_argument("--gap-sets", type=int, default=300)
    asked = parser.parse_args()
    generator = np.random.default_rng(15)
    print("| what | open at first | rows named | times n (median) | settled by the first | by the second |")
    print("| --- | --- | --- | --- | --- | --- |")
    rates_table(asked.sets, generator)
    gaps_table(asked.gap_sets, generator)


if __name__ == "__main__":
    main()
