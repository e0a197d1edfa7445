"""Who loses: planted harm is found, a change that harms nobody is not, and numbers are those counted by hand."""

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import RunError
from glassbench.runs.comparison.paired_parts import paired_parts

SCHEMA = Schema(modality="table", shape=(1,), target=Target(name="y", kind="class", classes=("no", "yes"), positive="yes"))


def decided(right: np.ndarray, truth: np.ndarray, group: np.ndarray) -> pd.DataFrame:
    """Return decisions that are right where `right` says so."""
    said = np.where(right, truth, np.where(truth == "yes", "no", "yes"))
    frame = {"row": np.arange(len(truth)), "y_true": truth, "y_pred": said, "group.side": group}
    return pd.DataFrame({**frame, "score.yes": (said == "yes") * 1.0, "score.no": (said == "no") * 1.0})


def simulated(seed: int, *, lost: float, churn: float = 0.02, rows: int = 2000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return decisions before and after: rows change sides as often both ways, and the group `b` loses a share of rows more."""
    chance = np.random.default_rng(seed)
    group = np.repeat(["a", "b", "c", "d"], rows)
    truth = chance.choice(["no", "yes"], len(group))
    before = chance.random(len(group)) < 0.85
    worse, better = chance.random((2, len(group)))
    harmed = np.where(group == "b", lost, 0.0)
    after = np.where(before, worse >= (churn / 2 + harmed) / 0.85, better < churn / 2 / 0.15)
    return decided(before, truth, group), decided(after, truth, group)


def found(before: pd.DataFrame, after: pd.DataFrame, **settings):
    return paired_parts(before, after, kind=Classes(), schema=SCHEMA, features=("side",), **settings)


def test_numbers_are_those_counted_by_hand() -> None:
    truth, group = np.array(["yes", "no"] * 20), np.repeat(["a", "b"], 20)
    before, after = np.ones(40, dtype=bool), np.ones(40, dtype=bool)
    before[:2], after[[0, 20, 21, 22]] = False, False
    told = found(decided(before, truth, group), decided(after, truth, group))
    whole, left, right = told.parts[:3]
    assert told.tests == 5
    assert (whole.rows, whole.better, whole.worse) == (40, 1, 3)
    assert (whole.before, whole.after) == (pytest.approx(2 / 40), pytest.approx(4 / 40))
    assert whole.gain.value == pytest.approx(-2 / 40)
    assert (left.group, left.better, left.worse, left.gain.value) == ("a", 1, 0, pytest.approx(1 / 20))
    assert (right.group, right.better, right.worse, right.gain.value) == ("b", 0, 3, pytest.approx(-3 / 20))
    assert whole.gain.level == pytest.approx(1 - 2 * 0.05 / 5)
    assert whole.gain.low < whole.gain.value < whole.gain.high


def test_parts_with_too_few_rows_are_neither_judged_nor_corrected_for() -> None:
    """Of the groups two have rows enough; with all rows and both classes five parts are corrected for."""
    group, truth = np.repeat(["a", "b", "c", "d"], [20, 19, 4, 1]), np.array(["yes", "no"] * 22)
    before, after = np.ones(44, dtype=bool), np.arange(44) % 5 > 0
    told = found(decided(before, truth, group), decided(after, truth, group))
    assert told.tests == 5
    by_name = {one.group: one for one in told.parts}
    assert {name for name, one in by_name.items() if one.verdict == "too few rows"} == {"c", "d"}
    assert (by_name["c"].gain, by_name["c"].rows, by_name["c"].within) == (None, 4, False)
    assert {one.gain.level for one in told.parts if one.gain is not None} == {1 - 2 * 0.05 / 5}


def test_a_planted_harm_is_found_in_the_group_that_has_it() -> None:
    told = found(*simulated(1, lost=0.03))
    assert told.losing[0].group == "b"
    assert not any(one.verdict == "loses" for one in told.parts if one.feature == "side" and one.group != "b")


def test_nothing_is_found_where_decisions_are_the_same_and_much_is_kept() -> None:
    before, _ = simulated(2, lost=0.0)
    told = found(before, before)
    assert {one.verdict for one in told.parts} == {"kept"}
    assert all(one.gain.value == 0 and one.gain.low < 0 < one.gain.high for one in told.parts)


def test_parts_of_few_rows_are_shown_and_not_tested() -> None:
    before, after = simulated(3, lost=0.0)
    before.loc[:4, "group.side"] = after.loc[:4, "group.side"] = "few"
    few = next(one for one in found(before, after).parts if one.group == "few")
    assert (few.rows, few.verdict, few.gain) == (5, "too few rows", None)


def test_other_rows_and_unknown_truths_are_refused() -> None:
    before, after = simulated(4, lost=0.0, rows=20)
    with pytest.raises(RunError, match="same rows"):
        found(before, after.iloc[::-1])
    with pytest.raises(RunError, match="not known"):
        found(before.drop(columns="y_true"), after.drop(columns="y_true"))


@pytest.mark.slow
def test_how_often_harm_is_found_and_imagined() -> None:
    harmed = [any(one.group == "b" for one in found(*simulated(seed, lost=0.03)).losing) for seed in range(400)]
    neutral = [bool(found(*simulated(1000 + seed, lost=0.0)).losing) for seed in range(1000)]
    assert np.mean(harmed) >= 0.90
    assert np.mean(neutral) <= 0.05


@pytest.mark.parametrize("columns", [(), ("cluster",), ("weight",)], ids=["rows", "clusters", "weights"])
def test_who_loses_is_what_it_was(columns, pinned) -> None:
    before, after = simulated(4, lost=0.05, rows=120)
    more = {"cluster": np.arange(480) // 3, "weight": 1.0 + np.arange(480) % 3}
    pair = [frame.assign(**{name: more[name] for name in columns}) for frame in (before, after)]
    pinned(f"paired-parts{''.join(f'-{name}' for name in columns)}", found(*pair, tolerance=0.02).to_json())
