"""What is said and drawn of calibration errors and coverages made up by hand."""

import re

import numpy as np
import pytest

from glassbench.contracts.predictions.outputs import IntervalOutput
from glassbench.stats.estimate import Estimate
from glassbench_audits.calibration.coverage import Coverage, coverage_findings
from glassbench_audits.calibration.error import Error
from glassbench_audits.calibration.findings import findings
from glassbench_audits.calibration.interval_audit import _overall
from glassbench_audits.calibration.interval_exhibits import coverage_chart, quantile_chart, quantile_table, width_chart
from glassbench_audits.calibration.intervals import IntervalPart, QuantileLevel
from glassbench_audits.calibration.parts import Part


def part(value, low, high, *, bias=(0.1, 0.05, 0.15), adjusted=0.01, n=100, **named) -> Part:
    error = None if value is None else Error(value=value, low=low, high=high, p=adjusted)
    named = {"by": None, "group": None, **named}
    return Part(n=n, error=error, bias=Estimate.of(*bias, n=n), adjusted=adjusted, **named)


def test_all_rows_that_match_their_probabilities():
    (found,) = findings([part(0.03, 0.01, 0.0475)], 0.05, "“yes”")
    assert (found.grade, found.weight, found.chart, found.group, found.by) == ("ok", 0.55, "Reliability", None, None)
    assert found.measures == ("calibration.calibration_error",)
    assert "of “yes” match" in found.sentence
    assert "error 0.030 [0.010, 0.048]" in found.sentence
    assert found.sentence.endswith("n 100), within the tolerance of 0.05.")


def test_all_rows_and_a_group_that_do_not_match():
    (whole, group) = findings([part(0.1, 0.06, 0.14), part(0.2, 0.1, 0.3, by="g", group="a", n=40)], 0.05, "“yes”", "clusters")
    assert whole.sentence.endswith("clusters 100), above the tolerance of 0.05; they are on average 10.0 points too high.")
    assert (group.group, group.by, group.between) == ({"g": "a"}, ("g",), ({"g": "a"},))
    assert "For g “a” stated probabilities of “yes” do not match" in group.sentence
    assert "0.200 [0.100, 0.300] (clusters 40), tolerance 0.05; they are on average 10.0 points too high." in group.sentence
    assert (whole.grade, group.grade, group.weight, group.chart) == ("concern", "concern", 0.6, None)
    assert whole.next_step == group.next_step
    assert re.fullmatch(r"[A-Z][a-z ]+[.]", whole.next_step)


def test_all_rows_of_which_nothing_is_known_beside_a_group_of_which_something_is():
    unclear, wrong = part(0.06, 0.01, 0.11, adjusted=0.2), part(0.2, 0.1, 0.3, by="g", group="a")
    (alone,) = findings([unclear], 0.05, "“yes”")
    assert (alone.grade, alone.weight, alone.chart) == ("unclear", 0.55, "Reliability")
    assert alone.sentence.endswith("n 100), tolerance 0.05.")
    assert "Not enough data to judge the stated probabilities of “yes”: calibration error 0.060 [0.010, 0.110]" in alone.sentence
    (beside,) = findings([unclear, wrong], 0.05, "“yes”")
    assert beside.group == {"g": "a"}
    assert "cannot be told: calibration error 0.060 [0.010, 0.110]" in beside.sentence
    fine = list(findings([part(0.03, 0.01, 0.04), wrong], 0.05, "“yes”"))
    assert [one.grade for one in fine] == ["ok", "concern"]
    assert "cannot be told" not in fine[1].sentence


def test_rows_too_few_to_judge_say_so_and_weigh_little():
    (few,) = findings([part(None, None, None, n=12)], 0.05, "“yes”", "clusters")
    assert few.sentence.startswith("12 clusters are too few")
    assert (few.grade, few.weight, few.measures) == ("unclear", 0.3, ("calibration.calibration_error",))


@pytest.mark.parametrize(
    ("bias", "words"),
    [
        ((-0.123, -0.2, -0.05), "on average 12.3 points too low"),
        ((0.123, 0.0, 0.2), "too high in places, too low in others"),
        ((-0.123, -0.2, 0.0), "too high in places, too low in others"),
        ((0.123, np.nan, np.nan), "too high in places, too low in others"),
        ((0.004, 0.001, 0.007), "on average 0.4 points too high"),
    ],
)
def test_the_direction_of_wrong_probabilities_is_told_where_it_is_sure(bias, words):
    (found,) = findings([part(0.1, 0.06, 0.14, bias=bias)], 0.05, "yes")
    assert found.sentence.endswith(f"; they are {words}.")


def held(hits, n, low, high, **more) -> Coverage:
    return Coverage(**{"by": None, "group": None, "n": n, "hits": hits, "low": low, "high": high, "size": 1.0, "p": 1.0, **more})


WIDTH = Estimate(value=34.0, low=33.0, high=35.0, n=1000)


def judged(covered, width=WIDTH, **more):
    part = IntervalPart(coverage=covered, width=width, score=width)
    output = IntervalOutput(low=np.zeros(2), high=np.ones(2), coverage=0.9, name="weight", **more)
    return _overall(part, output, 0.1)


def test_intervals_that_hold_the_truth_often_enough():
    found = judged(held(1210, 1300, 0.91, 0.945), unit="kg")
    assert (found.grade, found.weight, found.chart, found.next_step) == ("ok", 0.55, "Coverage", "")
    assert found.measures == ("calibration.coverage", "calibration.width")
    assert found.sentence.startswith("Intervals that promise to hold weight in 90 % of rows do so in ")
    assert "in 93.1 % (1,210 of 1,300) [91.0 %, 94.5 %], at least the 89.0 %" in found.sentence
    assert found.sentence.endswith(" let pass. Their mean width is 34 kg.")
    generous = judged(held(1280, 1300, 0.96, 0.99))
    assert "miss less than half as often as promised" in generous.sentence
    assert generous.sentence.endswith("Their mean width is 34.")
    assert "half as often" not in judged(held(1260, 1300, 0.9499, 0.99)).sentence
    assert "half as often" in judged(held(1260, 1300, 0.95, 0.99)).sentence


def test_intervals_that_do_not_or_of_which_it_cannot_be_told():
    short = judged(held(800, 1000, 0.77, 0.83), width=Estimate(value=None, low=None, high=None, n=0, undefined="none"))
    assert (short.grade, bool(short.next_step)) == ("concern", True)
    assert short.sentence.endswith("80.0 % (800 of 1,000) [77.0 %, 83.0 %] only, below the 89.0 % that is let pass.")
    open_ = judged(held(1800, 2000, 0.88, 0.92, weighted=0.85))
    assert open_.grade == "unclear"
    assert open_.sentence.startswith("Not enough data to judge intervals that promise to hold weight in 90 % of rows")
    assert "85.0 % (n 2,000, weighted) [88.0 %, 92.0 %], and at least 89.0 % is let pass." in open_.sentence
    for step in (short.next_step, open_.next_step):
        assert re.fullmatch(r"[A-Z][a-z ]+[.]", step)


def test_a_group_whose_sets_fall_short_is_told_with_its_figures():
    group = held(800, 1000, 0.77, 0.83, by="g", group="a", p=0.0004)
    (found,) = coverage_findings([held(4200, 5000, 0.83, 0.85), group], 0.9, 0.1, "Sets")
    figures = (
        "in 90 % of rows",
        "80.0 % [77.0 %, 83.0 %] of g “a” (n 1,000)",
        "below the 89.0 %",
        "84.0 % overall (corrected p below .001)",
    )
    assert all(figure in found.sentence for figure in figures)
    assert (found.grade, found.weight, found.measures) == ("concern", 0.5, ("calibration.coverage",))
    assert found.next_step == "Calibrate sets for each group of g."


def test_the_least_covered_group_is_named_and_every_one_is_drawn():
    width = Estimate(value=1.0, low=0.5, high=1.5, n=10)
    covers = [held(8, 10, 0.5, 0.9), held(3, 5, 0.2, 0.8, by="g", group="a"), held(5, 5, 0.6, 1.0, by="g", group="b")]
    chart = coverage_chart([IntervalPart(coverage=one, width=width, score=width) for one in covers], 0.9)
    assert chart.message == "Lowest for g: a: 60.0 %, promised 90 %."
    assert [(row["y"], row["x"], row["size"]) for row in chart.rows] == [
        *(("all rows", 0.8, "n 10"), ("g: a", 0.6, "n 5"), ("g: b", 1.0, "n 5")),
    ]


def test_quantiles_are_drawn_beside_their_levels_from_the_lowest_to_the_highest():
    def level(at, value, low, high):
        return QuantileLevel(level=at, below=Estimate(value=value, low=low, high=high, n=9), loss=Estimate(value=1.0, n=9))

    (chart,) = quantile_chart([level(0.1, 0.2, 0.1, 0.3), level(0.5, 0.7, 0.6, 0.8), level(0.9, 0.8, None, None)])
    assert "3 quantiles 1 have a level outside" in chart.message  # 0.1 is the end of its interval, and belongs to it
    assert [(row["x"], row["y"], row["color"]) for row in chart.rows] == [
        *((0.1, 0.2, "truths"), (0.5, 0.7, "truths"), (0.9, 0.8, "truths")),
        *((0.1, 0.1, "as stated"), (0.9, 0.9, "as stated")),
    ]
    (upper,) = quantile_chart([level(0.3, 0.2, 0.1, 0.3), level(0.5, 0.7, 0.1, 0.4)])
    assert "2 quantiles 1 have" in upper.message
    assert list(quantile_chart([])) == list(quantile_table([], "kg")) == []
    (table,) = quantile_table([level(0.1, 0.2, 0.1, 0.3)], None)
    assert table.columns == ("quantile", "truths at or below it", "low", "high", "pinball loss")
    assert table.rows == ((0.1, 0.2, 0.1, 0.3, 1.0),)


def test_coverage_is_drawn_by_width_beside_what_is_promised():
    output = IntervalOutput(low=np.zeros(2), high=np.ones(2), coverage=0.9, unit="kg")
    found = [(1.0, Estimate(value=0.7, low=0.6, high=0.8, n=9)), (2.0, Estimate(value=0.95, low=0.9, high=1.0, n=9))]
    (chart,) = width_chart(found, output)
    assert "70.0 % of rows, the widest in 95.0 %." in chart.message
    assert [tuple(row.values()) for row in chart.rows] == [
        *((1.0, 0.7, 0.6, 0.8, "coverage"), (2.0, 0.95, 0.9, 1.0, "coverage")),
        *((1.0, 0.9, "promised"), (2.0, 0.9, "promised")),
    ]
    assert chart.x_title == "width of the interval (kg)"
    (bare,) = width_chart(found, IntervalOutput(low=np.zeros(2), high=np.ones(2), coverage=0.9))
    assert bare.x_title == "width of the interval"
    assert list(width_chart([], output)) == []
