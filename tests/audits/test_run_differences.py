"""Runs held against each other: which rows are the same, and whether numbers computed again are those the audits found."""

import sys
from dataclasses import dataclass, field, replace
from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.evidence import Measure
from glassbench.contracts.recomputed import joined
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.runs.comparison.differences import differences
from glassbench.runs.comparison.judged_run import JudgedRun, key_of
from glassbench.runs.comparison.same_rows import same_rows
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_audits.fairness.recomputed import recomputed as fairness_again
from glassbench_audits.performance.audit import audit as performance
from glassbench_audits.performance.recomputed import recomputed as performance_again
from glassbench_plugins.predictions.tasks import GivenClasses, GivenValues

CLASSES = Target(name="y", kind="class", classes=("a", "b"), positive="b", favourable=("b",))
VALUES = Target(name="y", kind="value", unit="kg")


@dataclass(frozen=True, eq=False, kw_only=True)
class Held:
    subject: Subject
    measures: dict = field(default_factory=dict)
    name: str = "held"
    fingerprint: str = ""

    @property
    def frame(self):
        return self.subject.predictions.frame

    def by_clock(self, measure):
        return measure.startswith("clock.")

    def recomputed(self, rows=None):
        frame = self.frame if rows is None else self.frame.iloc[rows].reset_index(drop=True)
        subject = replace(self.subject, predictions=Predictions(frame=frame))
        return joined([performance_again(subject, {}), fairness_again(subject, {})])


def held(frame, target=CLASSES):
    task = GivenClasses() if target.kind == "class" else GivenValues()
    schema = Schema(modality="table", shape=(0,), target=target, sensitive=("g", "h"), scored=False)
    task.check(schema)
    subject = Subject(schema=schema, predictions=Predictions(frame=frame), task=task)
    found = [*performance(subject, replicates=20).measures, *fairness(subject, replicates=20).measures]
    return Held(subject=subject, measures={key_of(m): m for m in found})


def rows(n=240, seed=0, **columns):
    generator = np.random.default_rng(seed)
    truth = np.where(generator.random(n) < 0.5, "a", "b")
    wrong = generator.random(n) < 0.2
    said = np.where(wrong, np.where(truth == "a", "b", "a"), truth)
    groups = {"group.g": generator.choice(["x", "y", "z"], n), "group.h": generator.choice(["p", "q"], n)}
    frame = pd.DataFrame({"row": np.arange(n), "y_true": truth, "y_pred": said, **groups})
    return frame.assign(**{name: make(generator, n) for name, make in columns.items()})


def clusters(generator, n):
    return [f"c{k // 3}" for k in range(n)]


def weights(generator, n):
    return generator.lognormal(0, 0.5, n)


@pytest.mark.parametrize("columns", [{}, {"cluster": clusters}, {"weight": weights}], ids=["plain", "clusters", "weights"])
def test_numbers_computed_again_are_those_the_audits_found(columns):
    """What is compared row by row is what reports show: gaps, rates of groups, metrics over all rows."""
    first = held(rows(**columns))
    second = held(first.frame.assign(y_pred=rows(seed=1, **columns)["y_pred"]))
    found = differences(first, second)
    named = [d for d in found.measures if not d.first.name.endswith(("_baseline", "_gain"))]
    stray = [d.first.name for d in named if d.contrast is not None and d.how != "paired" and "_adjusted" not in d.first.name]
    assert found.rows.kind == "same"
    assert not [name for name in stray if "_within" not in name]
    assert sum(d.how == "paired" for d in named) > 60


def test_values_are_computed_again_too():
    generator = np.random.default_rng(3)
    frame = rows().assign(y_true=generator.normal(60, 10, 240))
    first, second = (held(frame.assign(y_pred=frame["y_true"] + generator.normal(0, s, 240)), VALUES) for s in (2.0, 6.0))
    found = differences(first, second)
    paired = {d.first.name: d for d in found.measures if d.how == "paired" and d.first.by is None}
    assert paired["performance.mean_absolute_error"].better == "first"
    assert paired["fairness.mean_absolute_error"].differs


def test_the_paired_difference_of_accuracy_is_the_mean_of_row_differences():
    first = held(rows())
    second = held(first.frame.assign(y_pred=np.where(np.arange(240) % 4 == 0, "a", first.frame["y_pred"])))
    right = [(f["y_true"] == f["y_pred"]).to_numpy(float) for f in (first.frame, second.frame)]
    moved = right[1] - right[0]
    found = next(d for d in differences(first, second).measures if d.first.name == "performance.accuracy")
    error = (found.measure().high - found.measure().low) / 2 / 1.96
    assert found.contrast.value == pytest.approx(moved.mean())
    assert error == pytest.approx(np.sqrt((moved**2).mean() / 240), rel=0.1)


def test_the_same_decisions_are_alike_and_no_test():
    one = held(rows())
    found = differences(one, held(one.frame.sample(frac=1, random_state=1).reset_index(drop=True)))
    assert found.tests == 0
    assert all(d.alike for d in found.measures if d.how == "paired")


def test_a_model_that_is_far_worse_in_one_group_differs_in_that_gap():
    frame = rows(900)
    flipped = np.where((frame["group.g"] == "x") & (np.arange(900) % 2 == 0), "b", frame["y_true"])
    found = differences(held(frame.assign(y_pred=frame["y_true"])), held(frame.assign(y_pred=flipped)))
    told = {(d.first.name, d.first.by): d.better for d in found.measures if d.differs and d.first.group is None}
    assert told[("fairness.false_positive_rate_difference", ("g",))] == "first"
    assert ("fairness.false_positive_rate_difference", ("h",)) not in told


def test_rows_in_part_the_same_are_compared_on_those():
    frame = rows(300)
    found = differences(held(frame.iloc[:200].reset_index(drop=True)), held(frame.iloc[100:].reset_index(drop=True)))
    accuracy = next(d for d in found.measures if d.first.name == "performance.accuracy")
    assert found.rows.kind == "shared"
    assert accuracy.alike
    assert accuracy.values[0] == pytest.approx((frame["y_true"] == frame["y_pred"])[100:200].mean())


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda f: f.iloc[::-1], "same", "same 240 rows"),
        (lambda f: f.assign(row=f["row"] + 1000), "independent", "different rows"),
        (lambda f: f.assign(y_true=f["y_true"].iloc[::-1].to_numpy()), "independent", "differ in 'y_true'"),
        (lambda f: f.assign(**{"group.g": "x"}), "independent", "differ in 'g'"),
        (lambda f: f.assign(weight=2.0), "independent", "'weight'"),
        (lambda f: f.assign(row=0), "independent", "ids repeat"),
        (lambda f: f[["row", "y_pred"]], "independent", "ids alone"),
    ],
    ids=["reordered", "ids", "truths", "groups", "weights", "repeated", "bare"],
)
def test_rows_are_the_same_by_what_they_hold_and_not_by_how_many_there_are(change, kind, words):
    found = same_rows(rows(), change(rows()), one_data_set=False)
    assert found.kind == kind
    assert words in found.words


def test_a_measure_without_interval_or_of_another_unit_is_shown_and_not_tested():
    one, other = held(rows()), held(rows(seed=5).assign(row=lambda f: f["row"] + 500))
    key = ("audit.size", None, None)
    one.measures[key] = Measure(name="audit.size", value=1.0, unit="MB")
    other.measures[key] = Measure(name="audit.size", value=2.0, unit="GB")
    found = next(d for d in differences(one, other).measures if d.first.name == "audit.size")
    assert found.p is None
    assert "units differ" in found.reason


@dataclass(frozen=True, eq=False, kw_only=True)
class Stored:
    """A run of which measures alone are left."""

    measures: dict
    name: str = "stored"
    frame: None = None
    fingerprint: str = ""

    def by_clock(self, measure):
        return False


def stored(*measures: Measure) -> Stored:
    return Stored(measures={key_of(m): m for m in measures})


def measure(value, low, high, **facts) -> Measure:
    return Measure(name="audit.number", value=value, low=low, high=high, n=100, **facts)


@pytest.mark.parametrize(
    ("of", "combined"),
    [
        ({}, np.hypot),
        ({"by": ("g",), "group": {"g": "x"}}, np.hypot),
        ({"by": ("g",)}, np.add),  # the widest of several gaps may be overstated in either run
    ],
)
def test_intervals_of_two_runs_are_combined_and_those_of_gaps_added(of, combined):
    first, second = measure(0.2, 0.1, 0.35, **of), measure(0.5, 0.44, 0.53, **of)
    (found,) = differences(stored(first), stored(second)).measures
    assert found.how == "independent"
    assert found.values == (0.2, 0.5)
    ends = found.contrast.limits(0.95)
    assert ends == pytest.approx((0.3 - combined(0.06, 0.15), 0.3 + combined(0.03, 0.1)))


@pytest.mark.parametrize(
    ("change", "higher", "better"),
    [
        (0.3, True, "second"),
        (0.3, False, "first"),
        (-0.3, True, "first"),
        (-0.3, False, "second"),
        (0.3, None, None),
        (0.0, True, None),
    ],
)
def test_which_run_is_better_follows_from_the_direction_and_from_certainty(change, higher, better):
    first, second = (measure(v, v - 0.02, v + 0.02, higher_is_better=higher) for v in (0.5, 0.5 + change))
    (found,) = differences(stored(first), stored(second)).measures
    assert found.differs is (change != 0)
    assert found.better == better
    assert found.to_json()["difference"]["better"] == better


def test_p_values_are_corrected_for_distinct_numbers_and_measures_of_one_run_alone_are_listed():
    names = [f"audit.m{k}" for k in range(4)]
    ours = [replace(measure(0.5, 0.4, 0.6), name=name) for name in names]
    theirs = [
        replace(measure(0.5 + step, 0.4 + step, 0.6 + step), name=name)
        for name, step in zip(names, (0.4, 0.2, 0.2, 0.1), strict=True)
    ]
    found = differences(stored(*ours), stored(*theirs[:3], replace(theirs[3], name="audit.new")))
    assert found.tests == 2  # the second and the third are one number under two names
    raw = {d.first.name: d.contrast.p for d in found.measures}
    assert {d.first.name: d.p for d in found.measures} == pytest.approx(
        {"audit.m0": 2 * raw["audit.m0"], "audit.m1": raw["audit.m1"], "audit.m2": raw["audit.m1"]}
    )
    assert [[m.name for m in left] for left in found.lacking] == [["audit.m3"], ["audit.new"]]


@pytest.mark.slow
def test_equal_models_rarely_differ_in_any_measure(request):
    """A part of tests/calibration/comparison.py: in 5 % of pairs at most; of 60 pairs no more than 7 (a chance of 2 %)."""
    spec = spec_from_file_location("comparison_simulation", request.config.rootpath / "tests/calibration/comparison.py")
    simulation = module_from_spec(spec)
    sys.modules[spec.name] = simulation
    spec.loader.exec_module(simulation)
    shape = simulation.SHAPES["2 groups of 100"]
    for same in (True, False):
        alarms, tests = simulation.null(shape, 60, 3, same=same)
        assert tests >= 20
        assert alarms <= 7


def test_times_of_two_moments_carry_no_verdict():
    """The interval of a time says how repeats vary at one moment; a busy machine at another moment is no slower model."""
    name, frame = "clock.latency", rows()
    runs = [held(frame), held(frame)]
    for run, value in zip(runs, (1.0, 2.0), strict=True):
        time = Measure(name=name, value=value, low=value - 0.01, high=value + 0.01, unit="ms", higher_is_better=False)
        run.measures[key_of(time)] = time
        size = replace(time, name="size.file", unit="bytes")
        run.measures[key_of(size)] = size
    found = {one.first.name: one for one in differences(*runs).measures}
    assert (found[name].contrast, found[name].p, found[name].values) == (None, None, (1.0, 2.0))
    assert not found[name].differs
    assert "two moments" in found[name].measure().undefined
    assert found["size.file"].better == "first"


PAIRS = {
    "same": lambda: (rows(), rows().assign(y_pred=rows(seed=1)["y_pred"])),
    "clusters": lambda: (rows(cluster=clusters), rows(cluster=clusters).assign(y_pred=rows(seed=1)["y_pred"])),
    "weights": lambda: (rows(weight=weights), rows(weight=weights).assign(y_pred=rows(seed=1)["y_pred"])),
    "shared": lambda: (rows().iloc[:200], rows().assign(y_pred=rows(seed=1)["y_pred"]).iloc[60:].reset_index(drop=True)),
    "independent": lambda: (rows(), rows(seed=2).assign(row=np.arange(1000, 1240))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_differences_are_what_they_were(name, pinned):
    found = differences(*map(held, PAIRS[name]()))
    told = {}
    for one in found.measures:
        own = one.to_json()["difference"]
        where = ", ".join(f"{k} {v}" for k, v in (one.first.group or {}).items()) or " and ".join(one.first.by or ())
        told[f"{one.first.name} {where}"] = [
            own[key] for key in ("value", "low", "high", "p", "how", "alike", "differs", "better")
        ]
    pinned(f"differences-{name}", {"kind": found.rows.kind, "tests": found.tests, **dict(sorted(told.items()))})


def test_a_rate_of_both_runs_rests_on_the_rows_of_the_one_that_has_fewer() -> None:
    """Precision is counted among the rows predicted so, which are others in either run."""
    first = held(rows())
    frame = first.frame
    second = held(frame.assign(y_pred=np.where(np.arange(len(frame)) % 6 == 0, "a", "b")))
    often = [{name: int((one.frame["y_pred"] == name).sum()) for name in "ab"} for one in (first, second)]
    told = {one.first.name: one.contrast for one in differences(first, second).measures if one.how == "paired"}
    for name in "ab":
        assert told[f"performance.precision[{name}]"].n == min(counts[name] for counts in often)


def test_rows_that_weigh_nothing_are_not_compared(tmp_path) -> None:
    frame = rows(6).assign(weight=[1.0, 0.0, 2.0, 0.5, 0.0, 1.0])
    frame.to_parquet(tmp_path / "predictions.parquet")
    judged = JudgedRun(path=tmp_path, results=(), registry=None)
    assert judged.frame["row"].tolist() == [0, 2, 3, 5]
    assert judged.frame.index.tolist() == [0, 1, 2, 3]


class Unclocked(Held):
    def by_clock(self, measure):
        return False


@pytest.mark.parametrize("kinds", [(Held, Held), (Held, Unclocked), (Unclocked, Held)])
def test_a_time_has_no_interval_of_its_change_where_either_run_knows_it_for_one(kinds) -> None:
    subject, taken = (
        held(rows(60)).subject,
        [Measure(name="clock.latency", value=v, low=v - 0.1, high=v + 0.1) for v in (1.0, 3.0)],
    )
    first, second = (kind(subject=subject, measures={key_of(m): m}) for kind, m in zip(kinds, taken, strict=True))
    (found,) = differences(first, second).measures
    assert (found.contrast, found.p) == (None, None)
    assert "two moments" in found.reason
