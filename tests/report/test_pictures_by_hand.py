"""Small pictures of a report worked out by hand: scales, marks, which groups and rows they show, and counts at a threshold."""

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Case, Chart, Part, Token
from glassbench.report.cards import card
from glassbench.report.explore.content import Choice, _agrees, _choice, _enough, _gaps, shares
from glassbench.report.explore.threshold_counts import Feature, GroupCounts, ThresholdCounts, count_by_score, run_threshold
from glassbench.report.glances import _beside_baseline, _of_cells, _spoken_of, finding_glance, gate_glance
from glassbench.report.group_glances import group_glance
from glassbench.report.index import sparkline
from glassbench.report.marks import _tone
from glassbench.report.numbers import column, percent, probability, signed
from glassbench.report.strips import LENGTH, Line, line_of, measure_line


def measure(name: str, value: float, low: float | None = None, high: float | None = None, **more: object) -> Measure:
    return Measure(name=f"loud.{name}", value=value, low=low, high=high, n=40, **more)


def result(finding: Finding, *measures: Measure, **more: object) -> AuditResult:
    return AuditResult(audit="loud", findings=(finding,), measures=measures, method=Method(summary="m"), **more)


def test_a_scale_is_that_of_shares_or_holds_nothing_and_room_beyond_its_ends() -> None:
    assert line_of([0.2, 0.9]) == Line(0.0, 1.0)
    assert line_of([0.2, 1.4]) == Line(0.0, pytest.approx(1.4 + 0.08 * 1.4))
    assert line_of([3.0, 5.0]) == Line(0.0, pytest.approx(5.4))
    assert line_of([-3.0, -1.0]) == Line(pytest.approx(-3.24), 0.0)
    assert line_of([3.0, 5.0], bare=True) == Line(pytest.approx(2.84), pytest.approx(5.16))
    assert [Line(0.0, 2.0).at(value) for value in (-1.0, 0.0, 1.0, 9.0)] == [4, 4, LENGTH / 2, LENGTH - 4]
    assert measure_line([measure("a", 0.5, -0.2, 3.0)]) == line_of([-0.2, 3.0])


def test_a_gate_is_met_up_to_its_bound_and_drawn_by_what_can_be_judged() -> None:
    few, told = measure("rate", 9.0, unsupported="few"), measure("rate", 0.5, 0.4, 0.6)
    glance = gate_glance([few, told], None, 0.7)
    line = line_of([0.5, 0.4, 0.6, 0.7], bare=True)
    assert glance.side == (0.0, line.at(0.7))
    assert (glance.strips[0].at, glance.mark[0]) == (line.at(0.5), line.at(0.7))
    assert gate_glance([told], 0.2, 0.7).side == (line.at(0.2), line.at(0.7))
    assert gate_glance([few], None, 0.7) is None


def test_a_number_is_held_against_its_own_baseline() -> None:
    names = ("loud.a", "loud.b_baseline", "loud.a_baseline")
    given = [measure("b_baseline", 0.9), measure("a", 0.4, 0.3, 0.5), measure("a_baseline", 0.2)]
    glance = _beside_baseline(Finding(sentence="s", grade="ok", measures=names), given)
    assert glance.mark == (line_of([0.4, 0.3, 0.5, 0.2]).at(0.2), "baseline 0.2")
    assert _beside_baseline(Finding(sentence="s", grade="ok", measures=names[:2]), given) is None


def test_a_finding_whose_first_measure_is_several_shows_none_of_them() -> None:
    found = Finding(sentence="s", grade="ok", measures=("loud.a",))
    one, other = measure("a", 0.4, 0.3, 0.5), measure("a", 0.6, 0.5, 0.7, by=("sex",))
    assert finding_glance(found, result(found, one), "u", 0).strips[0].words.startswith("0.40")
    assert finding_glance(found, result(found, one, other), "u", 0) is None


def test_rows_that_a_sentence_names_are_shown_in_the_charts_order_quoted_ones_before_others() -> None:
    rows = [{"y": f"part {k}", "x": 0.1 * k} for k in range(9)]
    shown = _spoken_of(rows, "It is “part 8”, and also “part 7” that differ.")
    assert [row["y"] for row in shown] == ["part 0", "part 1", "part 2", "part 3", "part 7", "part 8"]
    parts = [{"y": f"{a}, {b}", "x": 0.1} for a in ("left", "right") for b in ("low", "mid", "high", "top")]
    told = _spoken_of(parts, "On the right, mid, low and top are named, but “high” is quoted.")
    assert {"right, high", "left, high"} <= {row["y"] for row in told}


def test_all_rows_that_have_a_number_are_counted_and_the_reference_lies_on_the_line() -> None:
    rows = (*({"y": f"g{k}", "x": 2.0 + k} for k in range(8)), {"y": "none", "x": None})
    chart = Chart(kind="intervals", title="T", message="m", rows=rows, reference=(30.0, "limit"))
    found = Finding(sentence="“g1” is low.", grade="ok", chart="T")
    glance = finding_glance(found, result(found, charts=(chart,)), "u", 0)
    assert glance.notes == ("6 of 8 shown",)
    assert [glance.strips[0].at, glance.mark[0]] == [line_of([30.0]).at(value) for value in (2.0, 30.0)]


def test_cells_of_a_map_share_the_line_of_all_cells() -> None:
    rows = tuple({"x": x, "y": y, "color": value} for x, y, value in (("a", "p", 2.0), ("b", "p", 40.0), ("a", "q", -10.0)))
    glance = _of_cells(Chart(kind="heat", title="T", message="m", rows=rows), "“p” under “a”")
    assert [(one.name, one.at) for one in glance.strips] == [("p", line_of([2.0, 40.0, -10.0]).at(2.0))]


def grouped(name: str, group: str, value: float, feature: str = "sex") -> Measure:
    return measure(name, value, value - 0.05, value + 0.05, by=(feature,), group={feature: group})


def test_the_groups_that_a_finding_names_are_shown_with_its_gap_and_all_rows_where_they_lie_among_them() -> None:
    groups = [grouped("rate", f"g{k}", 0.2 + k / 20) for k in range(9)]
    others = [grouped("rate", "young", 0.9, "age")]
    gap, other = measure("rate_difference", 0.4, 0.1, 0.6, by=("sex",)), measure("x_difference", 0.9, by=("sex",))
    found = Finding(
        sentence="s", grade="concern", by=("sex",), between=({"sex": "g8"}, {"sex": "g6"}),
        measures=("loud.rate_difference", "loud.rate", "loud.x_difference"),
    )  # fmt: skip
    glance = group_glance(found, [other, *others, *groups, gap, measure("rate", 0.31)])
    assert [one.name for one in glance.strips] == ["g0", "g1", "g2", "g3", "g6", "g8"]
    assert glance.mark[1] == "all rows 0.31"
    assert glance.notes == ("Difference 0.40 [0.10, 0.60]", "6 of 9 groups shown")
    assert group_glance(found, [*groups, gap, measure("rate", 0.95)]).mark is None


def frame(rows: list[tuple[float, str | None, str, int]]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["score.yes", "y_true", "group.sex", "frequency"])
    return made.assign(y_pred=np.where(made["score.yes"] >= 0.5, "yes", "no"))


def test_rows_count_by_their_frequency_and_outcomes_that_are_not_known_are_neither() -> None:
    rows = [
        (0.5, "yes", "f", 3),
        (0.49, "yes", "f", 2),
        (0.7, None, "f", 4),
        (0.2, "no", "f", 1),
        (0.9, "no", "m", 9),
        (0.9, "no", "x", 10),
    ]
    found = count_by_score(frame(rows), "yes", None)
    (sex,) = found.features
    assert [(group.name, group.rows) for group in sex.groups] == [("f", 10), ("x", 10)]
    assert sex.left_out == (("m", 9),)
    cells = sex.groups[0].cells(found.at)
    assert cells == {"tp": 3, "fp": 0, "up": 4, "fn": 2, "tn": 1, "un": 0}
    assert shares(sex.groups[0], found.at, selects=True) | {} == {
        "selection_rate": (7, 10), "true_positive_rate": (3, 5), "false_negative_rate": (2, 5), "false_positive_rate": (0, 1),
        "precision": (3, 3), "false_omission_rate": (2, 3), "accuracy": (4, 6),
    }  # fmt: skip
    assert shares(sex.groups[0], found.at, selects=False)["selection_rate"] == (3, 10)
    low = int(np.searchsorted(found.thresholds, 0.1))
    assert sex.groups[0].cells(low)["un"] == 0
    high = int(np.searchsorted(found.thresholds, 0.75))
    assert shares(sex.groups[0], high, selects=False)["selection_rate"] == (10, 10)


def test_a_threshold_lies_above_every_score_that_was_not_chosen() -> None:
    score = np.array([0.5, 0.8])
    assert run_threshold(score, np.array([False, True]), None) == 0.8
    assert run_threshold(score, np.array([False, True]), 0.5) == 0.8
    assert run_threshold(score, np.array([False, True]), 0.6) == 0.6


def counts(name: str, positive: list[int], negative: list[int]) -> GroupCounts:
    return GroupCounts(name=name, positive=np.array(positive), negative=np.array(negative), unknown=np.zeros(2, dtype=int))


def test_counts_are_shown_where_they_are_those_of_the_audits_and_gaps_where_groups_are_large_enough() -> None:
    feature = Feature(name="sex", groups=(counts("f", [10, 30], [20, 40]), counts("m", [40, 10], [30, 20])), left_out=())
    rate = {"by": ("sex",), "group": {"sex": "f"}}
    right, wrong = (Measure(name="fairness.true_positive_rate", value=value, **rate) for value in (0.75, 0.7))
    assert _agrees(feature, 0, [right], selects=True, suffix="")
    assert not _agrees(feature, 0, [wrong], selects=True, suffix="")
    gap = 0.75 - 0.2
    with_small = Measure(name="fairness.true_positive_rate_difference", value=gap, low=0.1, high=0.9, by=("sex",))
    without = Measure(name="fairness.true_positive_rate_difference_without_small", value=gap, low=0.3, high=0.8, by=("sex",))
    assert dict(_gaps(feature, 0, [with_small, without], selects=True, suffix="")) == {"true_positive_rate": [gap, 0.3, 0.8]}
    tiny = Feature(name="sex", groups=(*feature.groups, counts("x", [0, 3], [0, 20])), left_out=())
    assert dict(_gaps(tiny, 0, [without], selects=True, suffix="")) == {"true_positive_rate": [gap, 0.3, 0.8]}
    sizes = [{"rate": (1, n)} for n in (400, 100)]
    assert [_enough(sizes, "rate"), _enough([{"rate": (1, 90)}], "rate"), _enough([{"rate": (1, 90000)}], "rate")] == [
        10,
        10,
        100,
    ]


def test_a_label_that_is_not_known_stays_unknown() -> None:
    rows = Choice(positive="tall", label="tall").rows(pd.DataFrame({"y_true.tall": [1, np.nan, 0], "y_pred.tall": [0, 1, 1]}))
    assert rows["y_true"].isna().tolist() == [False, True, False]
    assert rows["y_true"].dropna().tolist() == ["tall", ""]
    assert rows["y_pred"].tolist() == ["", "tall", "tall"]


def test_the_favourable_class_is_selected_where_there_is_one_choice_alone() -> None:
    every = counts("f", [0, 3], [4, 16])
    told = ThresholdCounts(thresholds=np.array([0.5]), at=0, every=every, features=())
    made = [_choice(Choice(positive="tall", label=label), told, [], "short") for label in ("", "tall")]
    assert [(one["selected"], one["selects"]) for one in made] == [("short", False), ("tall", True)]


def test_signed_numbers_columns_shares_and_p_values_have_sensible_digits() -> None:
    assert signed([12.0, -0.04, 0.0]) == ["+12.0", "0.0", "0.0"]
    assert column([100.0, 0.5]) == ["100", "0.5"]
    assert column([12.0, 1.5]) == ["12.0", "1.5"]
    assert [percent(1, 300), percent(1, 50), percent(0, 9)] == ["0.33\u00a0%", "2\u00a0%", "0\u00a0%"]
    assert [probability(p) for p in (0.001, 0.00099)] == [".001", "< .001"]


def test_bars_of_a_case_are_as_long_as_the_strongest_either_way_and_pieces_without_a_part_stay_plain() -> None:
    parts = tuple(Part(name=n, value="v", contribution=c) for n, c in (("a", -4.0), ("b", 2.0), ("c", 0.0)))
    tokens = (Token(text="x", contribution=None), Token(text="y", contribution=0.0), Token(text="z", contribution=-1.0))
    made = card(Case(title="t", row="r", decision="d", truth=None, parts=parts, tokens=tokens), "u", 0)
    assert [(bar.left, bar.right) for bar in made.shown] == [(100.0, 0.0), (0.0, 50.0), (0.0, 0.0)]
    assert [(shade.strength, bool(shade.words)) for shade in made.shades] == [(0.0, False), (0.0, True), (40.0, True)]


def test_cells_on_one_side_of_nothing_are_shaded_between_the_least_and_the_most_and_signed_ones_alike_either_way() -> None:
    assert [_tone(value, [2.0, 3.0, 6.0])["shade"] for value in (2.0, 3.0, 6.0)] == [
        0.05,
        pytest.approx(0.05 + 0.45 / 4, abs=1e-3),
        0.5,
    ]
    both = [-1.0, 0.5, 4.0]
    assert [_tone(value, both)["shade"] for value in both] == [
        pytest.approx(0.05 + 0.45 / 4, abs=1e-3), pytest.approx(0.05 + 0.45 / 8, abs=1e-3), 0.5,
    ]  # fmt: skip
    assert _tone(-1.0, both)["hue"] != _tone(0.5, both)["hue"]


def test_a_small_curve_falls_to_its_last_value() -> None:
    points = [tuple(map(float, point.split(","))) for point in sparkline([4.0, 2.0, 1.0, 3.0]).points.split()]
    assert [x for x, _ in points] == [0, 32, 64, 96]
    assert points[0][1] < points[3][1] < points[1][1] < points[2][1]
    long = sparkline([float(200 - k) for k in range(199)] + [500.0]).points.split()
    assert float(long[-1].split(",")[1]) == min(float(point.split(",")[1]) for point in long)
