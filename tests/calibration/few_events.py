"""How often intervals of metrics miss the truth, and on which side, from five events up; and gaps of them between groups.

Run: python tests/calibration/few_events.py [--part means|areas|balanced|losses|gaps] [--sets 1000]; about ten minutes of one
processor in all. Prints the tables of docs/calibration.md: misses below means that the whole interval lies below the truth.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri

from glassbench.stats.inference import Inference, mean
from glassbench.stats.ranking import area
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.drawn_panel import DrawnPanel, Measured
from glassbench_audits.fairness.gaps import gaps
from glassbench_audits.fairness.groups import Group
from glassbench_audits.fairness.rates import Line
from glassbench_plugins.supervised.metrics import RATES, SCORES

Z = float(ndtri(0.975))
Draw = Callable[[np.random.Generator], Inference]
ERRORS = {
    "lognormal (1)": (lambda rng, n: np.exp(rng.normal(size=n)), float(np.exp(0.5))),
    "|t3|": (lambda rng, n: np.abs(rng.standard_t(3, size=n)), float(2 * 3**0.5 / np.pi)),
    "|normal|": (lambda rng, n: np.abs(rng.normal(size=n)), float((2 / np.pi) ** 0.5)),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
}


def independent(n: int) -> Sampling:
    """Return the sampling of independent rows."""
    return Sampling(weight=np.ones(n))


def one_mean(kind: str, n: int) -> tuple[Draw, float]:
    """Return how the mean of absolute errors is drawn and estimated, and its truth."""
    draw, truth = ERRORS[kind]
    return lambda rng: mean(draw(rng, n), independent(n), lowest=0.0), truth


def one_area(positives: int, negatives: int, truth: float) -> tuple[Draw, float]:
    """Return the area of normal scores."""
    member, apart = np.repeat([1, 0], [positives, negatives]), 2**0.5 * float(ndtri(truth))

    def draw(rng: np.random.Generator) -> Inference:
        score = ndtr(rng.normal(size=len(member)) + apart * member)
        return area(np.stack([1 - score, score], axis=1), member, independent(len(member)), [1], None)

    return draw, truth


def one_balanced(positives: int, negatives: int, recalls: tuple[float, float]) -> tuple[Draw, float]:
    """Return the balanced accuracy of two classes with these recalls, positives first."""
    truth = np.repeat(["1", "0"], [positives, negatives])
    metric = next(m for m in RATES if m.name == "balanced_accuracy")

    def draw(rng: np.random.Generator) -> Inference:
        right = rng.random(len(truth)) < np.where(truth == "1", *recalls)
        other = np.where(truth == "1", "0", "1")
        return metric.infer(pd.DataFrame({"truth": truth, "decision": np.where(right, truth, other)}), rng)

    return draw, sum(recalls) / 2


def one_loss(name: str, rows: int, share: float) -> tuple[Draw, float]:
    """Return log loss or Brier score of probabilities that are somewhat too sure, `share` of the rows positive."""
    metric = next(m for m in SCORES if m.name == name)

    def frame(rng: np.random.Generator, n: int) -> pd.DataFrame:
        logit = np.log(share / (1 - share)) + rng.normal(size=n)
        truth, stated = rng.random(n) < expit(logit), expit(1.3 * logit)
        return pd.DataFrame({"truth": np.where(truth, "1", "0"), "score.0": 1 - stated, "score.1": stated})

    large = frame(np.random.default_rng(99), 2_000_000)
    truth = float(metric.compute(large, np.ones((1, len(large))))[0])
    return lambda rng: metric.infer(frame(rng, rows), rng), truth


def misses(draw: Draw, truth: float, sets: int) -> tuple[float, float, float]:
    """Return how often the interval lies below the truth, above it, and is not given."""
    rng, seen = np.random.default_rng(7), []
    for _ in range(sets):
        low, high = draw(rng).limits(Z)
        seen.append((high < truth, low > truth, np.isnan(low)))
    below, above, none = np.array(seen).sum(axis=0)
    given = max(sets - none, 1)
    return below / given, above / given, none / sets


def gap_misses(draws: list[Draw], truth: float, sets: int) -> tuple[float, float, float]:
    """Return the same of the gap between the highest and the lowest of groups."""
    rng, seen = np.random.default_rng(8), []
    groups = tuple(Group(by=("g",), values=(str(i),)) for i in range(len(draws)))
    for _ in range(sets):
        cells = tuple(draw(rng) for draw in draws)
        measured = [Measured(line=Line("x", "x", "rows", None), inferences=(*cells, cells[0]))]
        panel = DrawnPanel(groups, np.array([c.n for c in cells]), measured, replicates=400, generator=rng)
        gap, _ = gaps(panel, [(0,)], np.ones(panel.value.shape, dtype=bool), 0.95)[0]
        low, high = (np.nan if end is None else end for end in (gap.low, gap.high))
        seen.append((high < truth - 1e-12, low > truth + 1e-12, np.isnan(low)))
    below, above, none = np.array(seen).sum(axis=0)
    given = max(sets - none, 1)
    return below / given, above / given, none / sets


def cases(part: str) -> Iterator[tuple[str, Draw, float]]:
    """Yield what is simulated, in words."""
    if part == "means":
        for kind in ERRORS:
            for n in (30, 100, 300):
                yield (f"mean absolute error, {kind}, {n} rows", *one_mean(kind, n))
    if part == "areas":
        for m, n in ((5, 45), (5, 95), (10, 90), (25, 75), (50, 50)):
            for truth in (0.6, 0.8, 0.92):
                yield (f"AUC {truth}, {m} of {m + n} positive", *one_area(m, n, truth))
    if part == "balanced":
        for m, n in ((5, 45), (5, 95), (10, 90), (50, 50)):
            for recalls in ((0.6, 0.9), (0.8, 0.8), (0.9, 0.95)):
                yield (f"balanced accuracy, recalls {recalls}, {m} of {m + n} positive", *one_balanced(m, n, recalls))
    if part == "losses":
        for name in ("log_loss", "brier"):
            for rows, share in ((100, 0.08), (200, 0.05), (400, 0.1), (200, 0.5)):
                yield (f"{name}, {rows} rows, share {share}", *one_loss(name, rows, share))


def gap_cases() -> Iterator[tuple[str, list[Draw], float]]:
    """Yield gaps between groups that are alike, and between groups of which one lies apart."""
    for k in (2, 4, 6):
        yield f"AUC .8, {k} groups of 10 in 100", [one_area(10, 90, 0.8)[0]] * k, 0.0
        yield f"AUC .8, one .7, {k} groups of 25 in 100", [one_area(25, 75, 0.7)[0], *[one_area(25, 75, 0.8)[0]] * (k - 1)], 0.1
        for kind in ("lognormal (1)", "|t3|"):
            yield f"MAE {kind}, {k} groups of 30", [one_mean(kind, 30)[0]] * k, 0.0
        yield f"log loss, {k} groups of 200, share .1", [one_loss("log_loss", 200, 0.1)[0]] * k, 0.0


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["means", "areas", "balanced", "losses", "gaps"], action="append")
    parser.add_argument("--sets", type=int, default=1000)
    given = parser.parse_args()
    print("| what | holds | interval below the truth | interval above | too few events |\n|---|---|---|---|---|")
    for part in given.part or ["means", "areas", "balanced", "losses", "gaps"]:
        found = (
            ((words, gap_misses(draws, truth, given.sets)) for words, draws, truth in gap_cases())
            if part == "gaps"
            else ((words, misses(draw, truth, given.sets)) for words, draw, truth in cases(part))
        )
        for words, (below, above, none) in found:
            print(f"| {words} | {1 - below - above:.3f} | {below:.3f} | {above:.3f} | {none:.2f} |", flush=True)


if __name__ == "__main__":
    main()
