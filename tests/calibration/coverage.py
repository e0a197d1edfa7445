"""How often the fairness audit's intervals hold the truth, on data sets whose truth is known.

Rates and gaps between two groups are not simulated: every outcome is weighed with its probability. Gaps among more groups are
drawn.

Run: python tests/calibration/coverage.py [--part rates|two|three|six|twelve] [--data-sets 1000] [--replicates 1000] [--seed 0];
each part takes about half a minute of one processor, and prints a table of docs/explanation/calibration.md.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from data_sets import DataSets, drawn
from scipy.stats import binom

from glassbench.stats.intervals import rate_interval
from glassbench_audits.fairness.comparison.gaps import Gap, gaps

LEVEL, BLOCK = 0.95, 100
SIZES = (20, 50, 100, 200, 500, 1000, 2000)
BASES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
FEWEST = 5
"""Rows of the rarer kind that must be expected in each group; with fewer, counts do not allow an interval to be exact."""
SHIFTS = (0.0, 0.05, 0.1, 0.2)
ENOUGH = 1 - 1e-6


def rate_misses(n: int, rate: float) -> tuple[float, float]:
    """Return exactly how often a rate's interval lies below the truth, and above it."""
    count = np.arange(n + 1)
    low, high = rate_interval(count, np.full(n + 1, n), LEVEL)
    chance = binom.pmf(count, n, rate)
    return float(chance[high < rate].sum()), float(chance[low > rate].sum())


def holds(gap: Gap, truth: float) -> bool:
    """Whether a gap's interval holds the truth; where nobody is selected there is no ratio, and nothing wrong is said."""
    return gap.value is None or bool(gap.low <= truth + 1e-12 and truth <= gap.high + 1e-12)


def covered(frame: DataSets, rates: np.ndarray) -> Iterator[tuple[bool, bool]]:
    """Yield for each data set whether the intervals of difference and ratio hold the truth."""
    everyone = np.ones(frame.value.shape, dtype=bool)
    truth = (float(np.ptp(rates)), float(rates.min() / rates.max()))
    for difference, ratio in gaps(frame, [(i,) for i in range(len(frame.metrics))], everyone, LEVEL):
        yield holds(difference, truth[0]), holds(ratio, truth[1])


def two_group_coverage(n: int, m: int, rates: tuple[float, float]) -> tuple[float, float]:
    """Return the exact coverage of difference and ratio of two groups, outcomes of next to no weight left out."""
    counts = np.arange(n + 1), np.arange(m + 1)
    joint = np.multiply.outer(*(binom.pmf(k, k[-1], rate) for k, rate in zip(counts, rates, strict=True))).ravel()
    likely = np.argsort(-joint, kind="stable")
    likely = likely[: int(np.searchsorted(np.cumsum(joint[likely]), ENOUGH)) + 1]
    part = np.stack(np.unravel_index(likely, (n + 1, m + 1)), axis=-1)
    frame = DataSets(part, np.array([n, m]), replicates=0, generator=np.random.default_rng(0))  # two groups need no resamples
    held = np.array(list(covered(frame, np.array(rates))))
    difference, ratio = joint[likely] @ held / joint[likely].sum()
    return float(difference), float(ratio)


def shapes(groups: int, base: float) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ways in which the true rates of several groups may lie."""
    yield "all alike", np.full(groups, base)
    yield "one .1 above", np.r_[base + 0.1, np.full(groups - 1, base)]
    yield "half .1 above", base + 0.1 * (np.arange(groups) < groups // 2)
    yield "even steps over .1", base + np.linspace(0, 0.1, groups)
    yield "even steps over .3", base + np.linspace(0, 0.3, groups)


def many_group_coverage(rates: np.ndarray, n: int, count: int, replicates: int, seed: int) -> tuple[float, float]:
    """Return the coverage of difference and ratio among several groups of n rows each, over drawn data sets."""
    generator, sizes = np.random.default_rng([n, len(rates), int(1000 * rates.sum()), seed]), np.full(len(rates), n)
    held = [pair for _ in range(0, count, BLOCK) for pair in covered(drawn(rates, sizes, BLOCK, replicates, generator), rates)]
    difference, ratio = np.mean(held, axis=0)
    return float(difference), float(ratio)


def row(*cells: object) -> None:
    print("| " + " | ".join(f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells) + " |", flush=True)


def allowed(n: int, rates: np.ndarray) -> bool:
    """Whether counts allow an exact interval."""
    return bool(n * min(rates.min(), 1 - rates.max()) >= FEWEST - 1e-9)


def show_rates() -> None:
    print("\nRates, exact: rows by base rate; holds (interval below the truth, above it)\n")
    row("n", *BASES)
    row(*["---"] * (len(BASES) + 1))
    for n in SIZES:
        cells = [f"{1 - below - above:.3f} ({below:.3f}, {above:.3f})" for below, above in (rate_misses(n, p) for p in BASES)]
        row(n, *(cell if allowed(n, np.array([p])) else f"[{cell}]" for p, cell in zip(BASES, cells, strict=True)))


def show_two_groups() -> None:
    print("\nTwo groups, exact: difference, ratio; the second group's rate is the base, the first's is shifted\n")
    row("n", "base", *(f"{kind} at gap {shift:g}" for shift in SHIFTS for kind in ("difference", "ratio")))
    row(*["---"] * (2 + 2 * len(SHIFTS)))
    for n, m, bases in (
        *((n, n, BASES) for n in SIZES if n <= 200),
        (500, 500, BASES[:3]),
        (2000, 2000, BASES[:2]),
        (50, 500, BASES),
    ):
        for base in bases:
            if allowed(min(n, m), np.array([base])):
                found = [x for shift in SHIFTS for x in two_group_coverage(n, m, (base + shift, base))]
                row(f"{n}" if n == m else f"{n}, {m}", base, *found)


def show_many_groups(groups: int, count: int, replicates: int, seed: int) -> None:
    print(f"\n{groups} groups, {count} data sets each: difference, ratio\n")
    row("n", "base", "true rates", "difference", "ratio")
    row(*["---"] * 5)
    for n, base in ((50, 0.3), (200, 0.1), (200, 0.5), (1000, 0.3), (2000, 0.05)):
        for words, rates in shapes(groups, base):
            row(n, base, words, *many_group_coverage(rates, n, count, replicates, seed))


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["rates", "two", "three", "six", "twelve"], action="append")
    parser.add_argument("--data-sets", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "rates": show_rates,
        "two": show_two_groups,
        **{
            words: partial(show_many_groups, groups, given.data_sets, given.replicates, given.seed)
            for words, groups in (("three", 3), ("six", 6), ("twelve", 12))
        },
    }
    for part in given.part or parts:
        started = time.process_time()
        parts[part]()
        print(f"\n{part}: {time.process_time() - started:.0f} s of processor time", flush=True)


if __name__ == "__main__":
    main()
