"""What statistics come to on fixed rows: independent, counted, in clusters and of a survey. Laws stand in the other files."""

import math
from typing import Any

import numpy as np
import pytest

from glassbench.stats import clusters as clustered
from glassbench.stats.contrast import paired_mean, paired_share
from glassbench.stats.counted_values import CountedValues
from glassbench.stats.events import other_classes, rarest_class
from glassbench.stats.gap_contrast import gap_contrast
from glassbench.stats.group_numbers import GroupNumbers
from glassbench.stats.inference import Inference, difference, mean, mean_of_shares, share
from glassbench.stats.learning_curve import gain_of_more_rows
from glassbench.stats.more_rows import more_rows
from glassbench.stats.ranking import area
from glassbench.stats.resampling import resampled
from glassbench.stats.sampling import Sampling
from glassbench.stats.sequential_means import MeanChange
from glassbench.stats.sequential_ranks import RankCells
from glassbench.stats.values import mean_absolute_error, r_squared, root_mean_squared_error

CHANCE = np.random.default_rng(20261130)
N = 120
HITS, TRUTH = CHANCE.random(N) < 0.3, CHANCE.gamma(2.0, 3.0, N)
SAID = TRUTH + CHANCE.normal(0.5, 2.0, N)
KIND = CHANCE.choice(3, N, p=[0.5, 0.3, 0.2])
SCORES = CHANCE.dirichlet([2.0, 1.0, 1.0], N) + 0.3 * np.eye(3)[KIND]
OFTEN, WEIGHT = CHANCE.integers(1, 5, N).astype(float), CHANCE.lognormal(0, 0.7, N)
PERSON = np.sort(CHANCE.integers(0, 30, N))
PERSON = np.unique(PERSON, return_inverse=True)[1]
SAMPLINGS = {
    "rows": Sampling(weight=np.ones(N)),
    "counts": Sampling(weight=OFTEN),
    "clusters": Sampling(weight=np.ones(N), clusters=PERSON),
    "counts in clusters": Sampling(weight=OFTEN, clusters=PERSON),
    "survey": Sampling(weight=WEIGHT / WEIGHT.mean(), clusters=np.arange(N), survey=True),
    "survey of clusters": Sampling(weight=WEIGHT / WEIGHT.mean(), clusters=PERSON, survey=True),
}


def told(found: Inference | None) -> list[Any]:
    assert found is not None
    ends = [found.estimate(level) for level in (0.9, 0.95)]
    influence = [] if found.influence is None else found.influence[:5].tolist()
    return [found.value, found.error, found.n, found.freedom, *((e.low, e.high) for e in ends), found.unsupported, influence]


@pytest.mark.parametrize("name", SAMPLINGS)
def test_numbers_and_their_limits(name, pinned):
    s = SAMPLINGS[name]
    accuracy, other = mean(HITS.astype(float), s), mean((SAID > 5).astype(float), s)
    kinds = [k == KIND for k in range(3)]
    spread = s.spread(TRUTH - s.mean(TRUTH))
    numbers = {
        "share": share(HITS, s),
        "share among": share(HITS, s, TRUTH > 4),
        "share of none": share(np.zeros(N, dtype=bool), s),
        "mean": mean(TRUTH, s),
        "mean above 0": mean(TRUTH, s, lowest=0.0),
        "mean between": mean(np.clip(TRUTH / 20, 0, 1), s, lowest=0.0, highest=1.0),
        "difference": difference(accuracy, other, s),
        "mean of shares": mean_of_shares(HITS, kinds, s),
        "absolute error": mean_absolute_error(TRUTH, SAID, s),
        "squared error": root_mean_squared_error(TRUTH, SAID, s),
        "r squared": r_squared(TRUTH, SAID, s),
        "area": area(np.stack([-SAID, SAID], axis=1), HITS.astype(int), s, [1], None),
        "areas": area(SCORES, KIND, s, [0, 1, 2], None),
        "resampled": resampled(lambda w, rows: w @ TRUTH / w.sum(axis=1), s, np.random.default_rng(1), replicates=200),
    }
    facts = [s.rows, s.n, s.clustered, s.noun, s.weighted_words, s.binomial, s.effective, s.freedom, s.size(HITS), s.count(HITS)]
    few = np.array(["a", "b", "c"])[np.where(np.arange(N) < 4, 2, KIND % 2)]
    pinned(
        f"numbers of {name}",
        {
            **{key: told(found) for key, found in numbers.items()},
            "facts": facts,
            "spread": [spread.error, spread.skewness, spread.units, spread.freedom, spread.events],
            "events": [rarest_class(few, s), other_classes(few, s), rarest_class(np.where(KIND > 0, "x", "y"), s)],
            "resamples": [float(w.sum()) for w in s.resampled(3, np.random.default_rng(2))],
            "left out": s.left_out(np.random.default_rng(3), 7).sum(axis=1).tolist(),
        },
    )


def groups(seed: int, rates: list[float]) -> GroupNumbers:
    chance, n = np.random.default_rng(seed), np.array([40, 60, 25, 80][: len(rates)])
    value = chance.binomial(n, rates) / n
    draws = chance.binomial(n, value, (300, len(rates))) / n
    return GroupNumbers(value=value, draws=draws, metric=np.zeros(len(rates), dtype=int), n=n)


@pytest.mark.parametrize("same", [True, False], ids=["same rows", "other rows"])
@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_differences_of_gaps(kind, same, pinned):
    found = {}
    for place, rates in enumerate(([0.5, 0.4, 0.3, 0.6], [0.5, 0.5, 0.5], [0.1, 0.9], [0.05, 0.5, 0.02])):
        one = gap_contrast(groups(place, rates), groups(place + 50, rates[::-1]), kind, units=205, df=150.0, same_rows=same)
        found[str(rates)] = None if one is None else [one.value, one.p, *one.limits(0.95), *one.limits(0.999)]
    pinned(f"gaps, {kind}, {'same' if same else 'other'} rows", found)


def test_shares_of_clusters_and_what_chance_shows_between_groups(pinned):
    part, whole = (clustered.by_group(v, KIND, 3, PERSON) for v in (HITS.astype(float), np.ones(N)))
    nested = PERSON % 3
    within = [clustered.by_group(v, nested, 3, PERSON) for v in (HITS.astype(float), np.ones(N))]
    weights = WEIGHT / WEIGHT.mean()
    sums = [np.array([weights[m].sum(), (weights[m] ** 2).sum()]) for m in (HITS, np.ones(N, dtype=bool))]
    drawn = {
        "across": clustered.between_groups(part, whole, 200, np.random.default_rng(0)),
        "within": clustered.between_groups(*within, 200, np.random.default_rng(0)),
        "survey": clustered.between_groups(*within, 200, np.random.default_rng(0), survey=True),
        "many": clustered.between_groups(np.tile(part, (90, 1)), np.tile(whole, (90, 1)), 200, np.random.default_rng(0)),
    }
    sizes = whole.sum(axis=1)
    pinned(
        "clusters",
        {
            "shares": [end.tolist() for end in clustered.clustered_share(part, whole)],
            "shares, survey": [end.tolist() for end in clustered.clustered_share(part, whole, rows=N)],
            "effective rows": [float(clustered.effective_rows(p, w)) for p, w in ((part[:, 0], whole[:, 0]), (sizes * 0, sizes))],
            "weighted rows": float(clustered.weighted_rows(tuple(sums[0]), tuple(sums[1]), np.array(N))),
            "freedom": [float(clustered.freedom(sizes)), float(clustered.freedom(weights, survey=True))],
            "leverage": clustered.leverage(sizes).tolist()[:6],
            "design": [clustered.design_effect(v, PERSON) for v in (TRUTH, SCORES, np.ones(N))],
            "crossed": [clustered.crossed(whole), clustered.crossed(within[1])],
            **{f"drawn {name}": [values.mean(axis=0).tolist(), values.std(axis=0).tolist()] for name, values in drawn.items()},
        },
    )


def test_sequences_rows_to_come_and_laws_of_size(pinned):
    counts = [
        CountedValues.of(np.random.default_rng(k).random(n) < p) for k, (n, p) in enumerate([(300, 0.2), (150, 0.35), (400, 0.2)])
    ]
    broad = [CountedValues.of(np.random.default_rng(k).beta(2, 2 + k, 200)) for k in range(2)]
    changes = {"plain": MeanChange(alpha=0.05), "planned": MeanChange(alpha=0.02, up=0.95, planned=0.8)}
    cells = RankCells.of(TRUTH.tolist(), np.random.default_rng(0))
    seen = cells.count((TRUTH[:60] + 3).tolist(), np.random.default_rng(1))
    asked = [(0.3, 0.1, 0.5, 100, 0.2), (0.3, 0.199, 0.5, 1000, 0.2), (0.1, 0.02, 0.25, 40, 0.2), (0.5, 0.4, 0.6, 9, 0.5)]
    rows, values = [50.0, 100.0, 200.0, 400.0, 800.0], [0.5, 0.61, 0.66, 0.72, 0.74]
    gain = gain_of_more_rows(rows, values, [0.03, 0.02, 0.01, 0.01, 0.005])
    assert gain is not None
    pinned(
        "sequences",
        {
            **{
                f"{name} {place}": [
                    *change.interval(counts[0], new),
                    change.log_evidence(counts[0], new),
                    change.rejects(counts[0], new),
                ]
                for name, change in changes.items()
                for place, new in enumerate(counts[1:])
            },
            "second look": list(changes["planned"].interval(counts[0], counts[2] + counts[1], [counts[1]])),
            "broad": list(changes["plain"].interval(*broad)),
            "cells": [list(cells.reference), seen.tolist(), cells.log_evidence(seen), cells.distance(seen)],
            "more rows": [str(more_rows(*one)) for one in asked] + [str(more_rows(0.3, 0.1, 0.5, 100, 0.2, level=0.9))],
            "gain": [gain.value, gain.low, gain.high],
            "paired": [
                [c.p, *c.limits(0.95)]
                for c in (paired_share(0.08, 0.03, 90, 20.0), paired_share(-0.1, 0.02, 60), paired_mean(1.0, 0.4, 30, math.inf))
            ],
        },
    )
