"""Two runs held against each other row by row: what changed for whom, which rows are the same, and gaps of parts, by hand."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from glassbench.contracts.evidence import Measure
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.recomputed import GapOf, Number, Recomputed, joined
from glassbench.contracts.schema import Schema, Target
from glassbench.experiments.gates import Gate
from glassbench.runs.comparison import resamples as resampling
from glassbench.runs.comparison.baseline import judge_against
from glassbench.runs.comparison.decision_changes import changes
from glassbench.runs.comparison.differences import MeasureDifference, RunDifferences, differences
from glassbench.runs.comparison.judged_run import key_of
from glassbench.runs.comparison.paired_parts import paired_parts
from glassbench.runs.comparison.resamples import Resamples, _placed, resamples
from glassbench.runs.comparison.same_rows import SameRows, same_rows
from glassbench.stats.contrast import Contrast, paired_share
from glassbench.stats.sampling import Sampling

LOAN = Schema(
    modality="table", shape=(1,), target=Target(name="loan", kind="class", classes=("no", "granted"), favourable="granted")
)
BEFORE = pd.DataFrame(
    {
        "row": [3, 1, 2, 5, 4, 9],
        "y_pred": ["no", "no", "granted", "granted", "no", "no"],
        "y_true": ["no", "granted", "granted", None, "no", "no"],
        "group.sex": ["f", "f", "m", "m", "m", "f"],
    }
)
AFTER = pd.DataFrame({"row": [1, 2, 3, 4, 5], "y_pred": ["granted", "granted", "granted", "granted", "no"]})


def test_decisions_are_matched_by_row_and_counted_by_what_they_were_and_are() -> None:
    """Rows 3 and 4 become wrong, row 1 right; row 5 loses its loan, nobody knows whether rightly; row 9 is not decided again."""
    whole, women, men = changes(BEFORE, AFTER, LOAN, ["sex"])
    assert (whole["feature"], whole["group"], women["group"], men["group"]) == (None, None, "f", "m")
    counts = ("rows", "changed", "righted", "wronged", "favoured", "disfavoured")
    assert [[part[name] for name in counts] for part in (whole, women, men)] == [
        [5, 4, 1, 2, 3, 1],
        [2, 2, 1, 1, 2, 0],
        [3, 2, 0, 1, 1, 1],
    ]
    moved = np.array([-1.0, 1.0, 0.0, -1.0])
    found = paired_share(-0.25, moved.std() / 2, 4).estimate(0.95)
    assert (whole["gain"], whole["low"], whole["high"]) == pytest.approx((-0.25, found.low, found.high))
    (alone,) = changes(BEFORE.iloc[:1], AFTER, LOAN, [])
    assert (alone["rows"], alone["wronged"], alone["gain"]) == (1, 1, None)


@pytest.mark.parametrize(("first", "second"), [(BEFORE.assign(row=1), AFTER), (BEFORE, AFTER.assign(row=1))])
def test_rows_whose_ids_repeat_cannot_be_matched(first: pd.DataFrame, second: pd.DataFrame) -> None:
    assert changes(first, second, LOAN, []) == []


ROWS = pd.DataFrame({"row": ["a", "b", "c"], "y_true": ["x", None, "y"], "y_pred": "x", "group.g": ["p", "q", "q"]})


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (ROWS, ROWS.iloc[[2, 0, 1]], "same"),
        (ROWS, ROWS.iloc[[2, 0]], "shared"),
        (ROWS.iloc[[2, 0]], ROWS, "shared"),
        (ROWS, ROWS.assign(**{"group.g": ["p", "q", "p"]}), "independent"),
        (ROWS.assign(cluster=[1, 1, 2]), ROWS, "independent"),
        (ROWS, ROWS.assign(cluster=[1, 1, 2]), "independent"),
        (ROWS, ROWS.assign(row=["a", "b", "b"]), "independent"),
        (ROWS, ROWS.assign(y_true=["x", "nan", "y"]), "independent"),
        (ROWS.assign(y_true=["x", "None", "y"]), ROWS, "independent"),
        (ROWS.assign(row=["a", "a", "b"]), ROWS.assign(row=["a", "a", "b"]), "same"),
    ],
)
def test_rows_are_the_same_where_ids_and_all_that_is_known_of_them_are(
    first: pd.DataFrame, second: pd.DataFrame, kind: str
) -> None:
    assert same_rows(first, second, one_data_set=False).kind == kind


def test_rows_that_both_have_stand_in_one_order() -> None:
    found = same_rows(ROWS, ROWS.iloc[[2, 0]], one_data_set=False)
    assert (found.first.tolist(), found.second.tolist()) == ([0, 2], [1, 0])


def test_bare_ids_show_that_rows_are_the_same_within_one_data_set_alone() -> None:
    bare = ROWS[["row", "y_pred"]]
    assert same_rows(bare, bare, one_data_set=True).kind == "same"
    assert same_rows(bare, bare, one_data_set=False).kind == "independent"


NUMBERS = tuple(Number(name=f"a.{k}", share=k < 4, of=40.0) for k in range(6))
GAP = GapOf(name="a.gap", by=("g",), kind="difference", parts=((0, 1), (2, 3, 4)))


def drawn(value: list[float], sampling: Sampling | None = None) -> Resamples:
    numbers = np.array(value)
    again = Recomputed(numbers=NUMBERS, compute=lambda w: np.tile(numbers, (len(w), 1)), gaps=(GAP,))
    return Resamples(recomputed=again, value=numbers, draws=np.zeros((2, 6)), sampling=sampling or Sampling(weight=np.ones(40)))


def test_a_gap_is_the_widest_of_any_metric_among_groups_with_a_number() -> None:
    found = drawn([0.2, 0.5, 0.9, 0.4, np.nan, 7.0])
    ratio = replace(GAP, kind="ratio")
    assert found.gap(GAP) == pytest.approx(0.5)
    assert found.gap(ratio) == pytest.approx(0.4)
    assert drawn([0.1, 0.9, 0.5, 0.6, 0.4, 0.0]).gap(GAP) == pytest.approx(0.8)
    assert drawn([0.0, 0.0, 0.5, 0.6, 0.9, 0.0]).gap(ratio) == pytest.approx(0.5 / 0.9)
    assert math.isnan(drawn([0.0, np.nan, np.nan, np.nan, 1.0, 1.0]).gap(GAP))
    groups = found.of_groups(GAP)
    assert groups.metric.tolist() == [0, 0, 1, 1, 1]
    assert groups.n.tolist() == [40, 40, 40, 40, math.inf]


def test_a_number_rests_on_as_many_rows_as_say_as_much() -> None:
    """Rows of a survey of weights 3 and 1, twenty each: 80² / 200 = 32 of 40; persons of four rows: 10 of 40."""
    weight = np.repeat([1.5, 0.5], 20)
    survey = Sampling(weight=weight, clusters=np.arange(40), survey=True)
    assert drawn([0.0] * 6, survey).size(NUMBERS[0]) == pytest.approx(32)
    persons = Sampling(weight=np.ones(40), clusters=np.repeat(np.arange(10), 4))
    assert drawn([0.0] * 6, persons).size(NUMBERS[0]) == pytest.approx(10)


def test_draws_of_a_part_stand_around_the_number_of_all_rows() -> None:
    """Of a part whose mean is 5: 4 and 6 become 0.5 less and more around 2; what the part lacks is not known."""
    whole = Recomputed(numbers=NUMBERS[:2], compute=lambda w: w)
    part = Recomputed(numbers=(NUMBERS[5], NUMBERS[1]), compute=lambda w: w)
    found = _placed(np.array([[9.0, 4.0], [9.0, 6.0]]), part, whole, np.array([1.0, 2.0]), 0.5)
    assert np.isnan(found[:, 0]).all()
    assert found[:, 1].tolist() == [1.5, 2.5]


def test_gaps_of_joined_parts_are_of_their_own_numbers() -> None:
    parts = [drawn([0.0] * 6).recomputed, drawn([1.0] * 6).recomputed]
    both = joined(parts)
    assert [gap.parts for gap in both.gaps] == [((0, 1), (2, 3, 4)), ((6, 7), (8, 9, 10))]
    assert both.compute(np.ones((2, 3)))[1].tolist() == [0.0] * 6 + [1.0] * 6


@dataclass(frozen=True, eq=False, kw_only=True)
class Stored:
    """A run whose measures are given, with rows where it has any."""

    measures: dict[Any, Measure]
    frame: pd.DataFrame | None = None
    fingerprint: str = ""
    name: str = "stored"
    clock: tuple[str, ...] = ()
    compute: Callable[[pd.DataFrame, np.ndarray], np.ndarray] | None = None
    numbers: tuple[Number, ...] = field(default=())

    def by_clock(self, measure: str) -> bool:
        return measure in self.clock

    def recomputed(self, rows: np.ndarray | None = None) -> Recomputed:
        if self.compute is None or self.frame is None:
            return joined(())
        compute, frame = self.compute, self.frame if rows is None else self.frame.iloc[rows]
        return Recomputed(numbers=self.numbers, compute=lambda weights: compute(frame, weights))


def measure(value: float | None, half: float = 0.02, **facts: Any) -> Measure:
    lacking = {"undefined": "no rows"} if value is None else {"low": value - half, "high": value + half}
    return Measure(**{"name": "a.m", "value": value, "n": 100, **lacking, **facts})


def stored(*measures: Measure, **facts: Any) -> Stored:
    return Stored(measures={key_of(one): one for one in measures}, **facts)


def test_why_a_number_is_not_judged_is_told_by_either_run() -> None:
    for first, second in ((measure(0.5, not_judged="why"), measure(0.9)), (measure(0.5), measure(0.9, not_judged="why"))):
        (found,) = differences(stored(first), stored(second)).measures
        assert found.measure().not_judged == "why"


def test_a_direction_that_one_run_knows_is_enough() -> None:
    for first, second in ((True, None), (None, True), (False, None), (None, False)):
        (found,) = differences(
            stored(measure(0.5, higher_is_better=first)), stored(measure(0.9, higher_is_better=second))
        ).measures
        assert found.better == ("second" if True in (first, second) else "first")


def test_a_measure_with_too_few_events_in_either_run_is_not_tested() -> None:
    few = Measure(name="a.m", value=0.5, unsupported="2 rows")
    for pair in ((few, measure(0.9)), (measure(0.9), few), (measure(None), measure(0.9)), (measure(0.9), measure(None))):
        (found,) = differences(stored(pair[0]), stored(pair[1])).measures
        assert (found.contrast, found.p) == (None, None)


def test_numbers_that_are_equal_in_runs_of_other_rows_are_tested_all_the_same() -> None:
    found = differences(stored(measure(0.5)), stored(measure(0.5)))
    assert (found.measures[0].alike, found.measures[0].p, found.tests) == (False, 1, 1)


def test_what_differs_stands_first_then_by_p_value_and_what_has_none_last() -> None:
    names, steps = ("a.none", "a.near", "a.far", "a.same"), (None, 0.03, 0.5, 0.0)
    first = [measure(0.5, name=name) for name in names]
    second = [measure(None if step is None else 0.5 + step, name=name) for name, step in zip(names, steps, strict=True)]
    assert [one.first.name for one in differences(stored(*first), stored(*second)).measures] == [
        "a.far",
        "a.near",
        "a.same",
        "a.none",
    ]


def share_of_ones(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return weights @ (frame[["x"]].to_numpy() == 1) / weights.sum(axis=1, keepdims=True)


def paired(ones: list[int], value: float | None = None, **facts: Any) -> Stored:
    frame = pd.DataFrame({"row": np.arange(len(ones)), "x": ones, "y_true": "t"})
    number = Number(name="a.m", share=True, of=len(ones))
    return stored(
        measure(np.mean(ones) if value is None else value), frame=frame, compute=share_of_ones, numbers=(number,), **facts
    )


def test_a_share_of_the_same_rows_is_paired_unless_an_audit_computes_it_otherwise() -> None:
    """Of 40 rows ten turn from 0 to 1 and four from 1 to 0: McNemar's test of 10 against 4."""
    first, second = [0] * 20 + [1] * 20, [1] * 10 + [0] * 10 + [0] * 4 + [1] * 16
    (found,) = differences(paired(first), paired(second)).measures
    assert (found.how, found.values) == ("paired", (0.5, 0.65))
    assert found.contrast is not None
    assert norm.isf(found.contrast.p / 2) == pytest.approx(6 / math.sqrt(14), rel=0.05)
    (other,) = differences(paired(first, 0.4), paired(second)).measures
    assert (other.how, other.values) == ("independent", (0.4, 0.65))
    (same,) = differences(paired(first), paired(first)).measures
    assert (same.alike, same.p) == (True, 1)


def test_values_that_are_equal_by_chance_are_not_alike() -> None:
    """Five rows turn either way: no difference, and rows that tell the runs apart."""
    first, second = [0] * 20 + [1] * 20, [1] * 5 + [0] * 15 + [0] * 5 + [1] * 15
    found = differences(paired(first), paired(second))
    assert (found.measures[0].alike, found.measures[0].p, found.tests) == (False, 1, 1)


def test_runs_on_the_same_rows_are_resampled_alike() -> None:
    ones = paired([0, 1] * 30)
    assert np.array_equal(resamples(ones).draws, resamples(ones).draws)
    assert resamples(ones, np.arange(0, 60, 2)).value.tolist() == [0]


def test_a_part_of_many_rows_is_resampled_from_these_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first 60 rows are all 0, of the other 60 every second is 1: 40 drawn ones vary as 60 do."""
    monkeypatch.setattr(resampling, "ROWS", 40)
    found = resamples(paired([0] * 60 + [0, 1] * 30), np.arange(60, 120))
    assert found.value == pytest.approx([0.5])
    assert found.draws.mean() == pytest.approx(0.5, abs=0.01)
    assert found.draws.std() == pytest.approx(math.sqrt(0.25 / 60), rel=0.1)


NOTHING = np.array([], dtype=int)
GATE = Gate(measure="a.*", no_worse_than="base", margin=0.06)


def moved(value: float | None, half: float, name: str = "a.m", higher: bool | None = True) -> MeasureDifference:
    one = measure(0.5, name=name, higher_is_better=higher)
    contrast = None if value is None else Contrast(value=value, p=1.0, limits=lambda level: (value - half, value + half))
    return MeasureDifference(first=one, second=one, values=(0.5, 0.5), contrast=contrast, how="paired", reason="no rows")


def judged(*measures: MeasureDifference, lacking: tuple[Measure, ...] = ()) -> Any:
    rows = SameRows(kind="same", words="the same rows", first=NOTHING, second=NOTHING)
    return judge_against(GATE, RunDifferences(rows=rows, measures=measures, lacking=(lacking, ()), tests=len(measures)))


def test_undefined_measures_and_those_without_a_direction_are_none_of_several_to_be_held() -> None:
    assert judged(moved(0.0, 0.05), moved(None, 0.0, "a.free", None)).verdict == "pass"
    lost = Measure(name="a.lost", value=None, undefined="no rows", higher_is_better=True)
    assert judged(moved(0.0, 0.05), lacking=(lost,)).verdict == "pass"
    assert judged(moved(0.0, 0.05), lacking=(measure(0.5, name="a.lost", higher_is_better=True),)).verdict != "pass"


def test_of_measures_that_fail_the_farthest_on_its_wrong_side_is_named() -> None:
    """0.3 too high where lower is better is farther than 0.2 too low where higher is."""
    told = judged(moved(-0.26, 0.01, "a.up"), moved(0.36, 0.01, "a.down", False), moved(0.3, 0.01, "a.good"))
    assert [one.name for one in told.compared] == ["a.down", "a.up", "a.good"]


def test_only_measures_that_fail_are_held_by_wider_intervals() -> None:
    """An interval that passes at 95 % passes among several, however wide it is at a higher level."""
    one = measure(0.5, higher_is_better=True)
    wide = Contrast(value=0.0, p=1.0, limits=lambda level: (-0.05, 0.05) if level <= 0.95 else (-0.5, 0.5))
    held = MeasureDifference(first=one, second=one, values=(0.5, 0.5), contrast=wide, how="paired")
    assert judged(held, moved(0.0, 0.01, "a.other")).verdict == "pass"


def test_losses_of_values_are_held_against_a_share_of_how_far_they_are_spread() -> None:
    """Predictions 0 and 20 have a deviation of 10: of it a tenth counts as none, on rows whose truth is known, by weight."""
    schema = Schema(modality="table", shape=(1,), target=Target(name="price", kind="value"))
    truth = np.tile([0.0, 20.0], 20)
    before = pd.DataFrame(
        {"row": range(41), "y_true": [*truth, np.nan], "y_pred": [*truth, 5.0], "group.side": ["l"] * 40 + ["r"]}
    )
    after = before.assign(y_pred=[*(truth + np.tile([0.4, 0.8], 20)), 500.0], y_true=[*truth, 1.0])
    told = paired_parts(before, after, kind=Values(), schema=schema, features=("side",), tolerance=0.1)
    assert (told.tolerance, told.tests, told.complement) == (pytest.approx(1.0), 2, None)
    assert [(one.feature, one.group, one.rows) for one in told.parts] == [(None, None, 40), ("side", "l", 40)]
    whole = told.parts[0]
    assert (whole.before, whole.after, whole.better, whole.worse) == (0, pytest.approx(0.6), 0, 40)
    assert (whole.verdict, whole.within) == ("loses", True)
    weighted = [frame.assign(weight=[*([1.0, 3.0] * 20), 9.0]) for frame in (before, after)]
    heavier = paired_parts(*weighted, kind=Values(), schema=schema, features=(), tolerance=0.1).parts[0]
    assert heavier.after == pytest.approx((0.4 + 3 * 0.8) / 4)
    assert heavier.gain is not None
    assert heavier.gain.value == pytest.approx(-(0.4 + 3 * 0.8) / 4)
