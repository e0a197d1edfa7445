"""How often the fairness audit raises a false alarm, and how often it finds a gap, beside a threshold on the raw gap.

Every data set has twelve groups; their decisions, truths and gaps go through the audit's own counts, comparisons and judgement:
six rates and their combinations, Holm's correction over everything judged.

Run: python tests/calibration/verdicts.py [--part small|large|power] [--null 2000] [--power 300]; each part takes about half a
minute of one processor, and prints rows of the table of docs/explanation/calibration.md.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glassbench_audits.fairness.comparison.criteria import compare
from glassbench_audits.fairness.comparison.grading import Rules, judge
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.rates import class_rates

GROUPS, LEVEL, GAP = 12, 0.95, 0.1
NAMES = tuple(Group(by=("group",), values=(str(i),)) for i in range(GROUPS))
FOUND, ALLOWED = (Rules(level=LEVEL, difference=d, ratio=r, value=1.0) for d, r in ((0.0, 1.0), (0.05, 0.9)))
"""Any gap at all fails; gaps up to half the planted one are allowed."""


@dataclass(frozen=True)
class Seen:
    """What one data set came to.

    Args:
        found: Whether the audit failed, where no gap is allowed.
        beyond: Whether it failed, where gaps up to .05 are allowed.
        raw: The raw gap in selection rates.
    """

    found: bool
    beyond: bool
    raw: float


def counts(rates: np.ndarray, n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw truth (one in two) and decision, whose rate the truth does not sway: rows `(groups, truth, decision)`."""
    cells = np.stack([(1 - rates) / 2, rates / 2], axis=-1)
    return generator.multinomial(n, np.tile(cells, (1, 2))).reshape(len(rates), 2, 2)


def look(rates: np.ndarray, n: int, replicates: int, generator: np.random.Generator) -> Seen:
    """Draw a data set and judge it twice."""
    asked = class_rates(("no", "yes"), [1], favourable=[1])
    frame = ConfusionFrame(NAMES, counts(rates, n, generator), asked, replicates=replicates, generator=generator)
    compared = [(frame, compare(frame, level=LEVEL, small=None, chance=5 * replicates, generator=generator))]
    strict, lenient = (judge(compared, rules) for rules in (FOUND, ALLOWED))
    return Seen(
        found=any(j.grade == "concern" for j in strict),
        beyond=any(j.grade == "concern" for j in lenient),
        raw=float(np.ptp(frame.value[0])),
    )


def share(truths: Iterator[bool]) -> str:
    """Write how often something was so, with the half-width of two standard errors."""
    seen = np.array(list(truths), dtype=float)
    return f"{seen.mean():.3f} ± {2 * (seen.var() / len(seen)) ** 0.5:.3f}"


def row(words: str, n: int, rates: np.ndarray, count: int, replicates: int) -> None:
    """Print what a number of data sets came to."""
    generator = np.random.default_rng([n, int(1000 * rates.sum())])
    seen = [look(rates, n, replicates, generator) for _ in range(count)]
    cells = [share(s.found for s in seen), share(s.beyond for s in seen), share(s.raw > GAP / 2 for s in seen)]
    print(f"| {words} | {n} | {count} | " + " | ".join([*cells, share(s.raw > GAP for s in seen)]) + " |", flush=True)


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["small", "large", "power"], action="append")
    parser.add_argument("--null", type=int, default=2000)
    parser.add_argument("--power", type=int, default=300)
    parser.add_argument("--replicates", type=int, default=200)
    given = parser.parse_args()
    base = np.full(GROUPS, 0.3)
    one, half = base + GAP * (np.arange(GROUPS) == 0), base + GAP * (np.arange(GROUPS) < GROUPS // 2)
    parts = {
        "small": [("all alike", 100, base, given.null)],
        "large": [("all alike", 1000, base, given.null)],
        "power": [
            (words, n, rates, given.power)
            for words, rates in (("one group .1 above", one), ("half the groups .1 above", half))
            for n in (100, 300, 1000, 2000)
        ],
    }
    started = time.process_time()
    print("| true rates | rows per group | data sets | fail, none allowed | fail, .05 allowed | raw gap above .05 | above .1 |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for part in given.part or parts:
        for words, n, rates, count in parts[part]:
            row(words, n, rates, count, given.replicates)
    print(f"\n{time.process_time() - started:.0f} s of processor time")


if __name__ == "__main__":
    main()
