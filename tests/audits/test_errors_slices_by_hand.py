"""Slices of errors at their edges: what is exactly allowed, ties under permutation, overlap, and which rows a slice is of."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.stats.inference import mean, share
from glassbench.stats.intervals import Limits
from glassbench.stats.sampling import Sampling
from glassbench_audits.errors import slices as searched
from glassbench_audits.errors.allowed import Allowed
from glassbench_audits.errors.audit import _measures
from glassbench_audits.errors.exhibits import findings
from glassbench_audits.errors.mean_error import mean_of
from glassbench_audits.errors.proof import p_values
from glassbench_audits.errors.search import alike, overlapping, search
from glassbench_audits.errors.slices import Slice, halve, slices


def limits(value: float, low: float, high: float) -> Limits:
    return np.array(value), np.array(low), np.array(high)


def one(ratio: tuple[float, float, float], difference: tuple[float, float, float], p: float = 0.01) -> Slice:
    return Slice(
        words="age at least 45",
        features=("age",),
        inside=np.arange(10) < 4,
        tested=2,
        p=p,
        mean=limits(0.4, 0.3, 0.5),
        others=limits(0.2, 0.1, 0.3),
        difference=limits(*difference),
        ratio=limits(*ratio),
    )


WRONG = RowErrors(size=np.array([0.0, 1, 0, 1, 1]), words="share of wrong decisions", measure="error_rate", binary=True)
ALLOWED = Allowed(times=1.5, gap=0.25)


@pytest.mark.parametrize(
    ("ratio", "difference", "grade", "words"),
    [
        ((2, 1.5, 3), (0.3, 0.25, 0.5), "unclear", "not enough data"),  # what is exactly allowed is not beyond
        ((1.2, 1, 1.5), (0.1, 0, 0.25), "ok", "within the tolerances"),
        ((2, 1.6, 3), (0.2, 0.1, 0.25), "concern", "beyond the tolerance of 1.5 times, though not of 25.0 points"),
        ((2, 1.6, 3), (0.2, 0.1, 0.3), "concern", "beyond the tolerance of 1.5 times"),
        ((1.4, 1.2, 1.7), (0.4, 0.3, 0.5), "concern", "beyond the tolerance of 25.0 points"),
        ((2, 1.6, 3), (0.4, 0.3, 0.5), "concern", "beyond the tolerances of 1.5 times and 25.0 points"),
    ],
)
def test_either_tolerance_is_told_where_it_is_surely_exceeded(ratio, difference, grade, words) -> None:
    found = one(ratio, difference)
    assert ALLOWED.grade(found) == grade
    said = ALLOWED.words(found, WRONG)
    assert said == words or (grade != "concern" and said.startswith(words))


def test_the_worst_ratio_is_the_largest_of_all_slices_and_not_the_surest() -> None:
    found = [one((2, 1.5, 3), (0.3, 0.2, 0.4)), one((4, 1.2, 9), (0.3, 0.2, 0.4), p=0.02), one((np.inf, 1, np.inf), (1, 0, 1))]
    average = mean_of(WRONG, Sampling(weight=np.ones(5)))
    measured = {m.name: m for m in _measures(found, WRONG, average, 2.0, 0.9)}
    worst = measured["errors.worst_ratio"]
    assert (worst.value, worst.low, worst.high, worst.n) == (4, 1.2, 9, 5)
    assert measured["errors.slices"].value == 3
    assert measured["errors.error_rate"].value == pytest.approx(0.6)
    endless = {m.name: m for m in _measures([one((4, 1.2, np.inf), (0.3, 0.2, 0.4))], WRONG, average, 2.0, 0.9)}
    assert (endless["errors.worst_ratio"].low, endless["errors.worst_ratio"].high) == (None, None)


def test_a_mean_error_of_shares_is_a_share_of_rows_and_of_sizes_a_mean() -> None:
    sampling = Sampling(weight=np.array([1.0, 2, 3, 1, 2]))
    binary, expected = mean_of(WRONG, sampling), share(WRONG.size > 0, sampling)
    assert (binary.value, *binary.limits(1.96)) == pytest.approx((expected.value, *expected.limits(1.96)))
    sizes = replace(WRONG, binary=False, size=np.array([0.1, 4, 0.2, 1, 9]))
    expected = mean(sizes.size, sampling, lowest=0.0)
    assert (mean_of(sizes, sampling).value, *mean_of(sizes, sampling).limits(1.96)) == pytest.approx(
        (expected.value, *expected.limits(1.96))
    )


def test_permutations_that_tie_with_what_was_seen_count() -> None:
    errors = np.array([0.5, 2, 2, 2])
    inside = np.array([[False, True], [True, False], [False, False], [False, False]])
    found = p_values(
        errors, np.stack([inside[:, 0], [True, False, False, False]], axis=1), np.random.default_rng(0), shares=False
    )
    assert found == pytest.approx([0.75, 1.0], abs=0.03)
    exact = p_values(np.array([1.0, 0, 0, 0]), inside[:, 1:], np.random.default_rng(0), shares=True)
    assert exact == pytest.approx([0.25])


def test_slices_share_more_than_half_of_either_or_of_the_smaller() -> None:
    def rows(*places: int) -> np.ndarray:
        return np.isin(np.arange(12), places)

    assert not alike(rows(0, 1, 2), rows(1, 2, 3))  # two of four are exactly half
    assert alike(rows(0, 1, 2), rows(0, 1))
    assert not alike(rows(), rows())
    assert overlapping(rows(0, 1), rows(*range(10)))
    assert overlapping(rows(*range(10)), rows(0, 1))
    assert not overlapping(rows(0, 1), rows(1, 2, 3, 4))
    assert not overlapping(rows(), rows(1))


@pytest.mark.parametrize(("left", "found"), [(9, False), (10, True)])
def test_a_slice_leaves_as_many_rows_out_as_it_needs(left: int, found: bool) -> None:
    errors = np.ones(200)
    errors[:left] = 0
    errors[left : left + 40 : 2] = 0
    met = np.stack([np.arange(200) >= left, np.zeros(200, dtype=bool)], axis=1)
    kept = search(errors, met, ["x", "y"], atoms=2, fewest=10, most=5, depth=1)
    assert [one.conditions for one in kept if np.isfinite(one.excess)] == ([(0,)] if found else [])


def table(n: int = 600, seed: int = 0) -> tuple[pd.DataFrame, RowErrors, np.ndarray]:
    chance = np.random.default_rng(seed)
    features = pd.DataFrame(
        {"home": chance.choice(["own", "rent", "other"], n, p=[0.2, 0.5, 0.3]), "age": chance.normal(50, 9, n)}
    )
    wrong = chance.random(n) < np.where(features["home"] == "own", 0.7, 0.1)
    return features, replace(WRONG, size=wrong.astype(float)), chance.integers(0, 150, n)


def test_a_slice_is_of_all_rows_and_its_errors_of_the_half_it_was_not_found_on() -> None:
    features, errors, _ = table()
    tested, _ = slices(features, errors, np.random.default_rng(4), depth=1)
    first = halve(600, np.random.default_rng(4))
    found, mine = tested[0], (features["home"] == "own").to_numpy()
    assert (found.words, found.n) == ("home “own”", mine.sum())
    halves = [
        (int((mine & half).sum()), errors.size[mine & half].mean(), errors.size[~mine & half].mean()) for half in (first, ~first)
    ]
    assert (found.tested, float(found.mean[0]), float(found.others[0])) in [pytest.approx(half) for half in halves]
    assert float(found.difference[0]) == pytest.approx(float(found.mean[0]) - float(found.others[0]))


def test_the_rows_of_a_half_are_tested_with_their_own_clusters(monkeypatch) -> None:
    features, _, clusters = table()
    codes = np.unique(clusters, return_inverse=True)[1]
    sizes = codes * 0.01 + (features["home"] == "own") * 5.0
    asked = []

    def noted(errors: np.ndarray, inside: np.ndarray, generator: np.random.Generator, **more: object) -> np.ndarray:
        asked.append((errors, more["clusters"]))
        return p_values(errors, inside, generator, **more)

    monkeypatch.setattr(searched, "p_values", noted)
    slices(features, replace(WRONG, size=sizes.to_numpy(), binary=False), np.random.default_rng(1), depth=1, clusters=codes)
    assert len(asked) == 2
    for errors, of in asked:
        assert len(errors) == len(of)
        assert of == pytest.approx(np.round((errors % 5) * 100))
    assert sum(len(errors) for errors, _ in asked) == 600
    assert not set(asked[0][1]) & set(asked[1][1])  # a cluster is in one half


@pytest.mark.parametrize(("detectable", "grade"), [(2.0, "ok"), (3.0, "ok"), (3.01, "unclear")])
def test_a_search_that_would_have_seen_three_times_the_errors_could_tell(detectable: float, grade: str) -> None:
    (said,) = findings([], WRONG, ALLOWED, detectable, 7, "rows")
    assert said.grade == grade
