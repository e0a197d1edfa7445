"""Clusters worked out by hand: what they are made of, which rows stand for them, whether they come back, and their measures."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    normalized_mutual_info_score,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture

from glassbench.contracts.schema import Feature
from glassbench.stats.intervals import mover_difference, wilson
from glassbench_audits.clusters.composition import _composition, balance, chance
from glassbench_audits.clusters.distances import Distances, _chance, _distances, distance_finding
from glassbench_audits.clusters.effects import effect
from glassbench_audits.clusters.figures import map_chart, size_measures, size_table
from glassbench_audits.clusters.groups import composition_finding, composition_measures
from glassbench_audits.clusters.members import Members
from glassbench_audits.clusters.profile import Trait, most_telling, traits
from glassbench_audits.clusters.prototypes import _second, borderline, borderline_cases, prototypes
from glassbench_audits.clusters.stability import Stability, _overlap, _silhouette, _structure, stability_findings
from glassbench_plugins.clustering import agreement, quality
from glassbench_plugins.clustering.counting import choose
from glassbench_plugins.clustering.fair_kmeans import FairCentres
from glassbench_plugins.clustering.graph import mutual_neighbours
from glassbench_plugins.clustering.kmeans import Centres, _Scored
from glassbench_plugins.clustering.mixture import Mixture


def composed(counts: list[list[int]], p: float = 0.01):
    groups = tuple("abc"[: len(counts[0])])
    return _composition("side", groups, np.array(counts), p, 0.95, 200, np.random.default_rng(0))


def test_gaps_of_cells_hold_for_all_cells_together() -> None:
    counts = np.array([[30, 10], [20, 40]])
    found = composed(counts.tolist())
    for k, g in np.ndindex(2, 2):
        sides = []
        for part in (counts[k], counts[1 - k]):
            n = np.array(part.sum())
            sides.append((part[g] / n, *wilson(np.array(part[g]), n, 1 - 0.05 / 4)))
        low, high = mover_difference(*(tuple(map(np.asarray, side)) for side in sides))
        assert (found.gap[k, g], found.gap_low[k, g], found.gap_high[k, g]) == pytest.approx(
            (sides[0][0] - sides[1][0], float(low), float(high))
        )


def test_balance_is_that_of_the_worst_cluster_and_an_empty_cluster_lacks_nobody() -> None:
    assert balance(np.array([[4, 8], [6, 6], [0, 0]])) == pytest.approx(0.5)
    assert balance(np.array([[4, 8, 2], [6, 6, 6]])) == pytest.approx(0.25)


def test_tables_as_uneven_as_the_one_found_count_in_its_p_value() -> None:
    even = np.array([[5, 5], [5, 5]])
    assert chance(even, np.random.default_rng(0)) == 1.0
    assert chance(np.array([[1, 0], [0, 1]]), np.random.default_rng(0)) == 1.0  # both tables of these margins are as uneven


@pytest.mark.parametrize(
    ("counts", "p", "grade"),
    [
        ([[90, 10], [50, 50]], 0.01, "concern"),
        ([[10, 90], [50, 50]], 0.01, "concern"),
        ([[90, 10], [50, 50]], 0.2, "unclear"),
        ([[54, 46], [50, 50]], 0.01, "unclear"),
        ([[5040, 4960], [5000, 5000]], 0.6, "ok"),
    ],
)
def test_an_imbalance_is_a_concern_by_its_whole_interval_either_way(counts, p, grade) -> None:
    members = SimpleNamespace(names=("one", "two"))
    assert composition_finding(members, composed(counts, p), 0.1).grade == grade


def test_an_imbalance_whose_interval_holds_none_begins_at_none() -> None:
    members = SimpleNamespace(names=("one", "two"))
    for counts, low in (([[54, 46], [50, 50]], 0.0), ([[90, 10], [50, 50]], None)):
        made = composed(counts)
        (found, *_) = composition_measures(members, made, 0.95)
        assert found.value == pytest.approx(abs(counts[0][0] / 100 - 0.5))
        assert found.low == (pytest.approx(min(abs(made.gap_low[0, 0]), abs(made.gap_high[0, 0]))) if low is None else low)


def test_the_most_uneven_cell_that_is_named_surely_differs() -> None:
    few = composed([[1, 4], [200, 300], [250, 250]])
    assert np.abs(few.gap[0, 0]) > np.abs(few.gap[1:, 0]).max()
    assert "gathered in three" in composition_finding(SimpleNamespace(names=("one", "two", "three")), few, 0.1).sentence


def test_means_of_groups_are_as_far_apart_as_their_rows_say() -> None:
    drawn = np.random.default_rng(1)
    far, of = drawn.normal(5, 1, 60), np.repeat([0, 1, 2], [5, 15, 40])
    spread = sum((of == g).sum() * (far[of == g].mean() - far.mean()) ** 2 for g in range(3))
    chance_, generator = [], np.random.default_rng(9)
    for _ in range(2000):
        to = generator.permutation(of)
        chance_.append(sum((to == g).sum() * (far[to == g].mean() - far.mean()) ** 2 for g in range(3)))
    expected = (1 + (np.array(chance_) >= spread - 1e-9).sum()) / 2001
    assert _chance(far, of, np.random.default_rng(9)) == pytest.approx(expected)


def test_a_group_lies_too_far_out_where_its_whole_interval_does() -> None:
    def told(low: float, high: float, p: float = 0.01) -> str | None:
        mean, low_, high_ = (np.array([1.0, end]) for end in ((low + high) / 2, low, high))
        found = distance_finding(Distances("side", ("a", "b"), np.array([9, 9]), mean, low_, high_, 1.0, p))
        return None if found is None else found.grade

    assert [told(1.21, 1.5), told(1.1, 1.5), told(1.05, 1.2), told(1.3, 1.5, 0.05)] == ["concern", "unclear", "ok", None]
    far, of = np.array([1.0, 2.0, 3.0, 5.0, 9.0]), np.array([0, 0, 0, 1, 1])
    found = _distances("side", ("a", "b"), far, of, 0.5, 0.95)
    assert found.high - found.mean == pytest.approx([4.302653 * 1 / 3**0.5, 12.706205 * 8**0.5 / 2**0.5], rel=1e-5)


def test_an_effect_of_categories_is_the_share_that_differs_most_whichever_way() -> None:
    values = pd.Series(["x"] * 10 + ["y"] * 30 + ["z"] * 10 + ["x"] * 6 + ["y"] * 4 + ["z"] * 10 + [None] * 20)
    member = np.arange(90) < 50
    found = effect(values, member, 0.95)
    assert (found.category, found.value, found.inside, found.outside) == ("y", pytest.approx(0.4), 0.6, 0.2)
    turned = effect(values, ~member, 0.95)
    assert (turned.category, turned.value) == ("y", pytest.approx(-0.4))


def test_numbers_without_a_value_lie_nowhere() -> None:
    values = pd.Series([5.0, 6.0, np.nan, 1.0, 5.0, np.nan, np.nan])
    found = effect(values, np.array([True, True, True, False, False, False, False]), 0.95)
    assert (found.value, found.inside, found.outside) == (pytest.approx((3 + 0.5) / 4 * 2 - 1), 5.5, 3.0)


def members_of(decided: list[str], scores: pd.DataFrame, inputs: np.ndarray | None = None, features=()) -> Members:
    frame = pd.DataFrame({"row": [f"r{i}" for i in range(len(decided))], "y_pred": decided})
    predictions = SimpleNamespace(frame=frame, scores=scores, source=None, groups=pd.DataFrame(index=frame.index))
    schema = SimpleNamespace(unit="row", features=features, shape=(1,))
    subject = SimpleNamespace(
        predictions=predictions, schema=schema, facts={}, sample=lambda most, name: np.arange(min(most, len(decided)))
    )
    made = Members(subject)
    made.__dict__["inputs"] = inputs
    return made


SCORES = pd.DataFrame(
    {
        "cluster 2": [0.1, 0.2, 0.7, 0.5, 0.0, 0.1],
        "cluster 10": [0.8, 0.5, 0.2, 0.1, 0.3, 0.2],
        "noise": [0.1, 0.3, 0.1, 0.4, 0.7, 0.7],
    }
)
DECIDED = ["cluster 10", "cluster 10", "cluster 2", "cluster 2", "noise", "noise"]


def test_clusters_come_in_the_models_order_and_shares_are_those_of_all_rows() -> None:
    members = members_of(DECIDED, SCORES)
    assert (members.names, members.codes.tolist(), members.sizes.tolist()) == (
        ("cluster 2", "cluster 10"),
        [1, 1, 0, 0, -1, -1],
        [2, 2],
    )
    found = {one.name: one for one in size_measures(members, 0.95)}
    assert found["clusters.size[cluster 2]"].value == pytest.approx(1 / 3)
    assert [row[1:] for row in size_table(members).rows] == [(2, pytest.approx(1 / 3))] * 3
    two = members_of(["a"] * 5 + ["b"] * 4, pd.DataFrame({"a": np.ones(9), "b": np.zeros(9)}))
    smallest = next(one for one in size_measures(two, 0.95) if one.name == "clusters.smallest_share")
    assert (smallest.value, smallest.high) == (pytest.approx(4 / 9), 0.5)


def test_borderline_rows_lead_least_over_their_second_choice() -> None:
    members = members_of(DECIDED, SCORES)
    assert borderline(members, 0, 2).tolist() == [3, 2]
    assert [case.row for case in borderline_cases(members, 3)] == ["r3", "r1", "r2"]
    assert [_second(members, i) for i in range(4)] == ["cluster 2", "noise", "cluster 10", "noise"]
    assert prototypes(members, 1, 1).tolist() == [0]


def test_prototypes_are_nearest_the_middle_of_their_own_cluster_and_a_map_shows_the_widest_plane() -> None:
    inputs = np.array([[0.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0], [10.0, 0, 1], [11.0, 0.5, 0], [15.0, 0, 0]])
    members = members_of(["cluster 10"] * 3 + ["cluster 2"] * 3, SCORES, inputs)
    assert prototypes(members, 1, 1).tolist() == [1]
    assert prototypes(members, 0, 1).tolist() == [4]
    rows = map_chart(members).rows
    centred = inputs - inputs.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    assert [row["x"] for row in rows] == pytest.approx((centred @ axes[0]).tolist())
    assert [row["y"] for row in rows] == pytest.approx((centred @ axes[1]).tolist())


def test_traits_hold_for_all_clusters_and_features_and_the_strongest_comes_first_either_way() -> None:
    drawn = np.random.default_rng(2)
    member = np.repeat([True, False], 40)
    columns = {"up": drawn.normal(size=80) + member, "down": drawn.normal(size=80) - 3 * member, "idle": drawn.normal(size=80)}
    members = SimpleNamespace(
        names=("one", "two"),
        codes=np.where(member, 0, 1),
        features=tuple((Feature(name=name, columns=(k,)), pd.Series(v)) for k, (name, v) in enumerate(columns.items())),
    )
    found = traits(members, 0.9)
    assert [trait.feature.name for trait in found["one"]] == ["down", "up", "idle"]
    expected = effect(pd.Series(columns["down"]), member, 1 - 0.1 / 6)
    assert found["one"][0].effect == expected
    told = {"one": found["one"], "two": tuple(replace_effect(trait, 0.01) for trait in found["two"])}
    assert most_telling(told) == ("down", "up", "idle")


def replace_effect(trait: Trait, value: float) -> Trait:
    return Trait(trait.feature, replace(trait.effect, value=value))


def test_noise_is_no_cluster_to_come_back_in_nor_to_be_tight() -> None:
    labels = np.array(["a", "a", "b", "noise", "noise", "noise"])
    assert _overlap(np.array([True, True, True, False, False, False]), labels) == pytest.approx(2 / 3)
    assert _overlap(np.array([False, False, False, True, True, True]), labels) == 0.0
    rows = np.array([[0.0], [0.2], [9.0], [9.3], [4.0], [20.0]])
    kept = np.array(["a", "a", "b", "b", "noise", "noise"])
    assert _silhouette(kept, rows) == pytest.approx(silhouette_score(rows[:4], kept[:4]))
    assert _silhouette(np.array(["a"] * 4 + ["noise"] * 2), rows) is None


def test_refits_that_are_as_tight_count_and_those_without_clusters_too(monkeypatch) -> None:
    rows = np.random.default_rng(3).normal(size=(12, 2))
    decided = np.array(["a", "b"] * 6)
    monkeypatch.setattr("glassbench_audits.clusters.stability._again", lambda *_: decided)
    given = iter([0.5, 0.5, 0.4, None, 0.6, None])
    monkeypatch.setattr("glassbench_audits.clusters.stability._silhouette", lambda *_: next(given))
    members = SimpleNamespace(inputs=rows, decided=decided, subject=None)
    found = _structure(members, rows, np.random.default_rng(0), 5)
    assert (found.silhouette, found.shuffled.tolist(), found.p) == (0.5, [0.5, 0.4, 0.6], pytest.approx(3 / 6))


def test_a_cluster_dissolves_where_the_whole_interval_of_its_overlap_does() -> None:
    scattered = 0.55 + np.linspace(-0.3, 0.3, 10)
    found = Stability(np.full(10, 0.74) + np.linspace(-0.2, 0.3, 10), np.stack([scattered, scattered * 0.3], axis=1), None)
    whole, *each = stability_findings(SimpleNamespace(names=("one", "two")), found, 0.95)
    assert whole.grade == "unclear"
    assert [one.measures for one in each] == [("clusters.cluster_stability[two]",)]


def clustering(codes: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"y_pred": codes, "y_true": labels})


def test_agreement_with_labels_is_scikit_learns_and_a_weight_of_two_counts_like_the_row_twice() -> None:
    drawn = np.random.default_rng(4)
    codes, labels = drawn.integers(0, 4, 60), drawn.integers(0, 3, 60)
    labels[:40] = codes[:40] % 3
    frame, weights = clustering(codes, labels), np.stack([np.ones(60), 1.0 + (np.arange(60) < 20)])
    twice = np.concatenate([np.arange(60), np.arange(20)])
    for ours, theirs in (
        (agreement.adjusted_rand_index, adjusted_rand_score),
        (agreement.normalized_mutual_information, normalized_mutual_info_score),
    ):
        assert ours(frame, weights) == pytest.approx([theirs(labels, codes), theirs(labels[twice], codes[twice])])
    best = agreement.matched_accuracy(clustering(np.array([0, 0, 1, 1, 2]), np.array([0, 0, 0, 0, 1])), np.ones((1, 5)))
    assert best == pytest.approx([3 / 5])  # one cluster for each label


def test_measures_of_clusters_are_scikit_learns_without_the_noise() -> None:
    drawn = np.random.default_rng(5)
    codes = np.repeat([0, 1, 2, -1], [6, 14, 25, 10])
    rows = drawn.normal(size=(55, 3)) + 2.0 * codes[:, None]
    rows[codes < 0] += 30
    columns = quality.row_columns(rows, codes)
    frame = columns.assign(y_pred=[f"cluster {k}" if k >= 0 else quality.NOISE for k in codes])
    held, ones = codes >= 0, np.ones((1, 55))
    assert quality.silhouette(frame, ones) == pytest.approx([silhouette_score(rows[held], codes[held])])
    assert quality.calinski_harabasz(frame, ones) == pytest.approx([calinski_harabasz_score(rows[held], codes[held])])
    assert quality.davies_bouldin(frame, ones) == pytest.approx([davies_bouldin_score(rows[held], codes[held])])
    assert quality.assigned(frame, ones) == pytest.approx([45 / 55])


def test_a_row_that_nobody_has_among_its_nearest_joins_the_nearest_one() -> None:
    rows = np.array([[0.0], [1.0], [2.1], [50.0]])
    found = mutual_neighbours(rows, 2)
    assert found[3].tolist() == [2, 2]
    assert found[0].tolist() == [1, 2]


def test_the_variance_of_centres_is_the_mean_square_of_a_column() -> None:
    rows = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 10.0], [10.0, 14.0]])
    torch.manual_seed(0)
    np.random.seed(0)
    found = Centres(clusters=2, most=2, starts=5).fit(rows)
    assert float(found.variance) == pytest.approx((1 + 1 + 4 + 4) / 8)


def test_the_criterion_of_k_means_is_that_of_pelleg_and_moore() -> None:
    rows = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 1.0], [10.0, 10.0], [10.0, 14.0]])
    centres, of = np.array([[1.0, 1 / 3], [10.0, 12.0]]), np.array([0, 0, 0, 1, 1])
    inertia = float(((rows - centres[of]) ** 2).sum())
    fitted = SimpleNamespace(predict=lambda given: of, cluster_centers_=centres, inertia_=inertia)
    variance = inertia / ((5 - 2) * 2)
    logs = sum(np.log(n / 5) * n for n in (3, 2)) - 5 * np.log(2 * np.pi * variance) - inertia / (2 * variance)
    assert _Scored(fitted).bic(rows) == pytest.approx(2 * 3 * np.log(5) - 2 * logs)


def test_the_number_of_clusters_stays_below_that_of_different_rows_and_bic_is_best_where_it_is_least() -> None:
    rows = np.repeat(np.arange(5.0), 3)[:, None]
    values = {1: 9.0, 2: 4.0, 3: 1.0, 4: 6.0}
    found = choose(rows, lambda given, count: SimpleNamespace(bic=lambda _: values[count]), "bic", 9)
    assert (found.chosen, found.curve) == (3, values)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_the_density_of_a_mixture_is_scikit_learns_whatever_its_shape(covariance) -> None:
    rows = np.random.default_rng(6).normal(size=(80, 3)) * [1.0, 2.0, 0.5]
    rows[40:] += 4
    np.random.seed(1)
    ours = Mixture(clusters=2, most=2, covariance=covariance, starts=1, ridge=1e-6).fit(rows)
    np.random.seed(1)
    theirs = GaussianMixture(2, covariance_type=covariance, reg_covar=1e-6).fit(rows)
    assert torch.logsumexp(ours(torch.as_tensor(rows)), dim=1).numpy() == pytest.approx(theirs.score_samples(rows), abs=1e-5)


def test_the_groups_that_are_spread_are_those_of_the_feature_that_is_named() -> None:
    drawn = np.random.default_rng(7)
    side = np.repeat(["l", "r"], 60)
    rows = drawn.normal(size=(120, 2)) + np.where(side == "l", -2.0, 2.0)[:, None] * [1, 0]
    rows[:, 1] += np.tile([-1.0, 1.0], 60)
    groups = pd.DataFrame({"other": drawn.permutation(np.repeat(["x", "y", "z"], 40)), "side": side})
    shares = {}
    for by in ("side", "other"):
        np.random.seed(0)
        fitted = FairCentres(clusters=2, by=by, strength=8.0, starts=3).fit(rows, groups=groups)
        assert (fitted.facts["spread_by"], fitted.facts["groups"]) == (by, {"side": 2, "other": 3}[by])
        own = fitted(torch.as_tensor(rows)).argmax(dim=1).numpy()
        shares[by] = abs((side[own == 0] == "l").mean() - 0.5)
    assert shares["side"] < 0.2 < shares["other"]
