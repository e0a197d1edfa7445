"""Rows and columns of the data audit worked out by hand: copies, missing cells, rare classes, distances between splits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chi2_contingency
from sklearn.isotonic import IsotonicRegression

from glassbench.contracts.data import Split
from glassbench.stats.clusters import clustered_share
from glassbench.testing import toy_subject
from glassbench_audits.data.balance import examine_balance, examine_groups
from glassbench_audits.data.columns import examine_columns, tells_rows_apart
from glassbench_audits.data.doubtful_labels import Contradictions, Questioned
from glassbench_audits.data.drift import _shown, area, distance, examine_drift
from glassbench_audits.data.duplicates import _divides, _numbers_rows, coincidences, duplicates
from glassbench_audits.data.labelled_rows import labelled_rows
from glassbench_audits.data.row_changes import row_changes
from glassbench_audits.data.section import beyond, share


def rows(inputs: list[float], target: list[int] | None = None, **more: object) -> Split:
    tensor = torch.tensor(inputs)[:, None]
    return Split(inputs=(tensor,), rows=np.arange(len(inputs)), target=None if target is None else torch.tensor(target), **more)


def test_no_row_found_is_in_order_however_few_were_looked_at() -> None:
    assert [beyond(share("x", count, 5), 0.1) for count in (0, 1, 5)] == ["ok", "unclear", "concern"]


def test_missing_cells_are_counted_over_all_cells_and_a_column_that_lacks_some_is_not_constant() -> None:
    frame = pd.DataFrame({"a": [1.0] * 7 + [np.nan] * 3, "b": ["x"] * 7 + [None] * 3, "c": ["x"] * 10, "d": np.arange(10.0)})
    found = {one.name: one.value for one in examine_columns(frame, frame, 0.5).measures}
    assert found["data.missing"] == pytest.approx(6 / 40)
    assert found["data.constant_columns"] == 1


def test_whole_numbers_count_rows_where_none_repeats_and_names_where_nearly_none_does() -> None:
    counted = np.arange(30.0)
    assert tells_rows_apart(pd.Series(counted))
    assert not tells_rows_apart(pd.Series([*counted[:-1], 28.0]))
    assert not tells_rows_apart(pd.Series(counted * 2.5))
    names = [f"n{i}" for i in range(40)]
    assert tells_rows_apart(pd.Series([*names[:38], "n0", "n1"]))
    assert tells_rows_apart(pd.Series([*names[:20], *[None] * 20]))
    assert not tells_rows_apart(pd.Series([*names[:30], *names[:10]]))


def test_of_many_classes_one_is_rare_below_half_of_its_equal_part() -> None:
    schema = toy_subject().schema
    names = tuple(f"k{i}" for i in range(20))
    schema = replace(schema, target=replace(schema.target, classes=names, positive=None))
    counts = np.full(20, 5000)
    for rare, said in ((4000, 0), (2000, 1)):
        counts[7] = rare
        split = rows([0.0] * counts.sum(), np.repeat(np.arange(20), counts).tolist())
        found = examine_balance(split, schema, np.random.default_rng(0))
        assert [f.grade for f in found.findings] == ["concern"] * said
        assert found.measures[0].value == pytest.approx(rare / counts.sum())


def test_the_smallest_group_is_the_one_of_fewest_rows() -> None:
    split = rows([0.0] * 10, groups=pd.DataFrame({"sex": list("fffffmmmxx"), "age": list("ooooooooyo")}))
    assert [(m.by, m.value) for m in examine_groups(split).measures] == [(("sex",), 0.2), (("age",), 0.1)]


def test_rates_of_labels_have_the_ends_of_clusters_where_rows_hang_together() -> None:
    drawn = np.random.default_rng(0)
    clusters = np.repeat(np.arange(30), 4)
    labels = np.repeat(drawn.integers(0, 2, 30), 4)
    sex = np.where(clusters < 18, "f", "m")
    split = rows([0.0] * 120, labels.tolist(), groups=pd.DataFrame({"sex": sex}), clusters=clusters)
    found = examine_balance(split, toy_subject().schema, drawn)
    sums = [np.stack([np.bincount(clusters, w * (sex == g), minlength=30) for g in "fm"], axis=1) for w in (labels, np.ones(120))]
    ends = clustered_share(*sums)
    rates = [one for one in found.measures if one.name == "data.label_rate"]
    assert [(one.value, one.low, one.high, one.n) for one in rates] == [
        (*(pytest.approx(float(end[k])) for end in ends), n) for k, n in enumerate((72, 48))
    ]


def test_a_first_row_is_no_repetition_and_rows_of_other_truth_are_no_copies() -> None:
    train = rows([1.0, 1.0, 1.0, 2.0, 3.0], [0, 0, 1, 1, 1])
    held = rows([1.0, 2.0, 2.0, 5.0], [1, 0, 1, 1])
    found = duplicates(train, held)
    assert found.train.tolist() == [False, True, False, False, False]
    assert found.held.tolist() == [True, False, True, False]
    assert found.same_inputs.tolist() == [False, True, False, False]
    assert found.conflicting.tolist() == [True, True, True, False, False]


def test_a_column_divides_rows_where_each_split_has_one_value_of_its_own() -> None:
    one, other = pd.Series(["x", "x"]), pd.Series(["y"])
    assert _divides(one, other)
    assert not _divides(one, one)
    assert not _divides(one, pd.Series(["y", "z"]))


def test_whole_numbers_without_repetition_number_rows_where_they_lie_close() -> None:
    assert _numbers_rows("n", pd.Series([1, 2, 3]), pd.Series([4, 5]))
    assert not _numbers_rows("n", pd.Series([1, 2, 3]), pd.Series([4, 900]))
    assert not _numbers_rows("n", pd.Series([1, 2, 2]), pd.Series([4, 5]))
    assert _numbers_rows("patient_id", pd.Series(["a", "a"]))


def test_chance_makes_rows_equal_as_often_as_all_columns_agree_with_one_of_all_rows() -> None:
    frame = pd.DataFrame({"a": [1.0, 1.0, np.nan, np.nan], "b": list("xxxy")})
    assert coincidences(frame) == 1.0  # 4 rows, and a half by ten sixteenths for each
    wide = pd.concat([frame, pd.DataFrame({"c": [1.0, 2.0, 3.0, 4.0]})], axis=1)
    assert coincidences(wide) == pytest.approx(4 * (2 / 4) * (10 / 16) * (4 / 16))


def test_categories_that_are_rare_in_the_smaller_sample_are_put_together() -> None:
    known, seen = list("a" * 100 + "b" * 18 + "c" * 9), list("a" * 20 + "b" * 2 + "c" * 1)
    far, p = distance(pd.Series(known), pd.Series(seen))
    expected = chi2_contingency([[100, 20], [27, 3]])
    assert (far, p) == (pytest.approx((expected.statistic / 150) ** 0.5), pytest.approx(expected.pvalue))


def test_absent_categories_are_one_of_the_values() -> None:
    known, seen = pd.Series(["a"] * 40 + [None] * 40), pd.Series(["a"] * 70 + [None] * 10)
    expected = chi2_contingency([[40, 70], [40, 10]])
    assert distance(known, seen)[0] == pytest.approx((expected.statistic / 160) ** 0.5)


def test_features_drift_where_they_are_surely_and_far_apart_and_the_farthest_comes_first() -> None:
    drawn = np.random.default_rng(0)
    count = 20000
    known = pd.DataFrame({"near": drawn.normal(size=count), "far": drawn.normal(size=count), "same": drawn.normal(size=count)})
    seen = pd.DataFrame(
        {"near": drawn.normal(size=count) + 0.1, "far": drawn.normal(size=count) + 0.5, "same": drawn.normal(size=count)}
    )
    train, held = (Split(inputs=(), rows=np.arange(count)) for _ in range(2))
    found = examine_drift(train, held, known, seen, "truth", drawn, tolerance=0.1, level=0.95, rows=10)
    assert [one.sentence.split()[0] for one in found.findings] == ["far"]
    assert [row["y"] for row in found.charts[0].rows] == ["far", "near", "same"]
    assert [row[0] for row in _shown([("a", 0.3, 0.2, 0.2), ("b", 0.1, 0.0, 0.0)])[0][0].rows] == ["b", "a"]


def test_scores_of_a_class_whose_rows_hang_together_count_by_its_own_clusters() -> None:
    drawn = np.random.default_rng(1)
    low, high = drawn.normal(size=40), drawn.normal(0.7, 1, 60)
    found = area(low.repeat(5), high, 0.95, (np.repeat(np.arange(40), 5), np.arange(40, 100)))
    assert found == pytest.approx(area(low, high, 0.95), abs=0.004)
    turned = area(low, high.repeat(5), 0.95, (np.arange(40), np.repeat(np.arange(40, 100), 5)))
    assert turned == pytest.approx(area(low, high, 0.95), abs=0.004)


def questioned(labels: list[int], stated: list[list[float]]) -> Questioned:
    return Questioned(rows=np.arange(len(labels)), labels=np.array(labels), stated=np.array(stated))


def test_a_class_that_no_label_has_lets_no_label_be_doubted() -> None:
    one = questioned([0, 1, 0], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])
    assert one.contradicted.tolist() == [False, False, True]
    assert one.doubted.tolist() == [False, False, False]


def test_the_least_believable_label_is_listed_first_and_splits_are_measured_together() -> None:
    sure = [[0.9, 0.1]] * 50 + [[0.1, 0.9]] * 30
    first = questioned([0] * 50 + [1] * 30, sure)
    second = questioned([0] * 8 + [1] * 12, [[0.2, 0.8], [0.05, 0.95], [0.08, 0.92], *[[0.9, 0.1]] * 5, *[[0.1, 0.9]] * 12])
    whole = Contradictions.of([first, second])
    assert (whole.everywhere, whole.blind) == pytest.approx((3 / 100, 42 / 100))
    flat = (np.array([0.5, 1.0]), np.array([0.45, 0.45]))
    generous = Contradictions(rate=(0.3, 0.2, 0.4), everywhere=0.3, blind=0.5, classes=2, curve=flat)
    assert generous.suspects(second).positions.tolist() == [1, 2]
    by_hand = IsotonicRegression(increasing=False).fit([0.8, *[0.9] * 97, 0.92, 0.95], [1, *[0] * 97, 1, 1])
    assert np.interp([0.8, 0.9, 0.95], *whole.curve) == pytest.approx(by_hand.predict([0.8, 0.9, 0.95]))


def test_labels_are_questioned_of_classes_of_ten_rows_and_never_where_they_are_not_known() -> None:
    subject = toy_subject(classes=3, rows=300)
    target = torch.tensor([0] * 60 + [1] * 60 + [2] * 3 + [-1] * 7)
    inputs = torch.randn(130, subject.train.inputs[0].shape[1])
    train = Split(inputs=(inputs,), rows=np.arange(130), target=target)
    held = Split(inputs=(inputs[:6],), rows=np.arange(6) + 1000, target=torch.tensor([2] * 6))
    for more, kept in (([2] * 6, {0, 1}), ([2] * 7, {0, 1, 2})):
        held = Split(inputs=(inputs[: len(more)],), rows=np.arange(len(more)) + 1000, target=torch.tensor(more))
        given = replace(subject, train=train, predictions=replace(subject.predictions, source=held))
        found = labelled_rows(given, 1000)
        assert set(found.labels.tolist()) == kept
        assert len(found.labels) == 120 + (10 if 2 in kept else 0)


def test_copies_are_dropped_and_named_by_the_first_of_several_and_labels_of_test_rows_stay() -> None:
    subject = toy_subject()
    width = subject.train.inputs[0].shape[1]

    def split(values: list[float], target: list[int], first: int) -> Split:
        inputs = torch.tensor(values)[:, None].repeat(1, width)
        return Split(inputs=(inputs,), rows=np.arange(first, first + len(values)), target=torch.tensor(target))

    train, held = split([5.0, 1.0, 1.0, 1.0, 2.0], [0, 1, 1, 1, 0], 10), split([7.0, 1.0], [1, 1], 90)
    given = replace(subject, train=train, predictions=replace(subject.predictions, source=held))
    told = [(one.split, one.row, one.action, one.reason) for one in row_changes(given, {"on_disk": 100, "rows": 10})]
    assert told == [
        ("test", "91", "drop", "equals training row 11"),
        ("training", "12", "drop", "repeats training row 11"),
        ("training", "13", "drop", "repeats training row 11"),
    ]
