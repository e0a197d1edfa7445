"""The data audit's numbers worked out by hand: distances, areas, rates of labels, and labels that may be wrong."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chi2, chi2_contingency, ks_2samp, kstwobign, norm
from sklearn.metrics import roc_auc_score

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Measure
from glassbench.stats.clusters import between_groups, design_effect
from glassbench.testing import toy_subject
from glassbench_audits.data.balance import _p_value, examine_balance
from glassbench_audits.data.doubtful_labels import Contradictions, Questioned
from glassbench_audits.data.drift import _classifier, area, distance, examine_drift, told_apart


def delong(low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """An area and its variance, by every pair (DeLong et al. 1988)."""
    pairs = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    return pairs.mean(), sum(pairs.mean(axis=axis).var(ddof=1) / pairs.shape[1 - axis] for axis in (0, 1))


def test_an_area_of_unequal_classes_has_delongs_ends():
    drawn = np.random.default_rng(0)
    low, high = drawn.normal(0, 1, 30), drawn.normal(0.5, 2, 120)
    value, variance = delong(low, high)
    half = norm.ppf(0.95) * variance**0.5
    assert area(low, high, 0.9) == pytest.approx((value, value - half, value + half))
    assert value == pytest.approx(roc_auc_score([0] * 30 + [1] * 120, np.concatenate([low, high])))


def test_missing_values_and_numbers_are_two_looks_at_one_column():
    known, seen = pd.Series(np.arange(80.0)), pd.Series(np.arange(80.0) + 9).where(np.arange(80) >= 8)
    values = ks_2samp(known, seen.dropna(), method="asymp")
    absent = chi2_contingency([[80, 72], [0, 8]])
    assert distance(known, seen)[1] == pytest.approx(2 * min(values.pvalue, absent.pvalue))
    assert distance(known, seen)[0] == pytest.approx(max(values.statistic, (absent.statistic / 160) ** 0.5))


def test_numbers_of_rows_that_hang_together_are_as_many_as_vary_as_much():
    """Four equal rows in each cluster say as much as one."""
    drawn = np.random.default_rng(1)
    known, seen = drawn.normal(size=30), drawn.normal(0.5, 1, 20)
    codes = np.repeat(np.arange(30), 4), np.repeat(np.arange(30, 50), 4)
    far, p = distance(pd.Series(known.repeat(4)), pd.Series(seen.repeat(4)), codes)
    assert far == pytest.approx(ks_2samp(known, seen).statistic)
    assert p == pytest.approx(kstwobign.sf(far * (30 * 20 / 50) ** 0.5))


def test_categories_of_rows_that_hang_together_vary_most_in_the_smaller_sample():
    """Rows hang together by ten in the smaller sample alone."""
    drawn = np.random.default_rng(2)
    known = pd.Series(drawn.choice(["a", "b"], 400))
    seen = pd.Series(np.repeat(drawn.choice(["a", "b"], 10), 10))
    codes = np.arange(400), np.repeat(np.arange(400, 410), 10)
    counts = np.array([[(part == name).sum() for part in (known, seen)] for name in ("a", "b")])
    plain = chi2_contingency(counts, correction=True).statistic
    tables = [(part.to_numpy()[:, None] == np.array(["a", "b"])).astype(float) for part in (known, seen)]
    effect = (design_effect(tables[0], codes[0]) * 100 + design_effect(tables[1], codes[1]) * 400) / 500
    assert effect > 5
    assert distance(known, seen, codes)[1] == pytest.approx(chi2.sf(plain / effect, 1))


def test_a_classifier_is_judged_by_rows_that_it_did_not_learn_from():
    drawn = np.random.default_rng(3)
    train, held = (torch.as_tensor(drawn.normal(size=(300, 6)), dtype=torch.float32) for _ in range(2))
    told = told_apart(train, held, np.random.default_rng(0), 0.95, 1000)
    assert told is not None
    assert (told.value, told.n) == (pytest.approx(0.5, abs=0.12), 300)


def measure(value: float, low: float, high: float) -> Measure:
    return Measure(name="data.drift_auc", value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("ends", "any_feature", "grade"),
    [
        ((0.6, 0.56, 0.64), False, "concern"),  # beyond 0.55, half of the tolerance above one half
        ((0.6, 0.54, 0.64), False, "unclear"),
        ((0.52, 0.51, 0.55), True, "ok"),
        ((0.52, 0.49, 0.58), False, "ok"),
        ((0.52, 0.49, 0.58), True, "unclear"),
    ],
)
def test_half_of_the_tolerance_lies_above_one_half(ends, any_feature, grade):
    assert _classifier(measure(*ends), 0.1, any_feature=any_feature).grade == grade


def test_a_feature_that_is_far_by_chance_does_not_drift():
    drawn = np.random.default_rng(4)
    subject = toy_subject()
    few = [subject.train.take(np.arange(rows)) for rows in (14, 10)]
    features = [pd.DataFrame({"a": drawn.normal(size=len(part))}) for part in few]
    found = examine_drift(*few, *features, "truth", drawn, tolerance=0.05, level=0.95, rows=100)
    assert distance(features[0]["a"], features[1]["a"])[0] > 0.05
    assert [one.value for one in found.measures if one.name == "data.drifting"] == [0]


def rows_of(labels: list[int], groups: list[str] | None = None) -> Split:
    frame = None if groups is None else pd.DataFrame({"sex": groups})
    return Split(inputs=(torch.zeros(len(labels), 1),), rows=np.arange(len(labels)), target=torch.tensor(labels), groups=frame)


def test_a_class_is_rare_where_its_share_surely_is():
    schema = toy_subject().schema
    graded = [
        [f.grade for f in examine_balance(rows_of([1] * rare + [0] * (n - rare)), schema, np.random.default_rng(0)).findings]
        for rare, n in ((2, 60), (20, 1000), (60, 1000))
    ]
    assert graded == [[], ["concern"], []]  # 3.3 % of 60 may be 10 %, 2 % of 1000 are below 5 %, 6 % are not


def test_labels_of_groups_are_those_of_the_positive_class():
    schema = toy_subject().schema
    schema = replace(schema, target=replace(schema.target, positive=schema.target.classes[0]))
    found = examine_balance(rows_of([0, 0, 1, 0, 1, 1], list("fffmmm")), schema, np.random.default_rng(0))
    rates = {one.group["sex"]: one.value for one in found.measures if one.name == "data.label_rate"}
    assert rates == pytest.approx({"f": 2 / 3, "m": 1 / 3})


def test_groups_of_clusters_count_by_their_rows_in_what_chance_shows():
    drawn = np.random.default_rng(5)
    whole = np.zeros((24, 2))
    whole[np.arange(24), np.arange(24) % 2] = np.where(np.arange(24) % 2, 2, 12)
    part = np.floor(whole * drawn.random((24, 1)))
    counts = np.stack([(whole - part).sum(axis=0), part.sum(axis=0)], axis=1)
    size, rate = whole.sum(axis=0), part.sum() / whole.sum()
    draws = between_groups(part, whole, 5000, np.random.default_rng(0))
    apart = (size * (part.sum(axis=0) / size - rate) ** 2).sum()
    expected = (1 + ((size * (draws - rate) ** 2).sum(axis=1) >= apart).sum()) / 5001
    assert _p_value(counts, (part, whole), np.random.default_rng(0)) == pytest.approx(expected)


def test_a_label_is_doubted_by_rows_as_sure_as_the_class_decided_usually_is():
    """Rows of class 0 are sure of it by 0.9 on average, those of class 1 of theirs by 0.6."""
    stated = np.array([[0.95, 0.05], [0.85, 0.15], [0.4, 0.6], [0.4, 0.6], [0.7, 0.3], [0.35, 0.65]])
    labels = np.array([0, 0, 1, 1, 1, 0])
    usual = [stated[labels == k, k].mean() for k in (0, 1)]
    assert usual == pytest.approx([(0.95 + 0.85 + 0.35) / 3, (0.6 + 0.6 + 0.3) / 3])
    found = Questioned(rows=np.arange(6), labels=labels, stated=stated)
    assert found.contradicted.tolist() == [False, False, False, False, True, True]
    assert found.doubted.tolist() == [False, False, False, False, False, True]  # 0.7 < 0.717, and 0.65 >= 0.5


def test_the_chance_of_a_wrong_label_follows_from_how_often_labels_are_wrong():
    """Of 1000 rows decided alike 300 contradict; 100 labels were replaced by one of the two other classes each.

    Decisions are right in q of the rows: 300 = 100 q + what keeps a label that a wrong decision misses, (1 - q) (1 - 0.1 / 2).
    """
    found = Contradictions(
        rate=(0.1, 0.05, 0.2), everywhere=0.3, blind=0.6, classes=3, curve=(np.array([0.5, 1.0]), np.array([0.3, 0.3]))
    )
    q = (0.95 - 0.3) / (0.95 - 0.1)
    assert found.chance_wrong(np.array([0.8]), 0.1) == pytest.approx(0.1 * q / 0.3)
    assert found.overlap == pytest.approx((0.3 - 0.1) / (0.6 - 0.1))


def test_labels_are_listed_where_the_upper_end_of_the_rate_makes_them_rather_wrong_than_right():
    found = Contradictions(
        rate=(0.02, 0.01, 0.1), everywhere=0.1, blind=0.5, classes=2, curve=(np.array([0.5, 1.0]), np.array([0.12, 0.12]))
    )
    one = Questioned(rows=np.arange(3), labels=np.array([0, 0, 1]), stated=np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8]]))
    assert found.chance_wrong(np.array([0.9]), 0.1)[0] > 0.5 > found.chance_wrong(np.array([0.9]), 0.02)[0]
    suspects = found.suspects(one)
    assert suspects.positions.tolist() == [1]
    assert suspects.share == pytest.approx([found.chance_wrong(np.array([0.9]), rate)[0] for rate in found.rate])
