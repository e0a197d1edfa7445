"""The slices of large errors worked out by hand: what is a condition, what stands out, what a slice is held against."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.stats.intervals import mover_difference, mover_ratio
from glassbench.stats.sampling import Sampling
from glassbench_audits.errors.allowed import Allowed
from glassbench_audits.errors.audit import audit, detectable_ratio
from glassbench_audits.errors.conditions import conditions
from glassbench_audits.errors.mean_error import mean_of
from glassbench_audits.errors.proof import contrast, p_values
from glassbench_audits.errors.search import alike, search
from glassbench_audits.errors.slices import Slice, _distinct


def slice_of(
    p: float = 0.01, *, inside: np.ndarray | None = None, ratio: tuple = (1, 1, 1), difference: tuple = (0, 0, 0)
) -> Slice:
    ends = {name: tuple(map(np.array, three)) for name, three in (("ratio", ratio), ("difference", difference))}
    rows = np.ones(4, dtype=bool) if inside is None else inside
    none = (np.array(0.0),) * 3
    return Slice(words="x", features=("x",), inside=rows, tested=2, p=p, mean=none, others=none, **ends)


@pytest.mark.parametrize(
    ("ratio", "difference", "grade"),
    [
        ((1.2, 1.0, 1.4), (0.02, 0.0, 0.05), "ok"),
        ((1.2, 1.0, 1.6), (0.02, 0.0, 0.05), "unclear"),
        ((1.2, 1.0, 1.4), (0.02, 0.0, 0.15), "unclear"),
        ((2.0, 1.6, 2.4), (0.02, 0.0, 0.05), "concern"),
        ((1.2, 1.0, 1.4), (0.2, 0.11, 0.3), "concern"),
    ],
)
def test_a_slice_is_let_pass_where_neither_ratio_nor_gap_can_be_too_large(ratio, difference, grade):
    assert Allowed(times=1.5, gap=0.1).grade(slice_of(ratio=ratio, difference=difference)) == grade


def test_what_nearly_all_rows_meet_is_no_condition_and_values_belong_to_the_bin_that_they_end():
    frame = pd.DataFrame({"a": [*range(95), *[np.nan] * 5], "b": [0.0] * 50 + [7.0] * 50})
    words = {one.words for one in conditions(frame, 10)[0]}
    assert "a known" not in words
    assert {"b 0", "b 7"} <= words
    known, met = conditions(pd.DataFrame({"a": np.arange(100.0)}), 5)
    first = next(place for place, one in enumerate(known) if one.words == "a at most 4")
    assert met[:, first].sum() == 5  # the lowest twentieth, its largest value among it


def test_a_p_value_of_draws_is_never_0():
    errors = np.array([9.0, 8.0, *np.linspace(0, 1, 18)])
    inside = (np.arange(20) < 2)[:, None]
    assert p_values(errors, inside, np.random.default_rng(0), shares=False, replicates=49)[0] == pytest.approx(1 / 50)


def test_whole_clusters_change_sign_by_what_they_say_of_the_slice_against_all_rows():
    """Every pattern of signs of six clusters, weighed alike; most rows are in the slice."""
    clusters, level = np.repeat(np.arange(6), 4), np.array([0.9, 0.8, 0.7, 0.2, 0.1, 0.3])
    errors, inside = level[clusters] + np.tile([0.0, 0.05, -0.05, 0.0], 6), np.arange(24) % 4 > 0
    inside[[3, 7]] = False
    says = np.array([((errors - errors.mean()) * (inside - inside.mean()))[clusters == k].sum() for k in range(6)])
    exact = np.mean([np.dot(signs, says) >= says.sum() - 1e-12 for signs in product((-1, 1), repeat=6)])
    alone = np.array([((errors - errors.mean()) * inside)[clusters == k].sum() for k in range(6)])
    naive = np.mean([np.dot(signs, alone) >= alone.sum() - 1e-12 for signs in product((-1, 1), repeat=6)])
    assert abs(exact - naive) > 0.05
    found = p_values(errors, inside[:, None], np.random.default_rng(0), shares=False, replicates=8000, clusters=clusters)
    assert found[0] == pytest.approx(exact, abs=0.02)


def test_a_slice_is_put_beside_the_others_by_the_limits_of_both():
    drawn = np.random.default_rng(1)
    inside = np.arange(200) < 80
    errors = (drawn.random(200) < np.where(inside, 0.6, 0.3)).astype(float)
    mine, others, difference, ratio = contrast(errors, inside, drawn, shares=True, level=0.95, clusters=None)
    assert (float(mine[0]), float(others[0])) == pytest.approx((errors[:80].mean(), errors[80:].mean()))
    assert [float(end) for end in difference[1:]] == pytest.approx([float(end) for end in mover_difference(mine, others)])
    assert [float(end) for end in ratio] == pytest.approx(
        [errors[:80].mean() / errors[80:].mean(), *map(float, mover_ratio(mine, others))]
    )


def test_means_of_rows_that_hang_together_are_resampled_by_cluster():
    clusters = np.repeat(np.arange(20), 10)
    errors, inside = np.random.default_rng(2).random(20)[clusters], np.arange(200) % 2 == 0
    widths = [
        float(found[0][2] - found[0][1])
        for found in (
            contrast(errors, inside, np.random.default_rng(0), shares=False, level=0.95, clusters=codes)
            for codes in (clusters, None)
        )
    ]
    assert widths[0] > 1.8 * widths[1]


def test_rows_of_a_slice_are_drawn_without_replacement():
    """Of a hundred numbers the mean of sixty varies by the part of them that is left out (Cochran 1977)."""
    errors, met = np.random.default_rng(4).gamma(1, 1, 100), (np.arange(100) < 60)[:, None]
    (found,) = search(errors, met, ["a"], atoms=2, fewest=5, most=3, depth=1)
    standard = errors.std() * math.sqrt((100 - 60) / (100 - 1) / 60)
    assert found.excess + math.sqrt(2 * math.log(2)) == pytest.approx((errors[:60].mean() - errors.mean()) / standard, rel=1e-5)


def test_a_slice_has_one_condition_of_each_feature():
    """Errors where the first condition of one feature and both of another are met: such a slice is not to be proposed."""
    drawn = np.random.default_rng(5)
    met = drawn.random((600, 6)) < 0.6
    features = ["a", "b", "b", "c", "c", "d"]
    found = search(np.where(met[:, :3].all(axis=1), 0.9, 0.1), met, features, atoms=6, fewest=10, most=50, depth=3)
    named = [[features[place] for place in one.conditions] for one in found]
    assert len(named) > 3
    assert all(len(set(names)) == len(names) for names in named)


def test_slices_are_alike_that_share_more_than_half_of_what_either_holds():
    a, b = np.arange(10) < 6, (np.arange(10) >= 2) & (np.arange(10) < 6)
    assert alike(a, b)  # 4 of 6
    assert not alike(np.arange(10) < 4, np.arange(10) < 9)  # 4 of 9, though all of the smaller one


def test_p_values_of_slices_are_corrected_together():
    rows = [np.arange(12) // 4 == place for place in range(3)]
    found = _distinct([slice_of(p, inside=each) for p, each in zip((0.04, 0.01, 0.03), rows, strict=True)])
    assert [one.p for one in found] == pytest.approx([0.03, 0.06, 0.06])
    assert found[0].inside.tolist() == rows[1].tolist()


def test_the_mean_error_is_that_of_the_rows_that_are_wrong():
    errors = RowErrors(size=np.array([0.0, 1.0, 0.0, 1.0, 0.0]), binary=True, words="", measure="")
    assert mean_of(errors, Sampling(weight=np.ones(5))).value == pytest.approx(0.4)


def test_a_gap_of_values_is_let_pass_in_deviations_of_the_truth(regression):
    drawn = np.random.default_rng(0)
    truth, city = drawn.normal(0, 40, 800), drawn.choice(["Rome", "Lima"], 800)
    result = audit(regression(truth, truth + drawn.normal(0, np.where(city == "Lima", 9, 1)), {"city": city}), depth=1)
    assert result.method.parameters["gap_allowed"] == pytest.approx(0.1 * truth.std())


def test_half_of_the_rows_are_there_to_see_a_slice_in():
    errors = np.tile([0.0, 0.0, 0.0, 1.0], 1000)
    standard = math.sqrt(0.25 * 0.75 / 100)  # a slice of 5 % of the 2000 rows of one half
    expected = 1 + (norm.ppf(1 - 0.025 / 100) + norm.ppf(0.9)) * standard / 0.25
    assert detectable_ratio(errors, 100) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("ratio", "difference"), [((2.0, 1.4, 2.9), (0.02, 0.0, 0.05)), ((1.2, 1.0, 1.4), (0.2, 0.05, 0.4)), ((9, 1, 80), (1, 0, 2))]
)
def test_a_slice_that_seems_worse_than_allowed_and_may_not_be_is_unclear(ratio, difference):
    assert Allowed(times=1.5, gap=0.1).grade(slice_of(ratio=ratio, difference=difference)) == "unclear"
