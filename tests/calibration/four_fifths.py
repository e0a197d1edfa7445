"""How often the test beside the four-fifths rule calls equal selection rates unequal, where the highest of several is picked.

Groups are independent rows with one true rate; a false alarm is any category whose p-value is at most .05. Beside it stands what
tests of each pair against the highest do, corrected by Holm's method for their number alone.

Run: python tests/calibration/four_fifths.py [--sets 1000] [--seed 1]; half a minute of one processor.
"""

import argparse

import numpy as np

from glassbench.stats.p_values import holm
from glassbench_audits.selection.categories import Category
from glassbench_audits.selection.equal_rates import p_value, shuffled, widest_of_pairs

SIZES = (
    (100,) * 2,
    (60, 200),
    (100,) * 3,
    (40, 80, 160),
    (100,) * 5,
    (40, 60, 80, 120, 300),
    (100,) * 8,
    (30, 40, 50, 60, 80, 100, 150, 400),
)
RATES = (0.4, 0.1)
ALPHA = 0.05


def alarms(sizes: tuple[int, ...], rate: float, generator: np.random.Generator) -> tuple[bool, bool]:
    """Return whether the audit's test raises a false alarm, and whether corrected tests of pairs do."""
    selected = generator.binomial(sizes, rate)
    judged = [
        Category(by=("g",), values=(str(i),), n=n, selected=int(k)) for i, (n, k) in enumerate(zip(sizes, selected, strict=True))
    ]
    rates = np.array([category.rate for category in judged])
    best = int(rates.argmax())
    pairs = holm(np.array([p_value(category, judged[best])[0] for i, category in enumerate(judged) if i != best]))
    if len(judged) == 2:
        return bool(pairs.min() <= ALPHA), bool(pairs.min() <= ALPHA)
    p = widest_of_pairs(shuffled(judged, 500, generator), rates, best)
    return bool(np.delete(p, best).min() <= ALPHA), bool(pairs.min() <= ALPHA)


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    generator = np.random.default_rng(given.seed)
    print("| rows of the categories | rate | false alarms | tests of pairs, Holm |\n| --- | --- | --- | --- |")
    for sizes in SIZES:
        for rate in RATES:
            ours, pairs = np.mean([alarms(sizes, rate, generator) for _ in range(given.sets)], axis=0)
            print(f"| {', '.join(map(str, sizes))} | {rate} | {ours:.3f} | {pairs:.3f} |", flush=True)


if __name__ == "__main__":
    main()
