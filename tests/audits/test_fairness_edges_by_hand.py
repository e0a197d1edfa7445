"""Gaps and verdicts at their edges: exactly as wide as allowed, groups of one, asymmetric intervals, several metrics at once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from given_frames import FOUND, SELECTED, Given, Z, counted

from glassbench.contracts.evidence import Measure
from glassbench.contracts.metric import Metric
from glassbench.stats.intervals import rate_interval
from glassbench_audits.fairness.charts import charts
from glassbench_audits.fairness.comparison.adjusted import Adjusted, adjusted, difference
from glassbench_audits.fairness.comparison.chance import against_chance
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.critical_values import folded, pairs_of, simultaneous
from glassbench_audits.fairness.comparison.gaps import Extremes, Gap, gaps
from glassbench_audits.fairness.comparison.grading import Judgement, Rules, judge
from glassbench_audits.fairness.comparison.parity import broken_both_ways, undirected
from glassbench_audits.fairness.comparison.studentized_range import Normals, mean_span
from glassbench_audits.fairness.findings import measure_name
from glassbench_audits.fairness.frames.measured_frame import task_metric_frame
from glassbench_audits.fairness.frames.rates import GroupMetric
from glassbench_audits.fairness.frames.sizes import sizeable
from glassbench_audits.fairness.tables import gaps_table, numbers_table

FALSE = replace(FOUND, name="false_positive_rate")


def test_a_group_of_exactly_the_rows_asked_for_is_large_enough() -> None:
    assert sizeable(np.array([[10, 9, 90]]), 10).tolist() == [[True, False, True]]
    assert sizeable(np.array([[30, 29, 1441], [100, 99, 9801]])).tolist() == [[True, False, True], [True, False, True]]


def test_a_difference_ends_where_the_sides_that_face_each_other_end() -> None:
    frame = counted({"f": [[18, 0], [2, 0]], "m": [[2, 18], [0, 0]]})  # none of 20 is selected, 18 of 20 are
    k = [metric.name for metric in frame.metrics].index("selection_rate")
    (low, high), (other_low, other_high) = zip(*rate_interval(np.array([18, 0]), np.array([20, 20]), 0.95), strict=True)
    value, below, above = difference(frame, Extremes(metric=k, top=1, bottom=0), Z)
    assert value == pytest.approx(0.9)
    assert below == pytest.approx(0.9 - np.hypot(0.9 - low, other_high))
    assert above == pytest.approx(0.9 + np.hypot(high - 0.9, 0 - other_low))
    assert abs((value - below) - (above - value)) > 0.05


def test_strata_without_a_difference_point_neither_way() -> None:
    whole = Given([[0.5, 0.4]])
    parts = [Given([[0.3, 0.3]]), Given([[0.2, 0.4]]), Given([[0.5, 0.1]])]
    found = adjusted(whole, parts, Extremes(metric=0, top=0, bottom=1), 0.95)
    assert (found.opposite, found.strata) == (1, 3)


def test_a_difference_that_may_be_as_large_within_strata_does_not_vanish() -> None:
    def pair(high: float) -> Adjusted:
        where = Extremes(metric=0, top=0, bottom=1)
        return Adjusted(where=where, overall=(0.3, 0.2, 0.4), within=(0.05, -0.1, high), opposite=1, strata=2)

    assert [pair(high).vanishes for high in (0.19, 0.2, 0.3)] == [True, False, False]


def test_a_metric_that_one_group_alone_has_shows_no_gap_by_chance() -> None:
    frame = Given([[0.5, 0.3], [0.2, np.nan]], metrics=(FOUND, FALSE))
    two = Normals(np.array([0.1, 0.1]))
    taking_part = np.array([[True, True], [True, False]])
    asked = {"replicates": 9, "generator": np.random.default_rng(0)}
    alone = against_chance(frame, (0,), taking_part, (two, None), 0.2, **asked)
    assert against_chance(frame, (0, 1), taking_part, (two, None), 0.2, **asked) == alone
    assert alone[1] == pytest.approx(mean_span([two]))


def test_resamples_that_leave_a_number_undefined_do_not_move_it() -> None:
    frame = Given([[0.5, 0.3]])
    frame.draws = np.array([[[0.6, np.nan, 0.4], [0.3, 0.2, np.inf]]])
    (found,) = pairs_of(frame, np.ones((1, 2), dtype=bool), Z, [0])
    assert found.moved == pytest.approx(np.array([[0.1, 0, -0.1], [0, -0.1, 0]]))


def test_metrics_that_happen_to_add_up_to_one_keep_their_own_errors() -> None:
    frame = Given([[0.6, 0.4], [0.4, 0.6]], [[0.05, 0.05], [0.08, 0.08]], metrics=(FOUND, FALSE), n=[[90, 90], [40, 40]])
    found = simultaneous(frame, [(0,), (1,)], np.ones((2, 2), dtype=bool), 0.95)
    assert found == pytest.approx([folded(0.2 / (error * 2**0.5), 0.95) for error in (0.05, 0.08)])


def test_a_criterion_of_two_rates_has_no_gap_where_one_of_them_is_had_by_one_group() -> None:
    frame = Given([[0.5, 0.3], [0.2, np.nan]], metrics=(FOUND, FALSE))
    (whole, first) = gaps(frame, [(0, 1), (0,)], np.ones((2, 2), dtype=bool), 0.95)
    assert whole[0].value is None
    assert whole[0].undefined.startswith("fewer than two groups have a hit rate")
    assert first[0].value == pytest.approx(0.2)


def comparison(gap: Gap, name: str = "accuracy", **more: object) -> Comparison:
    given = {"which": (0,), "difference": gap, "ratio": None, "large_difference": gap, "large_ratio": None, "left_out": ()}
    return Comparison(name=name, **{**given, **more})


RULES = Rules(level=0.5, difference=0.25, ratio=0.8, value=1.0)


@pytest.mark.parametrize(
    ("low", "high", "p", "grade"),
    [
        (0.3, 0.4, 0.5, "concern"),  # a p-value of exactly 1 - level is beyond chance
        (0.3, 0.4, 0.51, "unclear"),
        (0.25, 0.4, 0.01, "unclear"),  # exactly what is allowed is not beyond it
        (0.1, 0.25, 0.5, "ok"),
        (0.1, 0.2501, 0.5, "unclear"),
    ],
)
def test_what_ends_exactly_at_what_is_allowed_is_allowed(low: float, high: float, p: float, grade: str) -> None:
    gap = Gap(value=(low + high) / 2, low=low, high=high, p=p)
    (found,) = judge([(Given([[0.5, 0.3]], metrics=(FOUND,)), [comparison(gap)])], RULES)
    assert found.grade == grade


def test_shares_that_carry_a_unit_are_held_against_the_difference_of_shares() -> None:
    gap = Gap(value=0.3, low=0.28, high=0.32, p=0.01)
    held = {
        (unit, scaled): judge(
            [(Given([[0.5, 0.3]], metrics=(replace(FOUND, unit=unit, scaled=scaled),)), [comparison(gap)])], RULES
        )
        for unit in (None, "mm")
        for scaled in (False, True)
    }
    assert {key: found[0].threshold for key, found in held.items()} == {
        (None, False): 0.25, ("mm", False): 0.25, (None, True): 1.0, ("mm", True): 1.0
    }  # fmt: skip


def test_a_gap_s_p_value_is_its_own_feature_s_and_stratum_s() -> None:
    gap = Gap(value=0.3, low=0.28, high=0.32)
    frames = [Given([[0.5, 0.3]], metrics=(FOUND,), by=by) for by in ("sex", "age", "sex")]
    frames[2].within = replace(frames[0].groups[0], by=("branch",), values=("east",))
    given = [(f, [comparison(replace(gap, p=p))]) for f, p in zip(frames, (0.01, 0.2, 0.03), strict=True)]
    assert [found.p for found in judge(given, RULES)] == pytest.approx([0.03, 0.2, 0.06])


@pytest.mark.parametrize(("features", "broken"), [(1, True), (2, True), (3, False)])
def test_both_ratios_are_broken_beyond_what_as_many_features_show_by_chance(features: int, broken: bool) -> None:
    ratio = Gap(value=0.5, low=0.4, high=0.6)
    told = [comparison(Gap(value=0.3, low=0.2, high=0.4, p=p), large_ratio=ratio) for p in (0.02, 0.001)]
    assert broken_both_ways(told, replace(RULES, level=0.95), features) == broken


@pytest.mark.parametrize(
    "stem", ["demographic_parity_ratio", "demographic_parity_ratio_without_small", "four_fifths_without_small"]
)
def test_a_ratio_has_no_direction_even_where_parity_is_asked_for(stem: str) -> None:
    measure = Measure(name=f"fairness.{stem}", value=0.5, n=7)
    assert undirected(measure, "why", ("demographic_parity",)).not_judged == "why"


def test_a_judged_gap_is_named_as_it_was_measured() -> None:
    gap = Gap(value=0.3, low=0.2, high=0.4)

    def named(name: str, left_out: tuple[int, ...]) -> str:
        one = comparison(gap, name=name, left_out=left_out)
        frame = Given([[0.5, 0.3]])
        return measure_name(
            Judgement(frame=frame, comparison=one, name=name, gap=gap, threshold=0.1, p=None, grade="unclear", more_rows=None)
        )

    assert named("four_fifths", ()) == "fairness.four_fifths"
    assert named("four_fifths", (1,)) == "fairness.four_fifths_without_small"
    assert named("precision[yes]", (1,)) == "fairness.precision_difference_without_small[yes]"


def test_spans_of_unequal_spreads_have_the_mean_of_their_integral() -> None:
    spread = np.array([0.5, 2.0])  # the difference of two is normal, and its mean size known
    assert mean_span([Normals(spread)]) == pytest.approx(np.hypot(*spread) * np.sqrt(2 / np.pi), rel=1e-3)


def test_metrics_that_may_lie_below_0_or_above_1_are_no_shares() -> None:
    frame = pd.DataFrame({"y_pred": np.arange(20.0)})
    groups = Given([[0.0, 0.0]]).groups
    bounds = {
        "free": {},
        "signed": {"lowest": -1, "highest": 1},
        "share": {"lowest": 0, "highest": 1},
        "words": {"proportion": True},
    }
    metrics = [Metric(name=name, compute=lambda f, w: w @ f["y_pred"] / w.sum(axis=1), **more) for name, more in bounds.items()]
    made = {"replicates": 20, "generator": np.random.default_rng(0)}
    whole = [metric.infer(frame, made["generator"], replicates=20) for metric in metrics]
    found = task_metric_frame(frame, metrics, groups, np.arange(20) % 2, overall=whole, **made)
    assert {metric.name: metric.scaled for metric in found.metrics} == {
        "free": True, "signed": True, "share": False, "words": False
    }  # fmt: skip


def test_the_gravest_gaps_stand_first() -> None:
    frame = Given([[0.5, 0.3]] * 3, metrics=tuple(GroupMetric(name, name, "rows", True) for name in ("a", "b", "c")))
    gap = Gap(value=0.2, low=0.1, high=0.3, where=Extremes(metric=0, top=0, bottom=1))
    compared = [comparison(gap, name=name, which=(k,)) for k, name in enumerate("abc")]
    grades = zip(compared, ("ok", "concern", "unclear"), strict=True)
    judged = [
        Judgement(frame=frame, comparison=c, name=c.name, gap=gap, threshold=0.1, p=0.1, grade=grade, more_rows=None)
        for c, grade in grades
    ]
    assert [row[-1] for row in gaps_table(frame, compared, judged).rows] == ["concern", "unclear", "ok"]


def test_what_rows_are_worth_stands_beside_groups_and_not_beside_all_rows() -> None:
    frame = Given([[0.5, 0.3]], metrics=(SELECTED,), n=[[100, 50]])
    frame.effective = np.array([[60.4, 48.6]])
    table = numbers_table(frame, 0.95)
    place = table.columns.index("effective n")
    assert [(row[1], row[place - 1], row[place]) for row in table.rows] == [
        ("all rows", 150, None),
        ("a", 100, 60),
        ("b", 50, 49),
    ]


def test_a_map_of_classes_tells_of_the_class_of_the_widest_range() -> None:
    metrics = tuple(replace(FOUND, klass=name) for name in ("x", "y", "z"))
    frame = Given([[0.5, 0.4], [0.9, 0.2], [0.1, 0.15]], metrics=metrics)
    heat = next(chart for chart in charts(frame, 1, 0.95) if chart.kind == "heat")
    assert heat.message.startswith("Hit rate of “y” ranges from 20 % for “b” to 90 % for “a”")
