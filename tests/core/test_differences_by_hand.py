"""Differences of runs at their edges: who knows what, how many units and degrees of freedom count, and parts of many rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.evidence import Measure
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.recomputed import GapOf, Number, Recomputed
from glassbench.contracts.schema import Schema, Target
from glassbench.runs.comparison import differences as module
from glassbench.runs.comparison import resamples as drawing
from glassbench.runs.comparison.differences import MeasureDifference, differences
from glassbench.runs.comparison.judged_run import JudgedRun, key_of
from glassbench.runs.comparison.paired_parts import _parts, paired_parts
from glassbench.runs.comparison.resamples import resamples
from glassbench.stats.contrast import Contrast, paired_share
from glassbench.stats.sampling import Sampling

Compute = Callable[[pd.DataFrame, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True)
class Held:
    """A run with its rows, and its numbers as functions of them."""

    frame: pd.DataFrame
    measures: dict[Any, Measure]
    numbers: tuple[Number, ...]
    compute: Compute
    gaps: tuple[GapOf, ...] = ()
    fingerprint: str = ""
    name: str = "held"

    def by_clock(self, measure: str) -> bool:
        return False

    def recomputed(self, rows: np.ndarray | None = None) -> Recomputed:
        frame = self.frame if rows is None else self.frame.iloc[rows].reset_index(drop=True)
        return Recomputed(numbers=self.numbers, compute=lambda weights: self.compute(frame, weights), gaps=self.gaps)


def mean_of_x(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return weights @ frame[["x"]].to_numpy() / weights.sum(axis=1, keepdims=True)


def held(x: list[float], *, share: bool = False, of: float = 10.0, **columns: Any) -> Held:
    frame = pd.DataFrame({"row": np.arange(len(x)), "x": x, "y_true": "t"} | columns)
    weight = frame["weight"] if "weight" in frame else np.ones(len(x))
    one = Measure(name="a.m", value=float(np.average(x, weights=weight)), low=-9.0, high=9.0)
    return Held(frame=frame, measures={key_of(one): one}, numbers=(Number(name="a.m", share=share, of=of),), compute=mean_of_x)


def test_a_p_value_of_exactly_five_in_a_hundred_is_no_more_than_chance_shows_that_often() -> None:
    one = Measure(name="a.m", value=0.5, higher_is_better=False)
    contrast = Contrast(value=0.1, p=0.05, limits=lambda level: (0.0, 0.2))
    found = MeasureDifference(first=one, second=one, values=(0.5, 0.6), contrast=contrast, how="paired", p=0.05)
    assert (found.differs, found.better) == (True, "first")
    assert not replace(found, p=0.0501).differs


def test_data_that_nobody_knows_is_not_the_same_data() -> None:
    bare = [replace(held([0.0, 1.0] * 10), frame=held([0.0, 1.0] * 10).frame[["row", "x"]]) for _ in range(2)]
    assert differences(*bare).rows.kind == "independent"
    known = [replace(one, fingerprint="f") for one in bare]
    assert differences(*known).rows.kind == "same"
    assert differences(known[0], replace(bare[1], fingerprint="g")).rows.kind == "independent"


def test_too_few_events_of_either_run_are_the_reason() -> None:
    few = Measure(name="a.m", value=0.5, unsupported="2 rows")
    one = held([0.0, 1.0] * 10)
    for pair in ((one, replace(one, measures={key_of(few): few})), (replace(one, measures={key_of(few): few}), one)):
        assert differences(*pair).measures[0].reason == "too few events: 2 rows"


def test_a_number_that_is_no_share_rests_on_all_rows_and_a_share_on_those_it_is_of() -> None:
    x, y = [0.0, 1.0] * 10, [1.0, 1.0, 0.0, 1.0] * 5
    (mean,), (share,) = (differences(held(x, share=kind), held(y, share=kind)).measures for kind in (False, True))
    assert mean.contrast is not None
    assert share.contrast is not None
    assert (mean.contrast.n, share.contrast.n) == (20, 10)
    assert share.values == mean.values == (0.5, 0.75)


def test_weights_that_leave_few_rows_of_equal_weight_leave_no_interval() -> None:
    """20 rows of which one weighs as much as 60 others: 79² / (60² + 19) = 1.7."""
    weight = np.array([60.0, *np.ones(19)])
    (found,) = differences(held([0.0, 1.0] * 10, weight=weight), held([1.0] * 20, weight=weight)).measures
    assert (found.contrast, found.reason) == (None, "it is not defined on the rows that are compared")


def gap_of(rows: int, people: int | None, seed: int) -> Held:
    """Return a run whose gap is of two groups, half of the rows each; with clusters where there are people."""
    chance = np.random.default_rng(seed)
    side = np.arange(rows) % 2
    frame = pd.DataFrame(
        {"row": np.arange(rows) + 1000 * seed, "x": (chance.random(rows) < 0.3 + 0.3 * side).astype(float), "g": side}
    )
    if people is not None:
        frame["cluster"] = np.arange(rows) * people // rows

    def compute(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        parts = [(weights * (frame["g"] == k).to_numpy()) for k in range(2)]
        return np.stack([part @ frame["x"].to_numpy() / part.sum(axis=1) for part in parts], axis=1)

    numbers = tuple(Number(name="a.rate", by=("g",), group=(("g", str(k)),), share=True, of=rows / 2) for k in range(2))
    value = compute(frame, np.ones((1, rows)))[0]
    one = Measure(name="a.gap", value=float(np.ptp(value)), low=0.0, high=1.0, by=("g",))
    gap = GapOf(name="a.gap", by=("g",), kind="difference", parts=((0, 1),))
    return Held(frame=frame, measures={key_of(one): one}, numbers=numbers, compute=compute, gaps=(gap,))


def test_a_gap_of_two_runs_rests_on_the_smaller_one_and_on_its_degrees_of_freedom(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float, bool]] = []

    def noted(first: Any, second: Any, kind: str, *, units: int, df: float, same_rows: bool) -> Contrast:
        asked.append((units, df, same_rows))
        return paired_share(0.1, 0.1, 9)

    monkeypatch.setattr(module, "gap_contrast", noted)
    small, large, plain = gap_of(80, 8, 1), gap_of(200, 40, 2), gap_of(60, None, 3)
    for pair in ((small, large), (large, small), (small, plain), (plain, small)):
        assert differences(*pair).measures[0].how == "independent"
    assert asked == [(8, pytest.approx(7), False)] * 4


def test_a_gap_that_an_audit_computes_otherwise_is_compared_by_its_intervals() -> None:
    one, other = gap_of(80, None, 1), gap_of(80, None, 2)
    stored = Measure(name="a.gap", value=0.9, low=0.8, high=1.0, by=("g",))
    (found,) = differences(one, replace(other, measures={key_of(stored): stored})).measures
    assert found.values[1] == 0.9
    assert str(found.reason).endswith("different rows")
    (again,) = differences(one, other).measures
    assert again.values == pytest.approx((one.measures[key_of(again.first)].value, other.measures[key_of(again.second)].value))


def test_of_many_rows_a_part_is_resampled_around_the_number_of_all_and_the_spread_narrowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 1,600 rows 100 are drawn: draws spread as those of 1,600 do, by a fortieth of the deviation."""
    monkeypatch.setattr(drawing, "ROWS", 100)
    x = np.random.default_rng(0).normal(size=1700)
    chosen = np.arange(100, 1700)
    found = resamples(held(list(x)), chosen)
    assert found.value[0] == pytest.approx(x[chosen].mean())
    assert found.draws.mean() == pytest.approx(x[chosen].mean())
    assert found.draws.std() == pytest.approx(x[chosen].std() / 40, rel=0.2)
    assert found.sampling.n == 1600


SCHEMA = Schema(modality="table", shape=(1,), target=Target(name="y", kind="class", classes=("a", "b")))


def test_ten_rows_are_tested_and_errors_of_both_runs_are_weighed() -> None:
    """Ten rows of weights 1 and 3: the one that was wrong before weighs 3 of 20, those after 1 + 3 of 20."""
    truth = np.array(["a"] * 10)
    before = pd.DataFrame({"row": range(10), "y_true": truth, "y_pred": ["a", "b", *"aaaaaaaa"]})
    after = before.assign(y_pred=["b", "a", "a", "b", *"aaaaaa"])
    (whole, _) = paired_parts(before, after, kind=Classes(), schema=SCHEMA, features=()).parts
    assert whole.gain is not None
    often = [frame.assign(frequency=[1, 3] * 5) for frame in (before, after)]
    (counted, _) = paired_parts(*often, kind=Classes(), schema=SCHEMA, features=()).parts
    assert (counted.rows, counted.before, counted.after) == (20, 3 / 20, 4 / 20)
    assert (counted.better, counted.worse) == (1, 2)


def test_clusters_of_rows_have_students_degrees_of_freedom() -> None:
    """Twelve persons of two rows, of which one gets worse: as many units, eleven degrees of freedom."""
    frame = pd.DataFrame({"row": range(24), "y_true": "a", "y_pred": "a", "cluster": np.repeat(np.arange(12), 2)})
    after = frame.assign(y_pred=["b", "b", *["a"] * 22])
    (whole, _) = paired_parts(frame, after, kind=Classes(), schema=SCHEMA, features=()).parts
    assert whole.gain is not None
    error = Sampling.of(frame).spread(np.where(np.arange(24) < 2, -11 / 12, 1 / 12)).error
    expected = paired_share(-1 / 12, error, 12, 11).estimate(1 - 2 * 0.05 / 2)
    assert (whole.gain.low, whole.gain.high) == pytest.approx((expected.low, expected.high))


def test_classes_are_parts_where_decisions_are_right_or_wrong() -> None:
    frame = pd.DataFrame({"y_true": ["a", "b"], "y_pred": ["a", "a"], "group.g": ["x", "x"]})
    whole: Any = SimpleNamespace(binary=True)
    partly: Any = SimpleNamespace(binary=False)
    assert [(f, g) for f, g, _ in _parts(frame, whole, ("g",))] == [
        (None, None), ("g", "x"), ("actual class", "a"), ("actual class", "b")
    ]  # fmt: skip
    assert [(f, g) for f, g, _ in _parts(frame, partly, ("g", "h"))] == [(None, None), ("g", "x")]
    numbers = frame.assign(y_true=[1.0, 2.0])
    assert len(list(_parts(numbers, whole, ()))) == 1


def test_measures_of_references_say_nothing_of_the_model_and_clocks_are_those_of_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    spec: Any = SimpleNamespace(references=("baseline_*",), deterministic=False)
    measures = [Measure(name=name, value=0.5) for name in ("p.accuracy", "p.baseline_accuracy", "q.baseline_accuracy")]
    monkeypatch.setattr(JudgedRun, "_specs", {"p": spec, "r": SimpleNamespace(references=(), deterministic=True)})
    run: Any = JudgedRun(path=None, results=[SimpleNamespace(measures=measures)], registry=None)  # type: ignore[arg-type,list-item]
    assert [key[0] for key in run.measures] == ["p.accuracy", "q.baseline_accuracy"]
    assert [run.by_clock(name) for name in ("p.time", "q.time", "r.time")] == [True, False, False]
