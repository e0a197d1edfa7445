"""How often the interval of a gap's change, before and after on the same rows, holds the true change.

Each group has a rate before and a rate after; a share of its rows changes sides in either direction, as decisions do from one
model to another. The gap is the largest difference of rates between groups, the truth its change. Rows are resampled as
`glassbench runs compare` and `glassbench mitigate` do.

Run: python tests/calibration/gap_change.py [--sets 1000] [--seed 0]; it prints a table of docs/explanation/calibration.md.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from glassbench.stats.gap_contrast import gap_contrast
from glassbench.stats.group_numbers import GroupNumbers

REPLICATES = 1000


@dataclass(frozen=True, kw_only=True)
class Case:
    """Rates of groups before and after.

    Args:
        before, after: The rate of each group.
        churn: Share of rows that change sides both ways, beyond what the change of the rate needs.
        metrics: How many metrics the gap is the largest of, each with these rates, on other rows of the same groups.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    churn: float = 0.1
    metrics: int = 1

    @property
    def truth(self) -> float:
        """The true change of the gap."""
        return float(np.ptp(self.after) - np.ptp(self.before))


SIZES = (100, 300, 1000, 3000)
CASES = {
    "2 groups, gap .20 to .10": Case(before=(0.3, 0.5), after=(0.35, 0.45)),
    "2 groups, gap .20 to .02": Case(before=(0.3, 0.5), after=(0.39, 0.41)),
    "2 groups, gap .20 to 0": Case(before=(0.3, 0.5), after=(0.4, 0.4)),
    "2 groups, gap .20 to 0, two metrics": Case(before=(0.3, 0.5), after=(0.4, 0.4), metrics=2),
    "2 groups, gap .10 to .25": Case(before=(0.2, 0.3), after=(0.15, 0.4)),
    "2 groups, gap .20 and stays": Case(before=(0.3, 0.5), after=(0.3, 0.5)),
    "2 rare rates, gap .08 to .02": Case(before=(0.03, 0.11), after=(0.04, 0.06), churn=0.02),
    "3 groups, gap .20 to .10": Case(before=(0.3, 0.4, 0.5), after=(0.35, 0.4, 0.45)),
    "3 groups, two alike, gap .20 to .10": Case(before=(0.3, 0.5, 0.5), after=(0.35, 0.45, 0.45)),
    "4 groups, gap .30 to 0": Case(before=(0.2, 0.3, 0.4, 0.5), after=(0.35,) * 4),
    "6 groups, gap .30 to .10": Case(before=(0.2, 0.25, 0.3, 0.35, 0.4, 0.5), after=(0.3, 0.32, 0.34, 0.36, 0.38, 0.4)),
    "6 groups, gap .30 to 0": Case(before=(0.2, 0.25, 0.3, 0.35, 0.4, 0.5), after=(0.35,) * 6),
    "2 groups alike before and after": Case(before=(0.4, 0.4), after=(0.4, 0.4)),
    "6 groups alike before and after": Case(before=(0.4,) * 6, after=(0.4,) * 6),
}


def cells(case: Case) -> np.ndarray:
    """Return of each group the chance of (selected before, selected after): yes yes, yes no, no yes, no no `(g, 4)`."""
    found = []
    for before, after in zip(case.before, case.after, strict=True):
        lost = case.churn / 2 + max(before - after, 0.0)
        won = case.churn / 2 + max(after - before, 0.0)
        found.append([before - lost, lost, won, 1 - before - won])
    return np.array(found * case.metrics)


def held(case: Case, rows: int, sets: int, seed: int) -> tuple[float, float, float]:
    """Return how often an interval at 95 % lies below the truth, above it, and how wide it is on average."""
    generator, chances = np.random.default_rng([seed, rows]), cells(case)
    below, above, width = 0, 0, 0.0
    for _ in range(sets):
        counts = np.stack([generator.multinomial(rows, chance) for chance in chances])
        drawn = np.stack([generator.multinomial(rows, count / rows, REPLICATES) for count in counts], axis=1)
        groups, metric = len(case.before), np.repeat(np.arange(case.metrics), len(case.before))
        numbers = [
            GroupNumbers(
                value=counts[:, [0, other]].sum(axis=1) / rows,
                draws=drawn[:, :, [0, other]].sum(axis=2) / rows,
                metric=metric,
                n=np.full(len(metric), float(rows)),
            )
            for other in (1, 2)
        ]
        found = gap_contrast(numbers[0], numbers[1], "difference", units=rows * groups, df=np.inf, same_rows=True)
        assert found is not None
        low, high = found.limits(0.95)
        below, above, width = below + (high < case.truth), above + (low > case.truth), width + high - low
    return below / sets, above / sets, width / sets


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name, case in CASES.items():
        found = [held(case, rows, given.sets, given.seed) for rows in SIZES]
        told = " | ".join(f"{1 - low - high:.1%} ({low:.1%}, {high:.1%})" for low, high, _ in found)
        print(f"| {name} | {told} |", flush=True)


if __name__ == "__main__":
    main()
