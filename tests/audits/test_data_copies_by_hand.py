"""Copies of the answer under noise and labels that look wrong, worked out by hand with models that say what they are told."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.evidence import Measure
from glassbench_audits.clusters.profile import most_telling
from glassbench_audits.data import blurred_leakage, blurred_numbers, group_labels, label_models, pair_leakage, sum_leakage
from glassbench_audits.data.doubtful_labels import OVERLAP, Contradictions, Questioned, Suspects
from glassbench_audits.data.group_labels import GroupLabels
from glassbench_audits.data.labels import _finding, _table
from glassbench_audits.data.neighbour_distances import LEFT_OUT, p_values
from glassbench_audits.data.pair_leakage import Pair, best_pairs
from glassbench_audits.data.row_changes import _suspected


def test_classes_count_by_their_rows_where_nothing_tells_a_copy(monkeypatch) -> None:
    answer = np.repeat([0, 1], [200, 40])
    copy = np.concatenate([np.repeat([1, 0], 100), np.repeat([1, 0], [10, 30])])
    areas = {200: 0.5, 40: 0.5}
    monkeypatch.setattr(blurred_leakage, "_told_by", lambda inputs, wanted: areas[len(wanted)])
    rest = np.zeros((240, 1))
    assert blurred_leakage._silent(rest, copy, answer)  # 0.5 + 1.645 * sqrt(0.87² * 201 / 120,000 + 0.13² * 41 / 3,600) = 0.563
    areas[200] = 0.51
    assert not blurred_leakage._silent(rest, copy, answer)


def test_a_column_of_values_tells_as_much_as_its_weakest_value_and_is_looked_at_by_its_surest() -> None:
    answer = np.repeat([0, 1, 2], 40)
    column = np.array(["a"] * 40 + ["b"] * 30 + ["c"] * 10 + ["c"] * 30 + ["b"] * 10)
    found = blurred_leakage._told(pd.Series(column), answer)
    pairs = [np.corrcoef(column == value, answer == k)[0, 1] for k, value in enumerate("abc")]
    assert found.strength == pytest.approx(min(pairs))
    assert found.strength < 0.9 < max(pairs)
    assert (found.copy.tolist(), found.answer.tolist()) == ([1] * 40 + [0] * 80,) * 2


def test_numbers_that_look_like_copies_are_said_where_no_more_than_half_do(monkeypatch) -> None:
    columns = pd.DataFrame(np.zeros((400, 4)), columns=list("abcd"))
    told = [SimpleNamespace(name=name, strength=0.9) for name in "abcd"]
    monkeypatch.setattr(blurred_numbers, "_told", lambda *_: told)
    found = []
    for copies in ("ab", "abc", ""):
        monkeypatch.setattr(blurred_numbers, "_is_copy", lambda part, one, values, copies=copies: one.name in copies)
        made = blurred_numbers.blurred_numbers(columns, np.zeros(400, dtype=int), (), np.random.default_rng(0))
        found.append("".join(one.name for one in made))
    assert found == ["ab", "", ""]


def test_what_other_columns_tell_is_asked_of_rows_with_the_number(monkeypatch) -> None:
    there = np.arange(10) % 2 == 1
    asked: list[list[float]] = []

    def predicted(inputs: np.ndarray, wanted: np.ndarray):
        asked.append(inputs[:, 0].tolist())
        yield np.zeros(len(inputs))

    monkeypatch.setattr(blurred_numbers, "_predicted", predicted)
    one = SimpleNamespace(there=there, ranks=np.arange(5.0), expected=np.zeros(5), strength=0.9)
    blurred_numbers._is_copy(pd.DataFrame({"x": np.arange(10.0)}), one, np.zeros(10))
    assert asked[0] == [1, 3, 5, 7, 9]


def test_overlap_sets_wrong_labels_aside_on_both_sides() -> None:
    made = Contradictions(rate=(0.1, 0.05, 0.2), everywhere=0.3, blind=0.5, classes=2, curve=(np.zeros(1), np.zeros(1)))
    assert made.overlap == pytest.approx(0.5)


def labels(column: str, wrong: list[float], p: float) -> GroupLabels:
    return GroupLabels(
        column=column, value="v", klass=0, found=SimpleNamespace(wrong=np.array(wrong)), limits=(0.1, 0.2), rows=9, p=p
    )


def test_of_groups_with_the_same_doubtful_rows_the_surest_stands_and_sensitive_columns_are_searched_once(monkeypatch) -> None:
    assert labels("x", [0.6, 0.2, 0.9], 0.01).suspects.tolist() == [2, 0]
    seen: list[list[str]] = []

    def surely(rows, groups, tolerance):
        seen.append([f"{name} {value}" for name, value, _ in groups])
        same = [labels("sex", [0.9, 0.8, 0.1, 0.1], 0.02), labels("job", [0.9, 0.8, 0.1, 0.1], 0.01)]
        return same if len(seen) == 1 else [labels("town", [0.1, 0.1, 0.9, 0.8], 0.03)]

    monkeypatch.setattr(group_labels, "_surely", surely)
    sex, job = ["f", "m", "f", "m"], ["a", "a", "b", "b"]
    rows = SimpleNamespace(groups=pd.DataFrame({"sex": sex}), columns=pd.DataFrame({"sex": sex, "job": job}))
    found, searched = group_labels.group_label_errors(rows, 0.05)
    assert [one.column for one in found] == ["job", "town"]
    assert (searched, [sorted(one) for one in seen]) == (4, [["sex f", "sex m"], ["job a", "job b"]])


def test_a_groups_own_models_must_miss_more_than_is_let_pass(monkeypatch) -> None:
    top = {0: (0.05, 0.9), 1: (0.2, 0.9), 2: (0.06, 0.09)}
    tested = [(klass, SimpleNamespace(group=np.ones(7)), SimpleNamespace(p=1e-6)) for klass in top]
    monkeypatch.setattr(group_labels, "_tested", lambda *_: tested)
    monkeypatch.setattr(group_labels, "_missing_at_the_top", lambda rows, mine, klass: top[klass])
    monkeypatch.setattr(group_labels, "limits", lambda *_: (0.1, 0.3))
    found = list(group_labels._surely(SimpleNamespace(), [("sex", "f", np.ones(7))], 0.05))
    assert [(one.klass, one.rows) for one in found] == [(1, 7)]


def test_rows_of_one_cluster_are_judged_by_models_that_saw_none_of_it(monkeypatch) -> None:
    clusters = np.repeat(np.arange(20), 3)
    shared: list[int] = []

    def learnt(inputs, labels, asked, classes, seed):
        shared.append(len(set(inputs[:, 0]) & set(asked[:, 0])))
        return np.zeros((len(asked), classes))

    monkeypatch.setattr(label_models, "learnt_elsewhere", learnt)
    label_models.cross_validated(clusters[:, None].astype(float), np.repeat(np.arange(20) % 2, 3), 2, 0, clusters)
    assert shared == [0] * label_models.FOLDS


def test_labels_of_classes_that_overlap_are_unclear_and_shown_with_their_own_probability() -> None:
    questioned = Questioned(rows=np.array(["p", "q"]), labels=np.array([0, 1]), stated=np.array([[0.1, 0.9], [0.2, 0.8]]))
    suspects = Suspects(positions=np.array([0]), wrong=np.array([0.8]), share=(0.8, 0.7, 0.9))
    measured = Measure(name="data.label_errors", value=0.2, low=0.15, high=0.25, n=90)
    grades = [
        _finding(measured, "training", questioned, SimpleNamespace(overlap=overlap, blind=0.5), suspects, 0.05).grade
        for overlap in (OVERLAP - 0.01, OVERLAP + 0.01)
    ]
    assert grades == ["concern", "unclear"]
    table = _table(questioned, suspects, SimpleNamespace(overlap=0.0), "training", ("no", "yes"))
    assert table.rows == (("p", "no", 0.1, "yes", 0.9),)


def test_held_out_labels_are_kept_and_those_that_are_learnt_from_are_changed() -> None:
    questioned = Questioned(rows=np.array(["p", "q"]), labels=np.array([0, 1]), stated=np.array([[0.1, 0.9], [0.2, 0.8]]))
    suspects = Suspects(positions=np.array([0]), wrong=np.array([0.81234]), share=(0.8, 0.7, 0.9))
    made = [next(iter(_suspected(name, questioned, suspects, ("no", "yes")))) for name in ("training", "held-out")]
    assert [(one.split, one.row, one.action, one.label, one.new_label, one.chance_wrong) for one in made] == [
        ("training", "p", "relabel", "no", "yes", 0.812),
        ("test", "p", "keep", "no", "yes", 0.812),
    ]


def test_pairs_are_chosen_by_training_rows_and_gain_over_the_better_of_their_columns(monkeypatch) -> None:
    together = {"xy": (100, 0.9, 9), "yz": (90, 0.95, 5), "xz": (80, 0.8, 20)}
    alone = {"x": 95, "y": 50, "z": 60}
    monkeypatch.setattr(pair_leakage, "_column", lambda known, seen: SimpleNamespace(known=known.name))
    monkeypatch.setattr(pair_leakage, "_screened", lambda a, b, *_: together[a.known + b.known][0])
    monkeypatch.setattr(pair_leakage, "_right", lambda known, *_: alone[known])
    monkeypatch.setattr(
        pair_leakage, "_judged", lambda a, b, *_: Pair(columns=(a, b), learnt=together[a + b][1], right=together[a + b][2])
    )
    frame = pd.DataFrame(np.zeros((4, 3)), columns=list("xyz"))
    best, gained = best_pairs(frame, frame, np.array([0, 1, 0, 1]), np.array([0, 1, 0, 1]))
    assert (best.columns, gained.columns) == (("y", "z"), ("y", "z"))


def test_the_fewest_numbers_that_make_up_a_value_are_told(monkeypatch) -> None:
    sums = [SimpleNamespace(columns=tuple(names), share=share) for names, share in (("abc", 1.0), ("ab", 0.9), ("ac", 0.95))]
    monkeypatch.setattr(sum_leakage, "_sums", lambda scaled: sums)
    monkeypatch.setattr(sum_leakage, "_multiplied", lambda *_: None)
    frame = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc"))
    assert sum_leakage.best_sum(frame, frame, np.arange(4), np.arange(4)).columns == ("a", "c")


def test_the_nearest_row_is_the_least_of_those_left_out_against_the_further_neighbours() -> None:
    distances = np.concatenate([[0.2], np.linspace(1, 3, 60)])[None]
    logs = np.log(3 / distances[0])
    rate = sum(logs[LEFT_OUT:60]) + 12 * logs[12]
    assert p_values(distances) == pytest.approx([12 * (1 + (logs[0] - logs[12]) / rate) ** -48.0])
    assert p_values(distances)[0] < 1


def test_features_are_told_by_their_largest_effect_in_any_cluster() -> None:
    def trait(name: str, value: float) -> SimpleNamespace:
        return SimpleNamespace(feature=SimpleNamespace(name=name), effect=SimpleNamespace(value=value))

    assert most_telling({"c0": (trait("f", -0.9),), "c1": (trait("f", 0.1), trait("g", 0.5))}) == ("f", "g")
