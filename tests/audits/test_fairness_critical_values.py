"""Critical values for the choice of the widest pair of groups, against the rule written out pair by pair and order by order."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import norm

from glassbench.stats.intervals import mover_ratio
from glassbench_audits.fairness.comparison.critical_values import folded, simultaneous
from glassbench_audits.fairness.comparison.gaps import ratios_to_highest
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.rates import GroupMetric

CLAIMED = 0.7
"""The part of the error that the end which claims a gap has."""


class Drawn(GroupFrame):
    """Numbers with standard errors downwards and upwards, all `(metrics, groups)`, and resamples `(metrics, groups, b)`."""

    def __init__(self, value, below, above, draws):
        self.value, self.below, self.above, self.draws = value, below, above, draws
        metrics, groups = value.shape
        self.groups = tuple(Group(by=("job",), values=(name,)) for name in "abcdefgh"[:groups])
        self.metrics = tuple(GroupMetric(name=f"m{k}", words="m", of="rows", higher_is_better=None) for k in range(metrics))
        self.n, self.rows, self.ratios = np.full(value.shape, 100), np.full(groups, 100), True

    def measured(self, z, which):
        chosen = slice(None) if which is None else np.asarray(which)
        value = self.value[chosen]
        return value, value - z * self.below[chosen], value + z * self.above[chosen]

    def measured_overall(self, z):
        raise NotImplementedError

    def null(self, which, replicates, generator):
        raise NotImplementedError

    def null_std(self, which):
        raise NotImplementedError


def drawn(seed, value, replicates=400):
    generator, value = np.random.default_rng(seed), np.atleast_2d(value)
    below, above = (generator.uniform(0.02, 0.06, value.shape) for _ in range(2))
    noise = generator.normal(size=(*value.shape, replicates)) * ((below + above) / 2)[:, :, None]
    return Drawn(value, below, above, value[:, :, None] + noise)


def orders(frame, which, keep):
    """Return how far apart, the standard error and the moved resamples of every ordered pair of groups that take part."""
    found = []
    for k in which:
        known = [g for g in range(frame.value.shape[1]) if keep[k, g] and np.isfinite(frame.value[k, g])]
        for g, h in itertools.permutations(known, 2):
            moved = (frame.draws[k, g] - frame.value[k, g]) - (frame.draws[k, h] - frame.value[k, h])
            spread = math.hypot(frame.below[k, g], frame.above[k, h])
            found.append((frame.value[k, g] - frame.value[k, h], spread, moved))
    return found


def quantiles(chosen, level):
    """Return the two quantiles of the largest studentised deviation, at most Bonferroni's bounds."""
    largest = np.sort([max(moved[b] / spread for _, spread, moved in chosen) for b in range(len(chosen[0][2]))])
    shares = 1 - CLAIMED * (1 - level), 0.5 + level / 2
    return [min(largest[math.ceil(s * len(largest)) - 1], norm.isf((1 - s) / len(chosen))) for s in shares]


def by_the_rule(frame, which, keep, level):
    z, every = norm.ppf(0.5 + level / 2), orders(frame, which, keep)
    if not every:
        return z
    reach = quantiles(every, level)[0]
    there = max(apart - reach * spread for apart, spread, _ in every)
    widest = [one for one in every if one[0] + reach * one[1] >= there]
    claimed, both = quantiles(widest, level)
    least = z * max(spread for _, spread, _ in every)
    beyond = max((apart - least) / spread for apart, spread, _ in every)
    return min(max(beyond, norm.ppf(1 - CLAIMED * (1 - level)), claimed), max(z, both))


VALUES = {
    "all alike": [0.5, 0.5, 0.5, 0.5],
    "one apart": [0.5, 0.52, 0.1, 0.48],
    "far apart": [0.1, 0.9, 0.5],
    "a row of steps": [0.2, 0.3, 0.4, 0.5, 0.6],
    "barely apart": [0.5, 0.42, 0.4, 0.46],
    "two metrics": [[0.5, 0.4, 0.3], [0.2, 0.2, 0.25]],
    "one lacks a group": [[0.5, 0.4, np.nan], [0.2, 0.5, 0.25]],
}


@pytest.mark.parametrize("level", [0.95, 0.9])
@pytest.mark.parametrize("name", VALUES)
def test_the_value_is_a_quantile_over_the_pairs_that_may_be_the_widest(name, level):
    frame = drawn(3, VALUES[name])
    keep = np.ones(frame.value.shape, dtype=bool)
    metrics = list(range(len(frame.value)))
    criteria = [tuple(metrics), *((k,) for k in metrics)]
    many = [which for which in criteria if len(orders(frame, which, keep)) > 2]
    found = simultaneous(frame, many, keep, level)
    assert found == pytest.approx([by_the_rule(frame, which, keep, level) for which in many])


def test_groups_that_are_left_out_count_nothing():
    frame = drawn(4, VALUES["a row of steps"])
    keep = np.array([[True, False, True, True, False]])
    assert simultaneous(frame, [(0,)], keep, 0.95) == pytest.approx([by_the_rule(frame, (0,), keep, 0.95)])
    alone = Drawn(*(part[:, [0, 2, 3]] for part in (frame.value, frame.below, frame.above, frame.draws)))
    assert simultaneous(alone, [(0,)], np.ones((1, 3), dtype=bool), 0.95) == pytest.approx(
        simultaneous(frame, [(0,)], keep, 0.95)
    )


def test_a_number_and_one_minus_it_have_one_value():
    frame = drawn(5, VALUES["barely apart"])
    turned = Drawn(1 - frame.value, frame.above, frame.below, 1 - frame.draws)
    both = Drawn(
        *(np.concatenate([getattr(one, part) for one in (frame, turned)]) for part in ("value", "below", "above", "draws"))
    )
    keep = np.ones((2, 4), dtype=bool)
    first, second = simultaneous(both, [(0,), (1,)], keep, 0.95)
    assert first == second == pytest.approx(by_the_rule(frame, (0,), keep, 0.95))
    assert simultaneous(turned, [(0,)], keep[:1], 0.95) == pytest.approx([first])


def test_more_apart_than_chance_moves_any_pair_no_choice_is_left():
    """The widest pair is the widest in every resample, so that its end is that of two groups."""
    frame = drawn(6, [0.05, 0.5, 0.95], replicates=4000)
    assert simultaneous(frame, [(0,)], np.ones((1, 3), dtype=bool), 0.95)[0] == pytest.approx(norm.ppf(0.975), abs=0.12)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_of_two_groups_the_chance_of_a_false_claim_is_as_promised_at_every_distance(level):
    """A claim is false where the low end lies above the true distance; what is seen is the size of a normal number."""
    for truth in (0.0, 0.5, 1.0, 2.0, 3.0, 6.0):
        seen = np.linspace(0, 12, 4001)
        false = seen - np.array([folded(x, level) for x in seen]) > truth
        density = norm.pdf(seen - truth) + norm.pdf(seen + truth)
        assert trapezoid(density * false, seen) <= CLAIMED * (1 - level) + 1e-3


def test_ratios_to_the_highest_allow_for_the_choice_at_the_end_that_claims_alone():
    frame = drawn(7, [0.6, 0.4, 0.55])
    keep = np.ones((1, 3), dtype=bool)
    lows, highs = ratios_to_highest(frame, 0, keep, 0.95)
    wide, plain = simultaneous(frame, [(0,)], keep, 0.95)[0], norm.ppf(0.975)
    assert wide != pytest.approx(plain, abs=0.05)

    def limits(z, g):
        return frame.value[0, g], frame.value[0, g] - z * frame.below[0, g], frame.value[0, g] + z * frame.above[0, g]

    for g in range(3):
        others = [h for h in range(3) if h != g]
        assert lows[g] == pytest.approx(min(1.0, *(float(mover_ratio(limits(plain, g), limits(plain, h))[0]) for h in others)))
        assert highs[g] == pytest.approx(min(1.0, *(float(mover_ratio(limits(wide, g), limits(wide, h))[1]) for h in others)))
