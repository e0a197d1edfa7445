"""How often monitoring raises a false alarm, how soon it finds a drop of five points, and whether its sequences hold at any time.

False alarms: a run of 1,000 held-out rows with ten inputs (normal, skewed, counts, categories), two sensitive features and scores
is followed over 100 looks of 50 rows from the same source; an alarm of any sequence at any look counts. Beside it, Kolmogorov and
Smirnov's test of the eight numeric inputs at every look, at 5 % each and at 5 % for all eight (Bonferroni).

Power: the error rises from 15 to 20 %. The fixed-size test is the two-sided test of two shares at 5 % with a power of 80 %, given
the same held-out rows; monitoring has the part of the 5 % that its headline gets, and looks twenty times per fixed size.

Coverage: how often the confidence sequence of a change, at 95 %, misses the true change at any of 100 looks.

Run: python tests/calibration/monitoring.py [--part alarms|power|coverage] [--repeats 100] [--seed 0]; a few minutes a part.
"""

import argparse

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp, norm

from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.monitoring.observed import DecidedRows, count_means, followed_means, ranked_values
from glassbench.monitoring.reference import Reference
from glassbench.monitoring.sequences import (
    ALPHA,
    HEADLINE,
    PLANNED,
    SHARES,
    Looks,
    Sequence,
    compare,
    mean_change,
    sequences_of,
)
from glassbench.stats.counted_values import NONE, CountedValues
from glassbench.stats.sequential_means import MeanChange
from glassbench.stats.sequential_ranks import RankCells

NUMBERS = [f"x{place}" for place in range(8)]
SCHEMA = Schema(
    modality="table",
    shape=(10,),
    target=Target(name="y", kind="class", classes=("no", "yes"), positive="yes"),
    features=tuple(Feature(name=name) for name in [*NUMBERS, "c0", "c1"]),
    sensitive=("sex", "region"),
)
GROUPS = {"sex": ["f", "m"], "region": ["a", "b", "c", "d"]}


def rows_of(count: int, chance: np.random.Generator) -> DecidedRows:
    """Return decided rows of one source: an error of some 18 %, calibrated scores."""
    normal = chance.normal(size=(count, 8))
    inputs = pd.DataFrame(normal, columns=NUMBERS)
    inputs["x5"], inputs["x6"] = np.exp(inputs["x5"]).round(1), chance.poisson(1.0, count).astype(float)
    inputs["x7"] = (normal[:, 7] > 1).astype(float)
    inputs["c0"], inputs["c1"] = chance.choice(["p", "q", "r"], count, p=[0.7, 0.2, 0.1]), chance.choice(["s", "t"], count)
    score = 1 / (1 + np.exp(-2.2 * normal[:, 0]))
    frame = pd.DataFrame({"row": np.arange(count), "y_pred": np.where(score > 0.5, "yes", "no")})
    frame["y_true"] = np.where(chance.random(count) < score, "yes", "no")
    frame["score.yes"], frame["score.no"] = score, 1 - score
    for feature, names in GROUPS.items():
        frame[f"group.{feature}"] = chance.choice(names, count)
    return DecidedRows(frame=frame, inputs=inputs)


def reference_of(rows: DecidedRows, chance: np.random.Generator) -> Reference:
    """Return what the rows of a run are counted to."""
    means = count_means(followed_means(rows, SCHEMA, Classes(), GROUPS), None)
    ranks = {key: RankCells.of(values, chance) for key, values in ranked_values(rows, SCHEMA, Classes()).items()}
    return Reference(
        rows=len(rows), means=means, ranks=ranks, groups=GROUPS, clustered=False, notes=(), predictions=""
    )  # fmt: skip


def far(before: CountedValues, now: CountedValues, change: float = 0.0) -> float:
    """Return how many standard errors two means are from differing by `change`; evidence grows with half of its square."""
    if before.mean is None or now.mean is None:
        return 0.0
    spread = [float(one.counts @ (one.values - one.mean) ** 2) / one.n**2 + 0.25 / one.n**2 for one in (before, now)]
    return abs(now.mean - before.mean - change) / float(np.sqrt(sum(spread)))


def alarms(repeats: int, seed: int) -> None:
    """Print the share of runs with a false alarm in 100 looks, of monitoring and of repeated fixed-size tests."""
    chance = np.random.default_rng(seed)
    ours, single, corrected, families = 0, 0, 0, dict.fromkeys(SHARES, 0)
    for _ in range(repeats):
        known = rows_of(1000, chance)
        reference = reference_of(known, chance)
        sequences = sequences_of(reference)
        means: dict[str, list[CountedValues]] = {}
        ranks: dict[str, np.ndarray] = {}
        seen, found, least = known.inputs.iloc[:0], set(), 1.0
        for _look in range(100):
            new = rows_of(50, chance)
            for key, counted in count_means(followed_means(new, SCHEMA, Classes(), GROUPS), None).items():
                several = means.setdefault(key, [])
                several.append((several[-1] if several else NONE) + counted)
            for key, values in ranked_values(new, SCHEMA, Classes()).items():
                ranks[key] = ranks.get(key, 0) + reference.ranks[key].count(values, chance)
            for one in sequences:
                if one.family in found or (one.kind != "ranks" and not plausible(one, reference, means)):
                    continue
                if alarmed(one, reference, means, ranks):
                    found.add(one.family)
            seen = pd.concat([seen, new.inputs])
            least = min(least, *(ks_2samp(known.inputs[name], seen[name], method="asymp").pvalue for name in NUMBERS))
        ours, single, corrected = ours + bool(found), single + (least < 0.05), corrected + (least < 0.05 / len(NUMBERS))
        for family in found:
            families[family] += 1
    print(f"{repeats} runs, 100 looks, {len(sequences)} sequences")
    print(f"monitoring {ours / repeats:.1%} ({families})")
    print(f"Kolmogorov-Smirnov at every look {single / repeats:.1%}, corrected for eight inputs {corrected / repeats:.1%}")


def alarmed(one: Sequence, reference: Reference, means: dict[str, list[CountedValues]], ranks: dict[str, np.ndarray]) -> bool:
    """Whether a sequence raises an alarm; of a mean without its interval, which takes thirty times as long."""
    if one.kind != "mean":
        compared = compare(one, reference, means, ranks)
        return compared.certain and compared.worse
    before, (*earlier, now) = reference.means[one.key], means[one.key]
    return mean_change(one).rejects(before, now, earlier) and (one.worse is None or now.mean > before.mean)


def plausible(one: Sequence, reference: Reference, means: dict[str, list[CountedValues]]) -> bool:
    """Whether a mean or a gap is far enough that its sequence may reject; computing the others would cost time alone.

    Wealth grows at most with the likelihood ratio, whose logarithm is half of the square of the distance in standard errors; what
    is bet on a planned number of rows is won from two standard errors on.
    """
    keys = [one.key, f"{one.key}|others"] if one.kind == "gap" else [one.key]
    furthest = sum(far(reference.means[key], means[key][-1]) for key in keys)
    return furthest > (0.6 if one.worse == "up" else 0.85) * float(np.sqrt(-2 * np.log(one.alpha)))


def power(repeats: int, seed: int) -> None:
    """Print how many rows monitoring needs to find a drop of five points, as a share of those of a fixed-size test."""
    chance = np.random.default_rng(seed)
    before, after = 0.15, 0.20
    alpha = ALPHA * SHARES["performance"] * HEADLINE
    test = MeanChange(alpha=alpha, up=HEADLINE, planned=PLANNED)
    print(f"alpha of the headline {alpha:.3f}; share of repeats that find the drop within")
    print(f"{'run rows':>9} {'fixed size':>10} {'median':>7} {'1.0':>6} {'1.5':>6} {'2.0':>6}")
    for known in (1000, 2000, 5000, 20_000):
        z = norm.ppf(0.975) + norm.ppf(0.8)
        size = int(np.ceil(after * (1 - after) / ((after - before) ** 2 / z**2 - before * (1 - before) / known)))
        ratios = []
        for _ in range(repeats):
            reference = counted(chance.binomial(known, before), known)
            hits = np.cumsum(chance.random(3 * size) < after)
            looks = (np.arange(1, 61) * size / 20).astype(int)
            new = [counted(hits[n - 1], n) for n in looks]
            finds = (n for place, n in enumerate(looks) if rejects(test, reference, new[place], earlier=new[:place]))
            ratios.append(next(finds, np.inf) / size)
        shares = [f"{np.mean(np.array(ratios) <= most):.0%}" for most in (1.0, 1.5, 2.0)]
        print(f"{known:>9} {size:>10} {np.median(ratios):>7.2f} {shares[0]:>6} {shares[1]:>6} {shares[2]:>6}", flush=True)


def coverage(repeats: int, seed: int) -> None:
    """Print how often the sequence of a change misses the true change at any of 100 looks."""
    chance = np.random.default_rng(seed)
    test = MeanChange(alpha=0.05, up=HEADLINE, planned=PLANNED)
    print(f"{'run rows':>9} {'rates':>12} {'ever missed':>12}")
    for known in (20, 200, 1000):
        for before, after in ((0.02, 0.02), (0.15, 0.15), (0.15, 0.25), (0.5, 0.5)):
            missed = 0
            for _ in range(repeats):
                reference = counted(chance.binomial(known, before), known)
                hits = np.cumsum(chance.random(2000) < after)
                looks = np.unique(np.geomspace(1, 2000, 100).astype(int))
                change = after - before
                new = [counted(hits[n - 1], n) for n in looks]
                missed += any(rejects(test, reference, now, change, new[:place]) for place, now in enumerate(new))
            print(f"{known:>9} {before:>5} {after:>6} {missed / repeats:>12.1%}", flush=True)


def counted(hits: int, rows: int) -> CountedValues:
    """Return counted hits and misses."""
    return CountedValues(np.array([0.0, 1.0]), np.array([rows - hits, hits], dtype=float))


def rejects(test: MeanChange, reference: CountedValues, new: CountedValues, change: float = 0.0, earlier: Looks = ()) -> bool:
    """Whether a test rejects a change; nothing is computed where it cannot."""
    return far(reference, new, change) > 1.2 and test.log_evidence(reference, new, change, earlier) >= -np.log(test.alpha)


def main() -> None:
    """Print the parts that were asked for."""
    parser = argparse.ArgumentParser()
    parts = {"alarms": alarms, "power": power, "coverage": coverage}
    parser.add_argument("--part", choices=[*parts], action="append")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for part in asked.part or parts:
        parts[part](asked.repeats, asked.seed)


if __name__ == "__main__":
    main()
