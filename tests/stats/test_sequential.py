"""Sequential tests hold their level exactly: every sample that there can be is weighed with its probability."""

from itertools import product
from math import comb, exp

import numpy as np
import pytest
from scipy.stats import binom

from glassbench.stats.counted_values import CountedValues
from glassbench.stats.planned_look import PlannedLook, _chance
from glassbench.stats.sequential_means import MeanChange
from glassbench.stats.sequential_ranks import RankCells


def shares(hits, rows):
    return CountedValues(np.array([0.0, 1.0]), np.array([rows - hits, hits], dtype=float))


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.5, 0.9])
def test_a_mean_that_did_not_change_is_ever_called_changed_no_oftener_than_allowed(rate):
    test, known, rows = MeanChange(alpha=0.2, effect=0.6), 5, 7
    states = [(s, k, n) for s in range(known + 1) for n in range(1, rows + 1) for k in range(n + 1)]
    rejects = {(s, k, n): test.rejects(shares(s, known), shares(k, n)) for s, k, n in states}
    ever = 0.0
    for s, path in product(range(known + 1), product([0, 1], repeat=rows)):
        hits = np.cumsum(path)
        if any(rejects[s, int(hits[n - 1]), n] for n in range(1, rows + 1)):
            ever += binom.pmf(s, known, rate) * rate ** hits[-1] * (1 - rate) ** (rows - hits[-1])
    assert 0 <= ever <= 0.2


def test_the_wealth_of_bets_on_a_mean_is_at_most_one_on_average():
    test, known, rows, rate = MeanChange(alpha=0.05), 6, 6, 0.4
    mean = sum(
        binom.pmf(s, known, rate) * binom.pmf(k, rows, rate) * exp(test.log_evidence(shares(s, known), shares(k, rows)))
        for s in range(known + 1)
        for k in range(rows + 1)
    )
    assert mean <= 1


@pytest.mark.parametrize("looks", [tuple(range(1, 7)), (2, 6), (1, 3, 5), (6,)])
def test_a_planned_look_raises_no_more_false_alarms_than_allowed(looks):
    """Every sample of 6 and every order of 6 rows, looked at after each row or after several at once."""
    test, known, rows = MeanChange(alpha=0.2, effect=0.7, up=0.9, planned=0.8), 6, 6
    rates = np.array([0.1, 0.45, 0.8])
    paths: dict[tuple[int, ...], np.ndarray] = {}
    for path in product([0, 1], repeat=rows):
        hits = np.cumsum(path)
        key = tuple(int(hits[n - 1]) for n in looks)
        paths[key] = paths.get(key, 0) + rates ** hits[-1] * (1 - rates) ** (rows - hits[-1])
    ever, paid = np.zeros(3), np.zeros(3)
    for s in range(known + 1):
        reference, often = shares(s, known), binom.pmf(s, known, rates)
        planned = PlannedLook.of(reference, 0.16, 0.7)
        rejected: dict[tuple[int, ...], bool] = {}
        for hits, chance in paths.items():
            seen = [shares(k, n) for k, n in zip(hits, looks, strict=True)]
            for place, now in enumerate(seen):
                if hits[: place + 1] not in rejected:
                    rejected[hits[: place + 1]] = test.rejects(reference, now, seen[:place])
            ever += any(rejected[hits[: place + 1]] for place in range(len(seen))) * chance * often
            paid += np.exp(planned.log_wealth(rates, 0.0, seen)) * chance * often
    assert (ever <= 0.2).all()
    assert (paid <= 1 + 1e-9).all()  # less where so few rows can never pay


@pytest.mark.parametrize("planned", [0.0, 0.3, 0.8])
def test_all_bets_together_are_made_with_a_wealth_of_one(planned):
    test, known, rows, rate = MeanChange(alpha=0.2, effect=0.7, up=0.9, planned=planned), 6, 6, 0.45
    mean = sum(
        binom.pmf(s, known, rate) * binom.pmf(k, rows, rate) * exp(test.log_evidence(shares(s, known), shares(k, rows)))
        for s in range(known + 1)
        for k in range(rows + 1)
    )
    assert 0.1 < mean <= 1


def test_what_is_set_aside_for_a_planned_look_is_lost_where_new_values_are_no_longer_0_and_1():
    reference = shares(12, 80)
    new = CountedValues(np.array([0.0, 0.5, 1.0]), np.array([30.0, 4.0, 26.0]))
    plain, planned = (MeanChange(alpha=0.05, effect=0.3, up=0.9, planned=share) for share in (0.0, 0.75))
    lost = planned.log_evidence(reference, new) - plain.log_evidence(reference, new)
    assert lost == pytest.approx(np.log(0.25))


def test_a_planned_look_is_a_fair_bet_whenever_one_looks():
    reference, rate, means = shares(12, 80), 0.2, {(20,): 0.0, (20, 70): 0.0, (20, 90): 0.0, (90,): 0.0}
    planned = PlannedLook.of(reference, 0.04, 0.3)
    assert planned is not None
    assert 20 < planned.rows < 70

    def wealth(*looks):
        return exp(planned.log_wealth(np.array([rate]), 0.0, [shares(k, n) for k, n in looks])[0])

    for first in range(21):
        likely = binom.pmf(first, 20, rate)
        means[20,] += likely * wealth((first, 20))
        for n in (70, 90):
            seen = ((k, binom.pmf(k - first, n - 20, rate)) for k in range(first, first + n - 19))
            means[20, n] += likely * sum(chance * wealth((first, 20), (k, n)) for k, chance in seen)
    means[90,] = sum(binom.pmf(k, 90, rate) * wealth((k, 90)) for k in range(91))
    won = float(np.exp(planned._won(np.array([rate])))[0])
    assert list(means.values()) == pytest.approx([won] * 4, rel=1e-6)
    over_references = sum(
        binom.pmf(s, 80, rate) * float(np.exp(PlannedLook.of(shares(s, 80), 0.04, 0.3)._won(np.array([rate])))[0])
        for s in range(81)
    )  # each with the rows that are planned for it
    assert over_references == pytest.approx(1)


def test_a_planned_look_finds_a_rise_that_bets_at_all_times_miss():
    reference, new = shares(150, 1000), [shares(228, 1200)]
    assert not MeanChange(alpha=0.0285, up=0.95).rejects(reference, new[-1])
    assert MeanChange(alpha=0.0285, up=0.95, planned=0.8).rejects(reference, new[-1])
    low, _ = MeanChange(alpha=0.0285, up=0.95, planned=0.8).interval(reference, new[-1])
    assert 0 < low < 0.04


def test_what_cannot_be_planned_is_not():
    assert PlannedLook.of(shares(0, 0), 0.05, 0.05) is None
    assert PlannedLook.of(shares(50, 100), 0.05, 0.05).rows is None  # five points can never be found with so small a reference
    assert PlannedLook.of(CountedValues.of(np.array([0.0, 0.5, 1.0] * 2000)), 0.05, 0.05) is None
    halves = CountedValues.of(np.array([0.5] * 2000))
    test = MeanChange(alpha=0.05, planned=0.8)
    assert test.log_evidence(shares(300, 2000), halves) > 0  # values between 0 and 1 among the new ones: other bets alone


def test_the_interval_holds_the_one_of_fixed_samples_and_shrinks():
    few, many = (MeanChange(alpha=0.05).interval(shares(n // 5, n), shares(n // 4, n)) for n in (400, 40_000))
    wald = 1.96 * np.sqrt(0.25 * 0.75 / 40_000 + 0.2 * 0.8 / 40_000)
    assert many[0] < 0.05 - wald < 0.05 + wald < many[1]
    assert many[1] - many[0] < 0.3 * (few[1] - few[0])
    assert many[0] > 0  # five points are certain with 40,000 rows


@pytest.mark.parametrize(
    "content",
    [
        {"edges": [[1.0, 0.5]], "reference": [3]},
        {"edges": [[1.0, 0.5]], "reference": [3, 2, 1]},
        {"edges": [[1.0, 0.5]], "reference": [3, 0]},
        {"edges": [[1.0, 0.5]], "reference": [-1, 4]},
    ],
)
def test_cells_that_do_not_fit_their_edges_or_count_no_row_are_damaged(content):
    with pytest.raises(ValueError, match="do not fit"):
        RankCells.from_json(content)
    whole = {"edges": [[1.0, 0.5]], "reference": [3, 1]}
    assert RankCells.from_json(whole).to_json() == whole


def test_nothing_is_known_without_rows_and_counts_survive_json():
    none = CountedValues.of(np.array([]))
    assert MeanChange(alpha=0.05).interval(none, shares(1, 4)) == (-1.0, 1.0)
    some = CountedValues.of(np.array([0.0, 0.5, 0.5, 1.0])) + CountedValues.of(np.array([1.0]))
    assert CountedValues.from_json(some.to_json()).to_json() == some.to_json() == {"0": 1, "25": 2, "50": 2}
    assert (some.n, some.mean) == (5, 0.6)
    with pytest.raises(ValueError, match="between 0 and 1"):
        CountedValues.of(np.array([0.5, 1.5]))


def test_the_wealth_of_rank_cells_is_one_on_average_under_the_urn():
    cells = RankCells(edges=((1.0, 0.5), (2.0, 0.5), (3.0, 0.5)), reference=(3, 2, 1, 4))
    rows, total = 5, 0.0
    for counts in product(range(rows + 1), repeat=4):
        if sum(counts) != rows:
            continue
        ways, left = 1.0, rows
        urn, drawn = list(cells.reference), 0
        for cell, count in enumerate(counts):
            ways *= comb(left, count)
            left -= count
            for _ in range(count):
                ways *= urn[cell] / (sum(cells.reference) + drawn)
                urn[cell], drawn = urn[cell] + 1, drawn + 1
        total += ways * exp(cells.log_evidence(np.array(counts)))
    assert total == pytest.approx(1)


@pytest.mark.parametrize("values", [[7.0] * 99, [None, "a", "b"] * 33, np.arange(99.0).tolist()])
def test_ties_fall_into_cells_as_often_as_the_reference_says(values):
    chance = np.random.default_rng(1)
    cells = RankCells.of(values, chance)
    assert sum(cells.reference) == 100
    often = [RankCells.of(values, chance).count(values, chance) for _ in range(400)]
    assert np.mean(often, axis=0) / 99 == pytest.approx(np.array(cells.reference) / 100, abs=0.01)
    counts = cells.count(values * 40, chance)
    assert RankCells.from_json(cells.to_json()).log_evidence(counts) == cells.log_evidence(counts)


def test_a_shift_is_found_and_a_tiny_reference_proves_nothing_wrong():
    chance = np.random.default_rng(2)
    cells = RankCells.of(chance.normal(size=1000).tolist(), chance)
    assert cells.log_evidence(cells.count(chance.normal(0.3, 1, 1000).tolist(), chance)) > np.log(20)
    assert cells.log_evidence(cells.count(chance.normal(size=1000).tolist(), chance)) < np.log(20)
    alone = RankCells.of([1.0], chance)
    assert alone.log_evidence(alone.count([5.0] * 1000, chance)) < np.log(20)  # one row's rank is no evidence


def test_the_ends_of_an_interval_are_where_the_evidence_of_all_looks_crosses():
    """What a planned look came to at 70 rows stays so: 20 of 70 were 1 then, and 50 of 100 are now."""
    change = MeanChange(alpha=0.05, effect=0.3, up=0.9, planned=0.8)
    reference, now, early = shares(12, 80), shares(50, 100), [shares(20, 70)]
    found = {}
    for looks in ((), early):
        low, high = found[len(looks)] = change.interval(reference, now, looks)
        for end, inward in ((low, 1e-3), (high, -1e-3)):
            assert change.log_evidence(reference, now, end, looks) >= change._threshold
            assert change.log_evidence(reference, now, end + inward, looks) < change._threshold
        assert change.rejects(reference, now, looks) == (low > 0 or high < 0)
    assert found[1][0] < found[0][0] - 0.002


def test_a_planned_look_goes_on_from_what_the_looks_before_it_told() -> None:
    """Ten rows are planned for. Six came and were all 1; then eight more, all 0, of which the first four are among the ten."""
    looks = [shares(6, 6), shares(6, 14)]
    least = np.array([6, 7])
    assert _chance(10, least, np.array([0.5, 0.5]), looks) == pytest.approx([1.0, 0.0])
    assert _chance(10, least, np.array([0.5, 0.5]), looks[:1]) == pytest.approx([1.0, 1 - 0.5**4])


def test_cells_are_apart_by_the_greatest_difference_of_their_shares_up_to_an_edge() -> None:
    cells = RankCells(((1.0, 0.5), (2.0, 0.5), (3.0, 0.5)), (2, 2, 2, 2))
    assert cells.distance(np.array([4, 0, 0, 4])) == pytest.approx(0.25)
    assert cells.distance(np.array([0, 0, 0, 8])) == pytest.approx(0.75)
    assert cells.distance(np.zeros(4)) == 0


def test_absent_values_lie_below_numbers_and_these_below_texts() -> None:
    cells = RankCells(((1.0, 0.5), ("b", 0.5)), (1, 1, 1))
    assert cells.count([None, None, 0.0, 5.0, 7.0, "a", "c"], np.random.default_rng(0)).tolist() == [3, 3, 1]
