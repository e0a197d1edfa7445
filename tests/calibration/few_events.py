"""How often intervals of metrics miss the truth, and on which side, from five events up; and gaps of them between groups.

Run: python tests/calibration/few_events.py [--part means|areas|balanced|losses|f1|gaps|counted] [--sets 1000] [--seed 7]; about
ten minutes of one processor in all. Prints the tables of docs/explanation/calibration.md: misses below means that the
whole interval lies below the truth.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri

from glassbench.stats.inference import Inference, mean
from glassbench.stats.ranking import area
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.comparison.gaps import gaps
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.measured_frame import Measured, MeasuredFrame
from glassbench_audits.fairness.frames.rates import GroupMetric, class_rates
from glassbench_plugins.supervised.metrics import RATES, SCORES

Z = float(ndtri(0.975))
PARTS = ["means", "areas", "balanced", "losses", "f1", "gaps", "counted"]
Draw = Callable[[np.random.Generator], Inference]
ERRORS = {
    "lognormal (1)": (lambda rng, n: np.exp(rng.normal(size=n)), float(np.exp(0.5))),
    "|t3|": (lambda rng, n: np.abs(rng.standard_t(3, size=n)), float(2 * 3**0.5 / np.pi)),
    "|normal|": (lambda rng, n: np.abs(rng.normal(size=n)), float((2 / np.pi) ** 0.5)),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "lognormal (0.7)": (lambda rng, n: np.exp(0.7 * rng.normal(size=n)), float(np.exp(0.245))),
    "|t4|": (lambda rng, n: np.abs(rng.standard_t(4, size=n)), 1.0),
    "gamma (0.5)": (lambda rng, n: rng.gamma(0.5, size=n), 0.5),
    "|normal|, a tenth five times as wide": (
        lambda rng, n: np.abs(rng.normal(size=n)) * np.where(rng.random(n) < 0.1, 5, 1),
        float(1.4 * (2 / np.pi) ** 0.5),
    ),
}
"""Sizes of errors with their means."""


def independent(n: int) -> Sampling:
    """Return the sampling of independent rows."""
    return Sampling(weight=np.ones(n))


def one_mean(kind: str, n: int) -> tuple[Draw, float]:
    """Return how the mean of absolute errors is drawn and estimated, and its truth."""
    draw, truth = ERRORS[kind]
    return lambda rng: mean(draw(rng, n), independent(n), lowest=0.0), truth


E05 = ERRORS["lognormal (1)"][1]


def one_times(factor: float, n: int) -> Draw:
    """Return how the mean of lognormal errors is drawn that are some times as large."""
    draw = ERRORS["lognormal (1)"][0]
    return lambda rng: mean(factor * draw(rng, n), independent(n), lowest=0.0)


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
        return metric.infer(pd.DataFrame({"y_true": truth, "y_pred": np.where(right, truth, other)}), rng)

    return draw, sum(recalls) / 2


def one_loss(name: str, rows: int, share: float) -> tuple[Draw, float]:
    """Return log loss or Brier score of probabilities that are somewhat too sure, `share` of the rows positive."""
    metric = next(m for m in SCORES if m.name == name)

    def frame(rng: np.random.Generator, n: int) -> pd.DataFrame:
        logit = np.log(share / (1 - share)) + rng.normal(size=n)
        truth, stated = rng.random(n) < expit(logit), expit(1.3 * logit)
        return pd.DataFrame({"y_true": np.where(truth, "1", "0"), "score.0": 1 - stated, "score.1": stated})

    large = frame(np.random.default_rng(99), 2_000_000)
    truth = float(metric.compute(large, np.ones((1, len(large))))[0])
    return lambda rng: metric.infer(frame(rng, rows), rng), truth


def one_f1(rows: int, share: float, recalls: tuple[float, float]) -> tuple[Draw, float]:
    """Return the macro F1 of two classes with these recalls, positives first, `share` of the rows positive."""
    metric = next(m for m in RATES if m.name == "macro_f1")

    def draw(rng: np.random.Generator) -> Inference:
        positive = rng.random(rows) < share
        right = rng.random(rows) < np.where(positive, *recalls)
        truth, decision = (np.where(each, "1", "0") for each in (positive, positive == right))
        return metric.infer(pd.DataFrame({"y_true": truth, "y_pred": decision}), rng)

    tp, fn, fp, tn = share * recalls[0], share * (1 - recalls[0]), (1 - share) * (1 - recalls[1]), (1 - share) * recalls[1]
    return draw, float(tp / (2 * tp + fp + fn) + tn / (2 * tn + fp + fn))


def misses(draw: Draw, truth: float, sets: int, seed: int) -> tuple[float, float, float]:
    """Return how often the interval lies below the truth, above it, and is not given."""
    rng, seen = np.random.default_rng(seed), []
    for _ in range(sets):
        low, high = draw(rng).limits(Z)
        seen.append((high < truth, low > truth, np.isnan(low)))
    below, above, none = np.array(seen).sum(axis=0)
    given = max(sets - none, 1)
    return below / given, above / given, none / sets


def groups_of(many: int) -> tuple[Group, ...]:
    """Return so many groups."""
    return tuple(Group(by=("g",), values=(str(i),)) for i in range(many))


def measured_frame(draws: list[Draw], rng: np.random.Generator) -> GroupFrame:
    """Return the numbers of groups as the fairness audit holds them."""
    cells = tuple(draw(rng) for draw in draws)
    measured = [Measured(metric=GroupMetric("x", "x", "rows", None), inferences=(*cells, cells[0]))]
    return MeasuredFrame(groups_of(len(draws)), np.array([c.n for c in cells]), measured, replicates=400, generator=rng)


def precision_frame(precisions: list[float], rows: int, rng: np.random.Generator) -> GroupFrame:
    """Return precisions of groups of `rows`, three in ten of which are decided positive."""
    decided = rng.binomial(rows, 0.3, size=len(precisions))
    hits = rng.binomial(decided, precisions)
    counts = np.zeros((len(precisions), 2, 2), dtype=int)
    counts[:, 1, 1], counts[:, 0, 1], counts[:, 0, 0] = hits, decided - hits, rows - decided
    asked = [rate for rate in class_rates(("0", "1"), [1]) if rate.metric.name == "precision"]
    return ConfusionFrame(groups_of(len(precisions)), counts, asked, replicates=400, generator=rng)


def gap_misses(
    group_frame: Callable[[np.random.Generator], GroupFrame], truth: float, sets: int, seed: int
) -> tuple[float, float, float]:
    """Return the same of the gap between the highest and the lowest of groups."""
    rng, seen = np.random.default_rng(seed + 1), []
    for _ in range(sets):
        drawn = group_frame(rng)
        gap, _ = gaps(drawn, [(0,)], np.ones(drawn.value.shape, dtype=bool), 0.95)[0]
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
    if part == "f1":
        for rows, share in ((100, 0.1), (200, 0.3), (400, 0.05)):
            for recalls in ((0.6, 0.9), (0.85, 0.8)):
                yield (f"macro F1, {rows} rows, share {share}, recalls {recalls}", *one_f1(rows, share, recalls))


def counted_cases() -> Iterator[tuple[str, Callable[[np.random.Generator], GroupFrame], float]]:
    """Yield gaps of precisions, of which groups have about 30 or 90 rows predicted positive."""
    for k in (2, 3, 6):
        for rows in (100, 300):
            for apart in (0.0, 0.15):
                rates = [0.6 + apart, *[0.6] * (k - 1)]
                words = f"precision .6, {'alike' if not apart else 'one .75'}, {k} groups of {rows}"
                yield words, lambda rng, rates=rates, rows=rows: precision_frame(rates, rows, rng), apart


def gap_cases() -> Iterator[tuple[str, list[Draw], float]]:
    """Yield gaps between groups that are alike, and between groups of which one lies apart."""
    for k in (3, 6):
        even = one_balanced(20, 80, (0.8, 0.8))[0]
        yield f"balanced accuracy .8, {k} groups of 20 in 100", [even] * k, 0.0
        yield (
            f"balanced accuracy .8, one .9, {k} groups of 20 in 100",
            [one_balanced(20, 80, (0.9, 0.9))[0], *[even] * (k - 1)],
            0.1,
        )
        yield f"Brier, {k} groups of 200, share .1", [one_loss("brier", 200, 0.1)[0]] * k, 0.0
        yield f"macro F1, {k} groups of 200, share .3", [one_f1(200, 0.3, (0.7, 0.85))[0]] * k, 0.0
        apart = [one_f1(200, 0.3, recalls) for recalls in ((0.85, 0.9), (0.6, 0.8))]
        yield f"macro F1, one above, {k} groups of 200", [apart[0][0], *[apart[1][0]] * (k - 1)], apart[0][1] - apart[1][1]
        yield (
            f"MAE lognormal (1), one 1.6 times, {k} groups of 60",
            [one_times(1.6, 60), *[one_times(1.0, 60)] * (k - 1)],
            0.6 * E05,
        )
    for k in (2, 4, 6):
        yield f"AUC .8, {k} groups of 10 in 100", [one_area(10, 90, 0.8)[0]] * k, 0.0
        yield f"AUC .8, one .7, {k} groups of 25 in 100", [one_area(25, 75, 0.7)[0], *[one_area(25, 75, 0.8)[0]] * (k - 1)], 0.1
        for kind in ("lognormal (1)", "|t3|"):
            yield f"MAE {kind}, {k} groups of 30", [one_mean(kind, 30)[0]] * k, 0.0
        yield f"log loss, {k} groups of 200, share .1", [one_loss("log_loss", 200, 0.1)[0]] * k, 0.0


def results(part: str, sets: int, seed: int) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Yield what each case of a part comes to."""
    if part == "gaps":
        for words, draws, truth in gap_cases():
            yield words, gap_misses(lambda rng, draws=draws: measured_frame(draws, rng), truth, sets, seed)  # type: ignore[misc]
    elif part == "counted":
        for words, group_frame, truth in counted_cases():
            yield words, gap_misses(group_frame, truth, sets, seed)
    else:
        for words, draw, truth in cases(part):
            yield words, misses(draw, truth, sets, seed)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sets", type=int, default=1000)
    given = parser.parse_args()
    print("| what | holds | interval below the truth | interval above | too few events |\n|---|---|---|---|---|")
    for part in given.part or PARTS:
        for words, (below, above, none) in results(part, given.sets, given.seed):
            print(f"| {words} | {1 - below - above:.3f} | {below:.3f} | {above:.3f} | {none:.2f} |", flush=True)


if __name__ == "__main__":
    main()
