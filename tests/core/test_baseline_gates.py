"""Gates against a baseline run: non-inferiority, what bad input gets, and how it is told."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from glassbench import run
from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.errors import GlassbenchError
from glassbench.experiments.gates import Gate, judge
from glassbench.runs.comparison.baseline import judge_against
from glassbench.runs.comparison.differences import MeasureDifference, RunDifferences
from glassbench.runs.comparison.same_rows import SameRows
from glassbench.stats.contrast import Contrast

NOTHING = np.array([], dtype=int)
SAME = SameRows(kind="same", words="the same rows", first=NOTHING, second=NOTHING)


def moved(value, half, *, name="a.m", higher=True):
    one = Measure(name=name, value=0.5, low=0.4, high=0.6, higher_is_better=higher)
    contrast = Contrast(value=value, p=1.0, limits=lambda level: (value - half, value + half))
    return MeasureDifference(first=one, second=one, values=(0.5, 0.5), contrast=contrast, how="paired")


def found(*measures, lacking=((), ())):
    return RunDifferences(rows=SAME, measures=measures, lacking=lacking, tests=len(measures))


@pytest.mark.parametrize(
    ("value", "higher", "verdict"),
    [
        (0.0, True, "pass"),
        (0.05, False, "insufficient evidence"),
        (-0.05, True, "insufficient evidence"),
        (-0.2, True, "fail"),
        (0.2, False, "fail"),
        (0.2, True, "pass"),
        (-0.2, False, "pass"),
    ],
)
def test_a_gate_passes_only_where_the_whole_interval_is_within_the_margin(value, higher, verdict):
    gate = Gate(measure="a.m", no_worse_than="base", margin=0.06)
    assert judge_against(gate, found(moved(value, 0.05, higher=higher))).verdict == verdict


def test_a_measure_that_only_the_baseline_has_is_no_pass():
    gate = Gate(measure="a.*", no_worse_than="base", margin=0.1)
    lost = Measure(name="a.lost", value=0.5, higher_is_better=True)
    told = judge_against(gate, found(moved(0.0, 0.05), lacking=((lost,), ())))
    assert told.verdict == "insufficient evidence"
    assert "a.lost" in told.reason


def test_the_worst_of_several_measures_decides_and_directions_are_asked_of():
    gate = Gate(measure="a.*", no_worse_than="base", margin=0.1)
    told = judge_against(
        gate, found(moved(0.0, 0.05), moved(0.3, 0.1, name="a.gap", higher=False), moved(0.9, 0.1, name="a.n", higher=None))
    )
    assert (told.verdict, told.compared[0].name, len(told.compared)) == ("fail", "a.gap", 2)


def told_of(name, value, error):
    """A difference of a normal number, lower values being better."""
    one = Measure(name=name, value=0.5, low=0.4, high=0.6, higher_is_better=False)
    z = {level: norm.ppf(0.5 + level / 2) for level in (0.95, 1 - 0.05 / 2, 1 - 0.05 / 3)}
    contrast = Contrast(value=value, p=1.0, limits=lambda level: (value - z[level] * error, value + z[level] * error))
    return MeasureDifference(first=one, second=one, values=(0.5, 0.5), contrast=contrast, how="paired")


@pytest.mark.parametrize(
    ("beyond", "verdicts"),
    [
        (2.0, ["fail", "insufficient evidence", "insufficient evidence"]),
        (2.3, ["fail", "fail", "insufficient evidence"]),
        (2.5, ["fail", "fail", "fail"]),
        (1.9, ["insufficient evidence"] * 3),
    ],
)
def test_of_several_measures_one_fails_by_an_interval_as_wide_as_their_number_asks(beyond, verdicts):
    """Critical values of 1, 2 and 3 measures are 1.96, 2.24 and 2.39; passes are not corrected, for all must pass."""
    gate = Gate(measure="a.*", no_worse_than="base", margin=0.1)
    worse = told_of("a.worse", 0.1 + beyond * 0.01, 0.01)
    good = [told_of(f"a.good{k}", 0.1 - 2.0 * 0.01, 0.01) for k in range(2)]
    assert [judge_against(gate, found(worse, *good[:k])).verdict for k in range(3)] == verdicts
    assert judge_against(gate, found(*good)).verdict == "pass"


def test_other_gates_are_judged_beside_it():
    result = AuditResult(audit="a", method=Method(summary="."), measures=(Measure(name="a.m", value=1.0, low=1.0, high=1.0),))
    gates = (Gate(measure="a.m", at_least=0.5), Gate(measure="a.m", no_worse_than="base", margin=0.1))
    told = judge(gates, [result], against=lambda gate: judge_against(gate, found(moved(-0.5, 0.1))))
    assert [one.verdict for one in told.gates] == ["pass", "fail"]


def decisions(wrong, seed=0, n=400):
    generator = np.random.default_rng(seed)
    truth = np.where(generator.random(n) < 0.5, "no", "yes")
    said = np.where(np.arange(n) % wrong == 0, np.where(truth == "no", "yes", "no"), truth)
    return pd.DataFrame({"truth": truth, "said": said, "sex": generator.choice(["f", "m"], n), "year": np.arange(n)})


def audited(folder, frame, name, gates=(), **more):
    path = folder / f"{name}.csv"
    frame.to_csv(path, index=False)
    columns = {"truth": "truth", "decision": "said", "sensitive": ["sex"], "positive": "yes"}
    dataset = {"use": "predictions", "path": [str(path)], **columns, **more}
    content = {
        "name": name,
        "dataset": dataset,
        "task": "given-classes",
        "audits": ["performance", "fairness"],
        "gates": list(gates),
    }
    return run(content, runs=folder / "runs")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("baseline")
    return folder, audited(folder, decisions(10), "base")


def test_a_run_is_held_against_its_baseline_on_the_same_rows(base):
    folder, baseline = base
    gates = [
        {"measure": "performance.accuracy", "no_worse_than": baseline.folder.name[:12], "margin": 0.05},
        {"measure": "performance.*", "no_worse_than": str(baseline.folder), "margin": 0.9},
    ]
    worse = audited(folder, decisions(4), "worse", gates)
    assert [gate["verdict"] for gate in worse.gates] == ["fail", "pass"]
    assert "row by row" in worse.gates[0]["reason"]
    assert worse.gates[0]["compared"][0]["value"] == pytest.approx(-0.15)
    assert json.loads((worse.folder / "verdict.json").read_text())["gates"][0]["no_worse_than"] == baseline.folder.name
    assert f"no worse than run {baseline.folder.name} by more than 0.05" in (worse.folder / "junit.xml").read_text()
    assert "difference of all rows" in (worse.folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ({"no_worse_than": "nowhere", "margin": 0.1}, "no such run"),
        ({"no_worse_than": "BASE", "margin": -0.1}, "0 or above"),
        ({"no_worse_than": "BASE", "margin": "2%"}, "0.02 for 2 %"),
        ({"no_worse_than": "BASE", "margin": 2}, "margin: 0.02"),
        ({"no_worse_than": "BASE"}, "margin beside no_worse_than"),
        ({"no_worse_than": "BASE", "margin": 0.1, "at_least": 0.5}, "exactly one"),
        ({"no_worse_than": "BASE", "margin": 0.1, "on": "value"}, "on: value"),
        ({"no_worse_than": "BASE", "margin": 0.1, "measure": "performance.nothing*"}, "measures no"),
        ({"no_worse_than": "BASE", "margin": 0.1, "measure": "fairness.selection_rate"}, "neither more nor less"),
        ({"margin": 0.1}, "only beside"),
        ({"at_least": 0.5, "measure": "performance.*"}, "one measure"),
    ],
)
def test_what_bad_gates_get(base, gate, words):
    folder, baseline = base
    told = {key: baseline.folder.name if value == "BASE" else value for key, value in gate.items()}
    with pytest.raises(GlassbenchError, match=words):
        audited(folder, decisions(4), "bad", [{"measure": "performance.accuracy", **told}])


@pytest.mark.parametrize(
    ("frame", "more", "words"),
    [
        (decisions(10, n=300), {}, "other rows"),
        (decisions(10).replace({"yes": "ja"}), {"positive": "ja"}, "something else"),
    ],
)
def test_other_rows_or_another_target_are_refused_before_anything_is_written(base, frame, more, words):
    folder, baseline = base
    gate = {"measure": "performance.accuracy", "no_worse_than": baseline.folder.name, "margin": 0.1}
    before = sorted(path.name for path in (folder / "runs").iterdir())
    with pytest.raises(GlassbenchError, match=words):
        audited(folder, frame, "other", [gate], **more)
    assert sorted(path.name for path in (folder / "runs").iterdir()) == before


def test_a_damaged_baseline_is_refused(base):
    folder, _ = base
    broken = audited(folder, decisions(10), "broken")
    (broken.folder / "verdict.json").write_text("{}")
    gate = {"measure": "performance.accuracy", "no_worse_than": broken.folder.name, "margin": 0.1}
    with pytest.raises(GlassbenchError, match="cannot be used"):
        audited(folder, decisions(4), "after", [gate])


def test_of_several_measures_beyond_the_margin_the_farthest_stands_first() -> None:
    gate = Gate(measure="a.*", no_worse_than="base", margin=0.1)
    lost = [moved(-0.3, 0.05, name="a.near"), moved(-0.7, 0.05, name="a.far"), moved(0.5, 0.05, name="a.gap", higher=False)]
    told = judge_against(gate, found(moved(0.0, 0.05, name="a.kept"), *lost))
    assert [one.name for one in told.compared] == ["a.far", "a.gap", "a.near", "a.kept"]
    assert "3 of 4 measures, a.far the furthest" in told.reason
