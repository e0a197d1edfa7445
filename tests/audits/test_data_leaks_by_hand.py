"""What gives the answer away, worked out by hand: codes of columns, pure values, pairs, sums, lines, and names of persons."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Split
from glassbench_audits.data.capped_curve import Excess, Scored, _chances, _p, _ratio, limits
from glassbench_audits.data.encoded_leakage import _of_numbers, _of_texts
from glassbench_audits.data.equal_pairs import equal_pair
from glassbench_audits.data.label_leakage import _answers, _codes, _decides, _explains, _nearly
from glassbench_audits.data.near_duplicates import _differences
from glassbench_audits.data.near_numbers import _agree
from glassbench_audits.data.near_rows import _bound, _counts, _exact, _odds, near_rows
from glassbench_audits.data.pair_leakage import Pair, _cut, best_pairs, spares_together
from glassbench_audits.data.partial_leakage import where_present, within_values
from glassbench_audits.data.partly_equal import _commonest, partly_equal
from glassbench_audits.data.quasi_identifiers import _joined, _names_groups, _pairs, quasi_identifier
from glassbench_audits.data.repeated_ids import _constant, _shared, examine_repeated_ids, repeated_ids
from glassbench_audits.data.sum_leakage import best_sum


def column(values: list[object]) -> list[object]:
    return [None if pd.isna(value) else value for value in values]


def test_parts_of_numbers_are_those_of_their_size_whatever_their_sign() -> None:
    parts = {words: column(part.tolist()) for words, part in _of_numbers(pd.Series([-12.75, 3.0, np.nan, 480.5]))}
    assert parts == {
        "the parity": [0.0, 1.0, None, 0.0],
        "the last digit": [2.0, 3.0, None, 0.0],
        "the decimals": [0.75, 0.0, None, 0.5],
        "the first digit": [1.0, 3.0, None, 4.0],
    }


def test_parts_of_texts_are_ends_and_what_marks_cut_off() -> None:
    parts = {words: column(part.tolist()) for words, part in _of_texts(pd.Series(["ab-cd/ef", None, "x"]))}
    assert parts == {
        "the first character": ["a", None, "x"],
        "the last character": ["f", None, "x"],
        "the first part": ["ab", None, "x"],
        "the last part": ["ef", None, "x"],
        "the length": [8, None, 1],
    }


def test_the_pair_of_columns_whose_being_equal_decides_most_is_told_by_the_rows_it_decides() -> None:
    numbers = np.arange(100.0)
    answer = np.arange(100) % 2
    known = pd.DataFrame(
        {"a": numbers, "b": np.where(np.arange(100) < 50, numbers, -1.0), "c": np.where(answer == 1, numbers, -1)}
    )
    seen = known.iloc[[0, 1, 2, 3, 61]]
    found = equal_pair(known, seen, answer, np.array([0, 1, 0, 0, 1]))
    assert (found.columns, found.learnt, found.right) == (("a", "c"), 1.0, 4)
    nearly = known.assign(c=np.where(np.arange(100) < 98, numbers, -1.0))
    assert equal_pair(nearly[["a", "c"]], nearly[["a", "c"]], answer, answer) is None
    seldom = known.assign(c=np.where(np.arange(100) < 2, numbers, -1.0))
    assert equal_pair(seldom[["a", "c"]], seldom[["a", "c"]], answer, answer) is None


def test_a_code_that_no_training_row_has_is_given_the_commonest_class_and_the_mean() -> None:
    known, seen, learnt = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 2]), np.array([0, 0, 1, 1, 1])
    assert _answers(known, seen, learnt).tolist() == [0, 1, 1]
    values = np.array([1.0, 3.0, 8.0, 10.0, 12.0])
    assert _explains(known, np.array([0, 1, 2]), values, np.array([2.0, 10.0, values.mean()]))
    assert not _explains(known, np.array([0, 1, 2]), values, np.array([2.0, 10.0, 0.0]))


def test_bins_keep_values_that_repeat_to_themselves_and_missing_ones_apart() -> None:
    known = pd.Series([*np.arange(40.0), *[19.5] * 20, np.nan, np.nan])
    codes, seen = _codes(known, pd.Series([19.4, 19.5, 19.6, np.nan, 99.0]))
    assert len(set(codes[40:60])) == 1
    assert not set(codes[:40]) & set(codes[40:60])
    assert (seen[1], seen[3]) == (codes[40], codes[60])
    assert seen[0] != seen[1] != seen[2]
    assert seen[3] not in codes[:60]
    assert seen[4] == codes[39]
    texts, others = _codes(pd.Series(["a", "b", None]), pd.Series(["b", "new", None]))
    assert (texts.tolist(), others.tolist()) == ([0, 1, 2], [1, 2, 2])


def test_a_column_spares_nearly_all_errors_only_where_that_is_sure() -> None:
    truth = np.array([0, 1] * 100)
    assert _nearly("a", 193, truth, truth) is not None  # errors are 0.070 at most, and 0.075 are let pass
    assert _nearly("a", 187, truth, truth) is None  # 0.065 were found, and up to 0.108 are likely
    assert not _decides(195, truth, truth)
    assert _decides(196, truth, truth)


def test_pure_values_leak_where_they_decide_a_part_of_the_rows_for_two_classes() -> None:
    codes = np.repeat(np.arange(4), 50)
    mixed = np.arange(50) % 2
    for parts, found in (
        ((0, 1, mixed, mixed), (100, 100)),
        ((0, 0, mixed, mixed), None),  # one class alone
        ((0, 1, 0, 1), None),  # all rows: the column decides alone
        ((mixed, mixed, mixed, 1), None),
    ):
        labels = np.concatenate([np.full(50, part) if np.isscalar(part) else part for part in parts])
        assert within_values((codes, codes), labels, labels, ordered=False) == found


def test_a_column_gives_the_answer_away_where_it_is_present_only_if_it_is_absent_somewhere() -> None:
    truth = np.arange(400) % 2
    known = pd.Series(np.where(np.arange(400) < 200, truth, np.nan))
    codes = np.where(known.isna(), 2, truth)
    assert where_present(known, known, (codes, codes), truth, truth) == (200, 200)
    full = pd.Series(truth.astype(float))
    assert where_present(full, full, (truth, truth), truth, truth) is None


def test_the_commonest_number_is_the_middle_of_those_around_which_most_lie() -> None:
    assert _commonest(np.array([5.0, 1.0, 1.1, 1.3, 9.0, 1.4, 3.0]), 0.5) == pytest.approx(1.2)


@pytest.mark.parametrize("slope", [2.0, -2.0])
def test_a_column_is_the_value_in_a_part_of_the_rows_whichever_way_it_runs(slope: float) -> None:
    drawn = np.random.default_rng(0)
    values = drawn.normal(size=400)
    own = np.where(np.arange(400) % 5 < 2, values / slope + 3, drawn.normal(size=400))
    train, held = slice(0, 300), slice(300, 400)
    found = partly_equal(pd.Series(own[train]), pd.Series(own[held]), values[train], values[held], np.random.default_rng(1))
    assert found == (40, 100)
    few = np.where(np.arange(400) % 5 < 2, np.round(values), values)
    other = np.where(np.arange(400) % 5 < 2, few / slope, drawn.normal(size=400))
    assert partly_equal(pd.Series(other), pd.Series(other), few, few, np.random.default_rng(1)) is None  # a handful of values


def test_a_cut_lies_between_unlike_numbers() -> None:
    numbers, classes = np.array([1.0, 2.0, 2.0, 2.0, 3.0]), np.array([0, 0, 1, 1, 1])
    assert _cut(numbers, np.zeros(5, dtype=int), classes, 2) == pytest.approx(1.5)
    assert _cut(numbers, np.zeros(5, dtype=int), np.array([0, 0, 0, 1, 1]), 2) == pytest.approx(2.5)


def test_the_pair_that_gains_most_is_held_against_the_better_of_its_columns() -> None:
    drawn = np.random.default_rng(2)
    a, b, c = (drawn.integers(0, 2, 400) for _ in range(3))
    answer = np.where(drawn.random(400) < 0.85, a ^ b, c)
    strong = np.where(drawn.random(400) < 0.8, answer, 1 - answer)
    frame = pd.DataFrame({"a": a, "b": b, "strong": strong, "idle": c}).astype(str)
    best, gained = best_pairs(frame, frame, answer, answer)
    assert set(gained.columns) == {"a", "b"}
    assert gained.learnt == pytest.approx(np.mean((a ^ b) == answer))
    assert best.learnt >= gained.learnt


def test_a_pair_is_asked_about_where_neither_column_says_much_alone() -> None:
    truth = np.array([0] * 100 + [1] * 100)
    pair = Pair(columns=("a", "b"), learnt=0.9, right=180)
    assert spares_together(pair, (105, 110), truth)
    assert not spares_together(pair, (105, 150), truth)
    assert not spares_together(pair, (150, 105), truth)


def test_sums_are_told_by_the_fewest_numbers_that_make_them_up_and_rows_that_have_them() -> None:
    drawn = np.random.default_rng(3)
    frame = pd.DataFrame(drawn.normal(size=(200, 4)), columns=list("abcd"))
    value = (2 * frame["a"] - frame["b"] + 0.5 * frame["c"]).to_numpy()
    found = best_sum(frame[:150], frame[150:], value[:150], value[150:])
    assert (found.columns, found.how, found.n, found.share) == (("a", "b", "c"), "sum", 50, pytest.approx(1))
    holed = frame.copy()
    holed.loc[[0, 5, 160, 170], "b"] = np.nan
    holed.loc[[7, 180], "d"] = np.nan
    two = (frame["a"] + frame["b"]).to_numpy()
    part = best_sum(holed[:150], holed[150:], two[:150], two[150:])
    assert (part.columns, part.n, part.share) == (("a", "b"), 48, pytest.approx(1))
    positive = np.exp(frame)
    product = (positive["a"] / positive["c"]).to_numpy()
    told = best_sum(positive[:150], positive[150:], product[:150], product[150:])
    assert (told.columns, told.how) == (("a", "c"), "product")


def test_pairs_of_rows_are_those_of_two_rows_and_absent_values_agree_with_nothing() -> None:
    assert _pairs(np.array([0, 0, 0, 1, 1, 2, -1, -1])) == 3 * 2 + 2 * 1
    joint = _joined([np.array([0, 0, -1, -1, 1]), np.array([2, 2, 2, 2, -1])])
    assert (joint[0] == joint[1], joint[2:].tolist()) == (True, [-1, -1, -1])


def test_columns_that_name_persons_are_counted_by_their_groups_of_several() -> None:
    drawn = np.random.default_rng(4)
    person = np.concatenate([np.repeat(np.arange(60), 5), np.arange(60, 80)])
    traits = {name: drawn.integers(0, 12, 80)[person] for name in ("born", "height", "town", "eyes")}
    frame = pd.DataFrame({**traits, "visit": drawn.normal(size=320), "dose": drawn.integers(0, 3, 320)})
    found = quasi_identifier(frame)
    assert set(found.columns) == set(traits)
    assert (found.rows, found.groups) == (300, 60)


def test_all_columns_but_one_must_be_stable_where_the_others_agree() -> None:
    person = np.repeat(np.arange(100), 4)
    half = np.arange(400) % 4 // 2
    codes = {"a": person // 2, "b": person % 50, "c": person, "half": half, "other": np.arange(400) % 2}
    chance = {name: _pairs(code) / (400 * 399.0) for name, code in codes.items()}
    for names, said in (("abc", True), (("a", "b", "c", "half"), True), (("a", "b", "half", "other"), False)):
        joint = _joined([codes[n] for n in names])
        assert _names_groups(tuple(names), joint, codes, chance, 400) == said


def test_missing_ids_are_shared_by_nobody_and_rows_without_one_do_not_repeat() -> None:
    known, seen = pd.Series(["p1", "p2", None]), pd.Series(["p1", None, "p9", None])
    name, measure = _shared("patient", known, seen)
    assert (name, measure.value, measure.n) == ("patient", 0.25, 4)
    ids = [f"p{i // 3}" for i in range(60)] + [None] * 30
    found = repeated_ids(pd.DataFrame({"patient_id": ids}))
    assert [(one.rows, one.values, one.named) for one in found] == [(60, 20, True)]


def test_columns_named_like_identifiers_come_first_and_constant_columns_show_nothing() -> None:
    drawn = np.random.default_rng(5)
    person = np.repeat(np.arange(40), 3)
    frame = pd.DataFrame(
        {
            "token": [f"t{p}" for p in person],
            "patient_id": [f"p{p}" for p in person],
            "same": ["x"] * 120,
            "born": drawn.integers(1900, 2000, 40)[person],
            "town": drawn.integers(0, 30, 40)[person],
            "dose": drawn.normal(size=120),
        }
    )
    found = repeated_ids(frame)
    assert [one.name for one in found][:2] == ["patient_id", "token"]
    assert "same" not in found[0].stable
    assert {"born", "town"} <= set(found[0].stable)
    assert _constant(person, frame["born"].to_numpy()) == 1.0
    assert _constant(np.array([0, 0, 1, 1]), np.array([1, 1, 1, 2])) == 0.5


def test_of_several_ids_the_one_that_most_test_rows_share_is_measured() -> None:
    person, house = np.repeat(np.arange(40), 3), np.repeat(np.arange(20), 6)

    def split(patients: np.ndarray, houses: np.ndarray, first: int) -> Split:
        beside = pd.DataFrame({"patient_id": [f"p{p}" for p in patients], "house_id": [f"h{h}" for h in houses]})
        return Split(inputs=(torch.zeros(len(patients), 1),), rows=np.arange(first, first + len(patients)), beside=beside)

    train, held = split(person, house, 0), split(person + 100, np.where(person < 20, house, house + 100), 1000)
    found = examine_repeated_ids(train, held, pd.DataFrame(index=range(120)), pd.DataFrame(index=range(120)))
    shared = [one for one in found.measures if one.name == "data.shared_ids"]
    assert [(one.value, one.n) for one in shared] == [(0.5, 120)]


def test_near_rows_are_counted_once_and_bounded_by_the_next_distances() -> None:
    held, distance = np.array([0, 0, 0, 2, 2, 3]), np.array([0, 1, 1, 1, 2, 2])
    assert _counts(held, distance, 5)[:4].tolist() == [1, 2, 2, 0]
    assert _bound(np.array([9, 4, 1])) == pytest.approx(9.3**2 / 4.3)
    codes = np.array([[0, 0, 1, 1], [0, 0, 0, 1]])
    assert _odds(codes) == pytest.approx([0.5 / 0.5, (10 / 16) / (6 / 16)])


def test_near_copies_are_named_with_the_nearest_of_their_training_rows_and_equal_rows_are_none() -> None:
    drawn = np.random.default_rng(6)
    known = pd.DataFrame(drawn.integers(0, 30, size=(400, 8)).astype(str), columns=list("abcdefgh"))
    seen = pd.DataFrame(drawn.integers(0, 30, size=(200, 8)).astype(str), columns=list("abcdefgh"))
    seen.iloc[:10] = known.iloc[50:60].to_numpy()
    seen.iloc[10:30] = known.iloc[100:120].to_numpy()
    seen.loc[range(10, 30), "c"] = "new"
    found = near_rows(known, seen, drawn)
    assert found.held.tolist() == list(range(10, 30))
    assert found.train.tolist() == list(range(100, 120))


def test_absent_numbers_differ_from_all_others() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, 1.0], "b": ["x", "y", "x"]})
    exact = _exact(frame[:2], frame[2:])
    assert exact[0].T.tolist() != exact[1].T.tolist()
    assert (exact[0][:, 0] == exact[1][:, 0]).all()
    known = pd.Series([1.0, 5.0, 9.0, np.nan])
    mine, theirs = pd.Series([1.0, np.nan, 1.0, np.nan]), pd.Series([1.3, np.nan, np.nan, 4.0])
    assert _agree(known, mine, theirs).tolist() == [True, True, False, False]  # a tenth of a spread of 4
    assert _agree(known, pd.Series([5.0]), pd.Series([5.45])).tolist() == [False]


def test_two_rows_that_both_lack_a_value_do_not_differ_in_it() -> None:
    one, other = pd.Series({"a": 1.0, "b": np.nan, "c": np.nan}), pd.Series({"a": 2.0, "b": np.nan, "c": 3.0})
    assert _differences(one, other) == "a: 1.0 / 2.0; c: nan / 3.0"


def curves() -> tuple[np.ndarray, Scored]:
    score = np.linspace(-3, 3, 61)
    rows = Scored(
        score=np.tile(score, 2),
        labelled=np.tile(score > 0, 2),
        group=np.repeat([True, False], 61),
        clusters=np.arange(122),
    )
    return np.array([0.5, 1.0, -0.5, 2.0, 0.05, 0.1, 0.02, 0.3]), rows


def test_what_a_group_misses_at_the_top_comes_on_top_of_what_all_miss() -> None:
    parameters, rows = curves()
    chance, wrong = _chances(parameters, rows)
    s = rows.score[:61]
    rise = 1 / (1 + np.exp(-(-0.5 + 2.0 * s)))
    mine = 0.1 * (1 - rise) + (1 - 0.32) * rise
    assert chance[:61] == pytest.approx(mine)
    other = 1 / (1 + np.exp(-(0.5 + s)))
    assert chance[61:] == pytest.approx(0.05 * (1 - other) + 0.98 * other)
    assert wrong[:61] == pytest.approx(np.where(s > 0, 0, 0.32 * rise / (1 - mine)))
    assert wrong[61:].tolist() == [0] * 61


def test_rows_that_hang_together_lower_the_likelihood_ratio_by_their_design() -> None:
    drawn = np.random.default_rng(7)
    score = drawn.normal(0, 2, 600)
    group = np.arange(600) < 300
    labelled = (drawn.random(600) < 1 / (1 + np.exp(-2 * score))) & ~(group & (drawn.random(600) < 0.35))
    rows = Scored(score=score, labelled=labelled, group=group, clusters=np.arange(600))
    found = Excess(share=0.3, p=1.0, wrong=np.zeros(600), curves=np.array([0.0, 2, 0, 2, 0.01, 0.01, 0.01, 0.3]), design=1.0)
    ratios = [_ratio(Excess(**{**vars(found), "design": design}), rows, 0.02) for design in (1.0, 4.0)]
    assert ratios[0] > 5
    assert ratios[1] == pytest.approx(ratios[0] / 4)
    low, high = limits(found, rows, 0.025)
    assert 0.02 < low < 0.3 < high
    assert _p(found, rows, low) == pytest.approx(0.025, rel=0.2)
