"""What measures, tables and findings say of gaps, from frames whose counts or numbers are written down."""

from dataclasses import replace

import numpy as np
import pytest
from given_frames import FOUND, MISSES, SELECTED, Given, Z, counted

from glassbench_audits.fairness.comparison.adjusted import Adjusted
from glassbench_audits.fairness.comparison.conditional import conditional_measures, conditional_tables, held_fixed, reversals
from glassbench_audits.fairness.comparison.criteria import Comparison, compare
from glassbench_audits.fairness.comparison.gaps import Extremes, Gap
from glassbench_audits.fairness.comparison.grading import Judgement
from glassbench_audits.fairness.comparison.measures import four_fifths_measures, gap_measures, group_measures, overall_measures
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.groups import Group


def comparisons(frame: GroupFrame) -> dict[str, Comparison]:
    return {one.name: one for one in compare(frame, level=0.95, small=1, chance=20, generator=np.random.default_rng(0))}


def test_numbers_over_all_rows_are_told_with_their_direction_and_why_there_are_none() -> None:
    first, second = overall_measures(Given([[0.2, 0.4], [1.0, 3.0]], metrics=(SELECTED, MISSES)), 0.95)
    assert (first.name, first.value, first.n, first.unit, first.level) == (
        "fairness.selection_rate",
        pytest.approx(0.3),
        200,
        None,
        0.95,
    )
    assert (first.low, first.high) == pytest.approx((0.3 - Z * 0.03, 0.3 + Z * 0.03))
    assert (second.name, second.value, second.unit) == ("fairness.mean_signed_error", 2.0, "mm")
    (lacking,) = overall_measures(Given([[np.nan, np.nan]], metrics=(FOUND,)), 0.9)
    assert (lacking.name, lacking.level, lacking.higher_is_better) == ("fairness.true_positive_rate[yes]", 0.9, True)
    assert lacking.undefined == "there are no rows with actual “yes”"


def test_numbers_of_groups_are_told_by_group_and_stratum() -> None:
    frame = Given([[0.2, np.nan], [1.0, 3.0]], metrics=(FOUND, MISSES), n=[[30, 40], [50, 60]])
    frame.unsupported = np.array([[None, None], ["3 events", None]], dtype=object)
    found = list(group_measures(frame, 0.95))
    assert [(m.name, m.group, m.by, m.n) for m in found] == [
        ("fairness.true_positive_rate[yes]", {"job": "a"}, ("job",), 30),
        ("fairness.true_positive_rate[yes]", {"job": "b"}, ("job",), 40),
        ("fairness.mean_signed_error", {"job": "a"}, ("job",), 50),
        ("fairness.mean_signed_error", {"job": "b"}, ("job",), 60),
    ]
    assert [m.undefined for m in found] == [None, "the group has no rows with actual “yes”", None, None]
    assert [m.unsupported for m in found] == [None, None, "3 events", None]
    assert [(m.unit, m.higher_is_better) for m in found[1:3]] == [(None, True), ("mm", None)]
    assert (found[0].low, found[0].high, found[0].level) == (pytest.approx(0.2 - Z * 0.03), pytest.approx(0.2 + Z * 0.03), 0.95)
    frame.within = Group(by=("age", "place"), values=("old", "north"))
    inside = next(iter(group_measures(frame, 0.95)))
    assert (inside.by, inside.group) == (("age", "place", "job"), {"age": "old", "place": "north", "job": "a"})


def gap_of(name: str, difference: Gap, ratio: Gap | None = None, **more: object) -> Comparison:
    given = {"difference": difference, "ratio": ratio, "large_difference": difference, "large_ratio": ratio, "left_out": ()}
    return Comparison(name=name, which=(0,), **{**given, **more})


AT = Extremes(metric=0, top=1, bottom=0)


def test_gaps_are_told_over_all_groups_and_over_those_large_enough() -> None:
    wide, part = Gap(value=0.3, low=0.1, high=0.5, where=AT), Gap(value=0.2, low=0.0, high=np.inf, where=AT)
    ratio = Gap(value=0.5, low=-np.inf, high=0.9, where=AT, unsupported="3 events")
    lacking = Gap(value=None, undefined="nobody")
    frame = Given([[0.2, 0.5]], metrics=(MISSES,))
    found = list(gap_measures(frame, gap_of("x[yes]", wide, ratio, large_difference=part, large_ratio=lacking), 0.9))
    assert [(m.name, m.value, m.low, m.high) for m in found] == [
        ("fairness.x_difference[yes]", 0.3, 0.1, 0.5),
        ("fairness.x_ratio[yes]", 0.5, None, 0.9),
        ("fairness.x_difference_without_small[yes]", 0.2, 0.0, None),
        ("fairness.x_ratio_without_small[yes]", None, None, None),
    ]
    assert [m.higher_is_better for m in found] == [False, True, False, True]
    assert [m.unit for m in found] == ["mm", None, "mm", None]
    assert [m.unsupported for m in found] == [None, "3 events", None, None]
    assert [m.undefined for m in found] == [None, None, None, "nobody"]
    assert {(m.level, m.n, m.by, m.group is None) for m in found} == {(0.9, 200, ("job",), True)}
    frame.within = Group(by=("age",), values=("old",))
    (inside, _) = gap_measures(frame, gap_of("x", Gap(value=None)), 0.9)
    assert (inside.name, inside.group, inside.undefined) == ("fairness.x_difference", {"age": "old"}, "undefined")


DECIDED = {"man": [[40, 15], [15, 30]], "woman": [[40, 10], [24, 26]]}
"""Selected: 45 of 100 men and 36 of 100 women; a rounded .36 / .45 falls below .8."""


def test_four_fifths_are_divided_from_whole_numbers() -> None:
    frame = counted(DECIDED)
    parity = comparisons(frame)["demographic_parity"]
    assert parity.ratio.value < 0.8
    found = list(four_fifths_measures(frame, parity, 0.95, None))
    assert [(m.name, m.value, m.n) for m in found] == [
        ("fairness.four_fifths", 0.8, 200),
        ("fairness.four_fifths_without_small", 0.8, 200),
    ]
    assert all(m.low == parity.ratio.low and m.high == parity.ratio.high and m.unit is None for m in found)
    assert all(m.higher_is_better for m in found)
    assert list(four_fifths_measures(frame, comparisons(frame)["accuracy"], 0.95, None)) == []
    assert list(four_fifths_measures(Given([[0.2, 0.5]]), parity, 0.95, None)) == []
    of_class = replace(parity, name="demographic_parity[yes]")
    assert list(four_fifths_measures(frame, of_class, 0.95, None)) == []
    undefined = replace(parity, ratio=Gap(value=None, undefined="nobody"), large_ratio=None)
    assert [(m.name, m.undefined) for m in four_fifths_measures(frame, undefined, 0.95, None)] == [
        ("fairness.four_fifths", "nobody")
    ]


def test_where_nobody_says_what_is_good_each_outcome_has_its_ratio() -> None:
    frame = counted(DECIDED, both=True)
    found = comparisons(frame)
    told = [
        m
        for name in ("demographic_parity", "demographic_parity[no]")
        for m in four_fifths_measures(frame, found[name], 0.95, "why")
    ]
    assert [(m.name, m.value, m.undefined) for m in told] == [
        ("fairness.four_fifths", None, "why"),
        ("fairness.four_fifths[yes]", 0.8, None),
        ("fairness.four_fifths_without_small", None, "why"),
        ("fairness.four_fifths_without_small[yes]", 0.8, None),
        ("fairness.four_fifths[no]", 55 / 64, None),
        ("fairness.four_fifths_without_small[no]", 55 / 64, None),
    ]
    three = counted({"man": [[9, 1, 1], [0, 8, 1], [0, 0, 5]], "woman": [[4, 1, 1], [0, 8, 1], [0, 0, 9]]}, ("a", "b", "c"))
    several = list(four_fifths_measures(three, comparisons(three)["demographic_parity"], 0.95, "why"))
    assert [(m.name, m.undefined) for m in several] == [
        ("fairness.four_fifths", "why"),
        ("fairness.four_fifths_without_small", "why"),
    ]


def judged(frame: GroupFrame, name: str, gap: Gap, p: float | None = 0.25) -> Judgement:
    return Judgement(frame=frame, comparison=gap_of(name, gap), name=name, gap=gap, threshold=0.1, p=p, grade="ok")


def stratum(value: str, numbers: list[float], **more: object) -> Given:
    frame = Given([numbers], **more)
    frame.within = Group(by=("age",), values=(value,))
    return frame


def test_the_pair_that_lies_widest_apart_is_held_fixed() -> None:
    whole, other = Given([[0.5, 0.3]]), Given([[0.5, 0.3]], by="sex")
    gap = Gap(value=0.2, low=0.1, high=0.3, where=Extremes(metric=0, top=0, bottom=1))
    within = [(stratum("old", [0.4, 0.3]), ()), (stratum("young", [0.6, 0.3]), ())]
    nowhere, empty = Gap(value=None, undefined="x"), Given([[0.5, 0.3]], names="xy")
    asked = [
        judged(whole, "accuracy", gap),
        judged(whole, "four_fifths", gap),
        judged(whole, "precision", nowhere),
        judged(other, "accuracy", gap),
        judged(empty, "recall", gap),
    ]
    found = held_fixed(asked, within, 0.95)
    assert list(found) == [("job", "accuracy")]
    assert found["job", "accuracy"].within[0] == pytest.approx(0.2)
    assert found["job", "accuracy"].overall == pytest.approx((0.2, 0.2 - Z * 0.03 * 2**0.5, 0.2 + Z * 0.03 * 2**0.5))


def pair(within: tuple[float, float, float], opposite: int = 0) -> Adjusted:
    where = Extremes(metric=0, top=0, bottom=1)
    return Adjusted(where=where, overall=(0.2, 0.1, 0.3), within=within, opposite=opposite, strata=3)


def test_strata_are_measured_once_and_differences_held_fixed_beside_them() -> None:
    parts = [stratum("old", [0.4, 0.3], metrics=(MISSES,)), stratum("young", [0.6, 0.3], metrics=(MISSES,), n=70)]
    within = [(frame, (gap_of("accuracy", Gap(value=0.1, low=0.0, high=0.2)),)) for frame in parts]
    within.append((stratum("old", [0.4, 0.3], by="sex", n=7), ()))
    fixed = {("job", "accuracy"): pair((0.15, 0.05, 0.25))}
    every = list(conditional_measures(within, fixed, set(), 0.9))
    assert [(m.name, m.group) for m in every] == [
        ("fairness.mean_signed_error", {"age": "old", "job": "a"}),
        ("fairness.mean_signed_error", {"age": "old", "job": "b"}),
        ("fairness.accuracy_difference", {"age": "old"}),
        ("fairness.accuracy_difference_without_small", {"age": "old"}),
        ("fairness.mean_signed_error", {"age": "young", "job": "a"}),
        ("fairness.mean_signed_error", {"age": "young", "job": "b"}),
        ("fairness.accuracy_difference", {"age": "young"}),
        ("fairness.accuracy_difference_without_small", {"age": "young"}),
        ("fairness.selection_rate", {"age": "old", "sex": "a"}),
        ("fairness.selection_rate", {"age": "old", "sex": "b"}),
        ("fairness.accuracy_difference_adjusted", None),
    ]
    assert {m.level for m in every} == {0.9}
    held = every[-1]
    assert (held.value, held.low, held.high, held.n, held.by, held.unit) == (0.15, 0.05, 0.25, 340, ("job",), "mm")
    known = list(conditional_measures(within, fixed, {("age", "job")}, 0.9))
    assert [m for m in known if m.name == "fairness.mean_signed_error"] == []
    assert len(known) == len(every) - 4


def test_the_table_shows_all_rows_each_stratum_and_what_is_held_fixed() -> None:
    whole, parts = Given([[0.5, 0.3]]), [stratum("old", [0.4, 0.3]), stratum("young", [0.6, 0.3], n=70)]
    ends = {"low": 0.1, "high": 0.3}
    overall = [
        judged(whole, "false_negative_rate", Gap(value=0.2, **ends, where=Extremes(metric=0, top=0, bottom=1)), p=None),
        judged(Given([[0.5, 0.3]], by="sex"), "accuracy", Gap(value=0.2)),
        judged(whole, "accuracy", Gap(value=None, undefined="nobody")),
    ]
    inside = [
        judged(parts[0], "false_negative_rate", Gap(value=0.1, low=None, high=np.inf, where=Extremes(metric=0, top=1, bottom=1))),
        judged(parts[1], "false_negative_rate", Gap(value=0.3, **ends, where=Extremes(metric=0, top=1, bottom=0)), p=0.5),
        judged(parts[1], "precision", Gap(value=0.3, **ends)),
    ]
    (table,) = conditional_tables(overall, inside, {("job", "false_negative_rate"): pair((-0.1, -0.2, 0.0))})
    assert table.title == "Gaps by job within age"
    assert table.columns == ("criterion", "age", "rows", "value", "low", "high", "between", "p, corrected", "grade")
    assert table.rows == (
        ("false negative rate", "all rows", 200, 0.2, 0.1, 0.3, "a and b", None, "ok"),
        ("false negative rate", "old", 200, 0.1, None, None, "all alike", 0.25, "ok"),
        ("false negative rate", "young", 140, 0.3, 0.1, 0.3, "b and a", 0.5, "ok"),
        ("false negative rate", "held fixed", None, -0.1, -0.2, 0.0, "a and b", None, None),
        ("accuracy", "all rows", 200, None, None, None, "nobody", 0.25, "ok"),
    )
    assert "Mantel and Haenszel" in table.note
    parts[0].within = Group(by=("age", "place"), values=("old", "north"))
    (several,) = conditional_tables(overall, inside[:1], {})
    assert (several.title, several.columns[1], several.rows[1][1]) == (
        "Gaps by job within age and place",
        "age and place",
        "old & north",
    )
    plain = [judged(whole, "accuracy", Gap(value=0.2))]
    assert [one.title for one in conditional_tables(plain, plain, {})] == ["Gaps by job within "]


@pytest.mark.parametrize(
    ("within", "said"),
    [
        ((-0.1, -0.2, -0.05), "it is lower, by 10 points [5, 20], the other way in 2 of 3 strata"),
        ((0.01, -0.02, 0.04), "the difference is 1 points [-2, 4], the other way in 2 of 3 strata"),
        ((0.2, 0.1, 0.3), None),
    ],
)
def test_a_reversal_is_told_with_both_differences(within: tuple[float, float, float], said: str | None) -> None:
    frame = Given([[0.5, 0.3]])
    fixed = {("job", "accuracy"): pair(within, 2), ("job", "four_fifths"): pair(within, 2)}
    asked = [judged(frame, name, Gap(value=0.2)) for name in ("accuracy", "four_fifths", "precision")]
    found = list(reversals(fixed, asked, ("age", "place")))
    assert len(found) == (said is not None)
    for one in found:
        assert said is not None
        assert said in one.sentence
        assert "by 20 points [10, 30]; with age and place held fixed" in one.sentence
        assert "the selection rate is higher for job “a” than for job “b”" in one.sentence
        assert one.sentence.startswith("Simpson's reversal" if within[2] < 0 else "A gap that the strata explain")
        assert one.measures == ("fairness.accuracy_difference", "fairness.accuracy_difference_adjusted")
        assert (one.grade, one.weight, one.by) == ("unclear", 0.75, ("job",))
