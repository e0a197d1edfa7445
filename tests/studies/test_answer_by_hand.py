"""What a study answers, of runs whose measures are given: candidates, frontier, winner and curves, against sums by hand."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, t

from glassbench.contracts.evidence import Measure
from glassbench.errors import ExperimentError
from glassbench.studies.answer import answer
from glassbench.studies.objectives import estimate, higher_is_better, refuse_unmeasured
from glassbench.studies.study_file import Objective, StudyFile
from glassbench.studies.trials import Trial

Z = norm.ppf(0.975)


def measure(value: float | None, name: str = "a.m", half: float | None = 0.1, up: bool | None = True, **more: Any) -> Measure:
    ends = {} if value is None or half is None else {"low": value - half, "high": value + half}
    lacking = {"undefined": "no rows"} if value is None else {}
    return Measure(name=name, value=value, higher_is_better=up, **ends, **lacking, **more)


class Folder:
    """A study whose runs are given: trials with their measures, those without measures not done."""

    study = "s"
    failures = 0
    refused: tuple[Any, ...] = ()
    searched: tuple[Any, ...] = ()

    def __init__(self, told: list[tuple[Trial, list[Measure] | None]], runs: Path | None = None, **asked: Any) -> None:
        content = {"name": "s", "experiment": "e.yaml", "vary": {}, "objectives": [{"measure": "a.m"}], **asked}
        self.asked = StudyFile.model_validate(content)
        self.trials = [trial for trial, _ in told]
        self.finished = [trial for trial, measures in told if measures is not None]
        self.runs = runs
        self._measures = {trial.run: measures for trial, measures in told}

    def run(self, trial: Trial) -> Any:
        result = SimpleNamespace(measures=self._measures[trial.run])
        return SimpleNamespace(confirm=lambda: None, results=lambda: [result])

    def pruned(self, trial: Trial) -> bool:
        return False


def trials(
    values: dict[str, list[Any]], half: float | None = 0.1, up: bool = True, **more: Any
) -> list[tuple[Trial, list[Measure] | None]]:
    """Return a run of each seed for each candidate; a value of "lost" is a run that is not done."""
    return [
        (
            Trial(run=f"{name}{seed}", seed=seed, settings={"model.C": name}, **more),
            None if value == "lost" else [measure(value, half=half, up=up)],
        )
        for name, several in values.items()
        for seed, value in enumerate(several)
    ]


def test_of_several_measures_the_worst_counts_and_an_undefined_one_is_the_worst():
    objective = Objective(measure="a.m", by=("sex",))
    groups = [measure(value, by=("sex",), group={"sex": name}) for value, name in ((0.7, "f"), (0.9, "m"))]
    assert estimate(objective, groups, True).value == 0.7
    found = estimate(objective, groups, False)
    assert (found.value, found.low, found.high) == (0.9, 0.8, 1.0)
    lost = measure(None, by=("sex",), group={"sex": "x"})
    assert estimate(objective, [*groups, lost], True).undefined == "no rows"
    assert estimate(objective, [measure(0.5, name="a.other")], True).undefined == "no audit of the run measured a.m by sex"


def test_the_direction_is_the_one_asked_for_or_the_measures_own():
    runs = [[measure(0.5, up=None)], [measure(0.5, up=False)]]
    assert higher_is_better(Objective(measure="a.m"), runs) is False
    assert higher_is_better(Objective(measure="a.m", goal="maximize"), runs) is True
    assert higher_is_better(Objective(measure="a.m", goal="minimize"), []) is False
    assert higher_is_better(Objective(measure="a.x"), runs) is None
    with pytest.raises(ExperimentError, match=r"direction of a.m"):
        higher_is_better(Objective(measure="a.m"), runs[:1])
    with pytest.raises(ExperimentError, match=r"no run measured a.x") as caught:
        refuse_unmeasured(Objective(measure="a.x"), [*runs, [measure(0.1, name="b.m")]])
    assert "a.m" in str(caught.value)
    assert "b.m" not in str(caught.value)


@pytest.mark.parametrize(
    ("bounds", "value", "missed"),
    [
        ({"at_least": 0.6}, 0.5, 0.1),
        ({"at_least": 0.6}, 0.6, 0.0),
        ({"at_most": 0.6}, 0.7, 0.1),
        ({"at_most": 0.6}, 0.5, -0.1),
        ({"at_least": 0.2, "at_most": 0.6}, 0.5, -0.1),
        ({}, 0.5, -np.inf),
    ],
)
def test_how_far_a_floor_or_a_ceiling_is_missed(bounds, value, missed):
    assert Objective(measure="a.m", **bounds).violation(value) == pytest.approx(missed)


def test_candidates_are_means_over_seeds_with_intervals_that_hold_at_once():
    folder = Folder(trials({"x": [0.5, 0.7], "y": [0.8, 0.82], "z": ["lost", 0.9]}), vary={"seeds": 2})
    found = answer(folder)
    assert [c["objectives"][0]["value"] for c in found["candidates"]] == pytest.approx([0.6, 0.81, 0.9])
    assert [[run["run"] for run in c["runs"]] for c in found["candidates"]] == [["x0", "x1"], ["y0", "y1"], ["z1"]]
    assert found["runs"] == {"asked": 6, "done": 5, "failed": 0, "pruned": 0}
    shared = (np.var([0.5, 0.7], ddof=1) + np.var([0.8, 0.82], ddof=1)) / 2
    square, level = (0.1 / Z) ** 2, 1 - 0.05 / 3

    def arm(variance: float, seeds: int, freedom: int) -> float:
        between = variance / seeds
        return (square + between) ** 0.5 * t.ppf(0.5 + level / 2, freedom * ((square + between) / between) ** 2)

    for candidate, reach in zip(found["candidates"], (arm(0.02, 2, 1), arm(shared, 2, 2), arm(shared, 1, 2)), strict=True):
        one = candidate["objectives"][0]
        assert (one["low"], one["high"]) == pytest.approx((one["value"] - reach, one["value"] + reach))
    assert found["winner"]["candidate"] == 2
    assert found["winner"]["among"] == 3
    assert found["winner"]["naive"] == pytest.approx([0.8, 1.0])
    json.dumps(found)


@pytest.mark.parametrize(
    ("goal", "bound", "winner"),
    [
        ("maximize", {}, 2),
        ("minimize", {}, 0),
        ("maximize", {"at_most": 0.7}, 1),
        ("maximize", {"at_most": 0.69}, 0),
        ("minimize", {"at_least": 0.7}, 1),
        ("minimize", {"at_least": 0.95}, None),
    ],
)
def test_the_winner_is_the_best_of_those_that_keep_every_bound(goal, bound, winner):
    objectives = [{"measure": "a.m", "goal": goal, **bound}]
    found = answer(Folder(trials({"x": [0.5], "y": [0.7], "z": [0.9]}), vary={"seeds": 1}, objectives=objectives))
    assert (found["winner"] and found["winner"]["candidate"]) == winner


def of_two(values: dict[str, tuple[float | None, float]], half: float) -> Folder:
    told = [
        (
            Trial(run=name, seed=0, settings={"model.C": name}),
            [measure(first, half=half), measure(second, name="b.gap", half=half, up=False)],
        )
        for name, (first, second) in values.items()
    ]
    return Folder(told, vary={"seeds": 1}, objectives=[{"measure": "a.m"}, {"measure": "b.gap"}])


def test_the_frontier_holds_what_no_other_is_as_good_as_in_everything():
    values = {"x": (0.5, 0.1), "y": (0.7, 0.2), "z": (0.6, 0.3), "w": (0.7, 0.2), "v": (None, 0.0)}
    found = answer(of_two(values, 0.001))
    assert found["frontier"] == [0, 1, 3]
    assert found["candidates"][4]["objectives"][0]["value"] is None
    assert found["behind"] == {"2": 1}
    assert answer(of_two(values, 0.2))["behind"] == {}


def test_one_is_behind_another_only_where_it_is_as_good_in_nothing():
    found = answer(of_two({"x": (0.5, 0.1), "y": (0.7, 0.1), "z": (0.9, 0.3)}, 0.001))
    assert found["behind"] == {"0": 1}


def test_variation_speaks_of_seeds_that_every_candidate_was_run_with():
    folder = Folder(trials({"x": [0.5, 0.7, 0.1], "y": [0.8, 0.84, "lost"]}), vary={"seeds": 3, "grid": {"model.C": ["x", "y"]}})
    (found,) = answer(folder)["variation"]
    assert (found["seed_count"], found["candidates"]) == (2, 2)
    assert found["seeds"]["value"] == pytest.approx(((0.02 + 0.0008) / 2) ** 0.5)
    ratio = 2 * np.var([0.6, 0.82], ddof=1) / ((0.02 + 0.0008) / 2)
    assert found["settings"]["value"] == pytest.approx((ratio - 1) / (ratio + 1))
    assert found["importance"] == {"model.C": {"value": 1.0, "low": None, "high": None}}
    assert found["method"] == "main effects"


def test_folds_are_corrected_for_the_rows_they_share_and_the_choice_is_judged_on_others():
    values = {"x": [0.4, 0.7, 0.9], "y": [0.6, 0.6, 0.6]}
    told = [
        (Trial(run=f"{name}{fold}", seed=0, fold=fold, settings={"model.C": name}), [measure(value)])
        for name, several in values.items()
        for fold, value in enumerate(several)
    ]
    found = answer(Folder(told[::-1], vary={"folds": 3}))
    by_name = {candidate["settings"]["model.C"]: candidate["objectives"][0] for candidate in found["candidates"]}
    shared = np.var(values["x"], ddof=1) / 2
    for name, variance, freedom in (("x", np.var(values["x"], ddof=1), 2), ("y", shared, 4)):
        reach = t.ppf(1 - 0.025 / 2, freedom) * (variance * (1 / 3 + 1 / 2)) ** 0.5
        one = by_name[name]
        assert (one["low"], one["high"]) == pytest.approx((one["value"] - reach, one["value"] + reach))
    assert found["winner"]["chosen_on_other_folds"]["value"] == pytest.approx((0.4 + 0.7 + 0.6) / 3)


def curve_of(folder: Path, values: dict[float, tuple[float, float, float]], up: bool) -> dict[str, Any]:
    told = []
    for share, (whole, women, men) in values.items():
        run = f"r{share}"
        (folder / run).mkdir()
        (folder / run / "data.json").write_text(json.dumps({"rows": {"train": 1000 * share}}))
        groups = [measure(value, group={"sex": name}, up=up) for value, name in ((women, "f"), (men, "m"))]
        told.append((Trial(run=run, seed=0, rows=share, settings={}), [measure(whole, up=up), *groups]))
    return answer(Folder(told, runs=folder, vary={"rows": list(values)}))


@pytest.mark.parametrize(("up", "worst"), [(True, "f"), (False, "m")])
def test_curves_speak_of_all_rows_and_of_the_group_that_is_worst_with_the_most(tmp_path, up, worst):
    values = {0.25: (0.5, 0.7, 0.3), 0.5: (0.6, 0.6, 0.6), 1.0: (0.7, 0.5, 0.9)}
    found = curve_of(tmp_path, values, up)
    ((overall, group),) = found["sizes"]
    assert [(p["share"], p["rows"], p["value"]) for p in overall["points"]] == [
        (0.25, 250, 0.5),
        (0.5, 500, 0.6),
        (1.0, 1000, 0.7),
    ]
    assert overall["gain"] is None
    assert group["name"] == f"worst group: sex {worst}"
    assert [p["value"] for p in group["points"]] == ([0.7, 0.6, 0.5] if worst == "f" else [0.3, 0.6, 0.9])
    assert [p["low"] for p in overall["points"]] == pytest.approx([0.4, 0.5, 0.6])
    assert found["candidates"][0]["objectives"][0]["value"] == 0.7
