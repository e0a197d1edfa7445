"""Candidates of several seeds and folds, the choice by inner folds, runs that end early and what a search is told, by hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from glassbench.contracts.evidence import Measure
from glassbench.studies.answer import _apart, _search
from glassbench.studies.candidates import candidates_of, choice_on_other_folds, common_values, variation
from glassbench.studies.nested import nested_choice
from glassbench.studies.pruning import MedianPruner, Pruned, medians
from glassbench.studies.size_curve import size_curves
from glassbench.studies.study_file import StudyFile
from glassbench.studies.supply import SearchedRuns
from glassbench.studies.trials import Trial, repetition_words
from glassbench.studies.vary import Repetition, Vary

CHEAP, DEAR = {"model.C": "cheap"}, {"model.C": "dear"}


def measure(value: float | None, name: str = "a.m", up: bool = True, **facts: Any) -> Measure:
    lacking = {"undefined": "no rows"} if value is None else {"low": value - 0.1, "high": value + 0.1}
    return Measure(**{"name": name, "value": value, "higher_is_better": up, **lacking, **facts})


def asked(vary: dict[str, Any], *objectives: dict[str, Any]) -> StudyFile:
    content = {"name": "s", "experiment": "e.yaml", "vary": vary, "objectives": objectives or ({"measure": "a.m"},)}
    return StudyFile.model_validate(content)


def candidates(of: StudyFile, told: Sequence[tuple[Trial, list[Measure]]], goals: Sequence[bool] = (True,)) -> tuple[Any, Any]:
    folder: Any = SimpleNamespace(asked=of, trials=[trial for trial, _ in told])
    measures = {trial.run: found for trial, found in told}
    return candidates_of(folder, folder.trials, measures, goals), measures


NESTED = {"folds": 2, "inner_folds": 2, "grid": {"model.C": ["cheap", "dear"]}}


def nested_runs(
    inner: dict[str, list[list[float | None]]], outer: dict[str, list[float]], gaps: dict[str, list[list[float]]] | None = None
) -> list[tuple[Trial, list[Measure]]]:
    """Return runs of two candidates on two folds and two inner folds each, in an order that mixes them."""
    told = []
    for name, settings in (("dear", DEAR), ("cheap", CHEAP)):
        for fold in (1, 0):
            trial = Trial(run=f"{name}{fold}", seed=0, fold=fold, settings=settings)
            told.append((trial, [measure(outer[name][fold]), measure(0.0, "b.gap", up=False)]))
            for one in (0, 1):
                trial = Trial(run=f"{name}{fold}{one}", seed=0, fold=fold, inner=one, settings=settings)
                gap = 0.0 if gaps is None else gaps[name][fold][one]
                told.append((trial, [measure(inner[name][fold][one]), measure(gap, "b.gap", up=False)]))
    return told


INNER = {"cheap": [[0.9, 0.1], [0.6, 0.6]], "dear": [[0.6, 0.6], [0.2, 0.8]]}
OUTER = {"cheap": [0.30, 0.40], "dear": [0.50, 0.70]}


def chosen(told: list[tuple[Trial, list[Measure]]], of: StudyFile, goals: tuple[bool, ...] = (True,)) -> dict[str, Any]:
    found, measures = candidates(of, told, goals)
    answer = nested_choice(found, of, measures, goals, 0.95)
    assert answer is not None
    return answer


def test_of_each_fold_the_candidate_with_the_best_mean_of_inner_folds_is_judged() -> None:
    """Of fold 0 the dear one, 0.6 against 0.5; of fold 1 the cheap one, 0.6 against 0.5: 0.5 and 0.4 on the folds themselves."""
    found = chosen(nested_runs(INNER, OUTER), asked(NESTED))
    assert found["value"] == pytest.approx((0.5 + 0.4) / 2)
    assert found["chosen"] == ['model.C="dear"', 'model.C="cheap"']
    least = chosen(nested_runs(INNER, OUTER), asked(NESTED, {"measure": "a.m", "goal": "minimize"}), (False,))
    assert least["value"] == pytest.approx((0.3 + 0.7) / 2)


def test_a_candidate_that_breaks_a_ceiling_on_the_inner_folds_of_a_fold_is_not_chosen_for_it() -> None:
    """The dear one's gap is 0.2 on average on the inner folds of fold 0, the cheap one's never above 0.1; floors hold beside."""
    gaps = {"cheap": [[0.1, 0.1], [0.0, 0.2]], "dear": [[0.0, 0.4], [0.0, 0.0]]}
    objectives = ({"measure": "a.m", "at_least": 0.0}, {"measure": "b.gap", "at_most": 0.1})
    found = chosen(nested_runs(INNER, OUTER, gaps), asked(NESTED, *objectives), (True, False))
    assert found["chosen"] == ['model.C="cheap"', 'model.C="cheap"']
    assert found["value"] == pytest.approx((0.3 + 0.4) / 2)
    strict = ({"measure": "a.m"}, {"measure": "b.gap", "at_most": 0.05})
    none = chosen(nested_runs(INNER, OUTER, gaps), asked(NESTED, *strict), (True, False))
    assert (none["value"], "no candidate keeps" in none["undefined"]) == (None, True)


def test_one_undefined_or_missing_inner_fold_leaves_no_number() -> None:
    lost = {**INNER, "dear": [[0.6, None], [0.2, 0.8]]}
    assert "undefined on an inner fold" in chosen(nested_runs(lost, OUTER), asked(NESTED))["undefined"]
    assert chosen(nested_runs(INNER, OUTER)[:-1], asked(NESTED))["undefined"] == "runs are missing"


def runs(values: dict[tuple[str, int, int | None], float | None], **facts: Any) -> list[tuple[Trial, list[Measure]]]:
    return [
        (Trial(run=f"{name}{seed}{fold}", seed=seed, fold=fold, settings={"model.C": name}, **facts), [measure(value)])
        for (name, seed, fold), value in values.items()
    ]


def test_inner_folds_are_no_runs_that_candidates_are_compared_by() -> None:
    found, _ = candidates(asked(NESTED), nested_runs(INNER, OUTER))
    assert [(len(one.trials), len(one.all_trials), one.found[0].value) for one in found] == [
        (2, 2, 0.6),
        (2, 2, pytest.approx(0.35)),
    ]
    assert [trial.run for trial in found[0].inner[0, 1]] == ["dear10", "dear11"]


def test_of_a_run_that_was_done_twice_the_first_counts() -> None:
    """A search that came to the same settings again."""
    twice = [(Trial(run=run, seed=0, settings=CHEAP), [measure(value)]) for run, value in (("first", 0.5), ("second", 0.9))]
    (found,), _ = candidates(asked({"seeds": 1}), twice)
    assert [trial.run for trial in found.trials] == ["first"]
    assert found.found[0].value == 0.5


def test_folds_of_several_divisions_are_known_as_such() -> None:
    of = asked({"folds": 2, "repeats": 3})
    (found,), _ = candidates(of, runs({("x", seed, fold): 0.5 for seed in range(3) for fold in range(2)}))
    folds = found.found[0].folds
    assert folds is not None
    assert (folds.of, folds.repeats) == (2, 3)


def test_an_undefined_candidate_is_told_without_a_value_and_left_out_of_what_varies() -> None:
    of = asked({"seeds": 2, "grid": {"model.C": ["x", "y", "z"]}})
    values = {("x", 0, None): 0.1, ("x", 1, None): 0.3, ("y", 1, None): 0.5, ("y", 0, None): 0.9, ("z", 0, None): None}
    found, _ = candidates(of, runs(values))
    assert found[2].told([None])["objectives"] == [{"value": None, "low": None, "high": None, "undefined": "no rows"}]
    usable, keys, table = common_values(found, 0)
    assert ([one.words for one in usable], keys) == (['model.C="x"', 'model.C="y"'], [(0, None), (1, None)])
    assert table.tolist() == [[0.1, 0.3], [0.9, 0.5]]
    told = variation(found, 0, of, 0.95)
    assert told is not None
    assert (told["candidates"], told["importance"]) == (2, {})


def test_seeds_that_any_candidate_lacks_are_none_of_all() -> None:
    values = {("x", 0, None): 0.1, ("x", 1, None): 0.3, ("y", 1, None): 0.5, ("y", 2, None): 0.9}
    found, _ = candidates(asked({"seeds": 3, "grid": {"model.C": ["x", "y"]}}), runs(values))
    assert common_values(found, 0)[1] == [(1, None)]
    assert common_values(found[::-1], 0)[1] == [(1, None)]


def test_the_choice_on_other_folds_goes_by_seed_and_fold_in_whatever_order_runs_ended() -> None:
    """Of seed 0 the others of each fold of x are 0.8, 0.5; of y 0.6 always. Of seed 1 x is always worse."""
    of = asked({"folds": 2, "repeats": 2})
    x, y = {(0, 0): 0.5, (0, 1): 0.8, (1, 0): 0.1, (1, 1): 0.2}, {(0, 0): 0.6, (0, 1): 0.6, (1, 0): 0.6, (1, 1): 0.6}
    values = {("x", *key): x[key] for key in ((0, 1), (1, 1), (0, 0), (1, 0))} | {("y", *key): y[key] for key in y}
    found, _ = candidates(of, runs(values))
    told = choice_on_other_folds(found, of, True, 0.95)
    assert told is not None
    assert told["value"] == pytest.approx((0.5 + 0.6 + 0.6 + 0.6) / 4)
    lacking, _ = candidates(of, runs({key: value for key, value in values.items() if key != ("x", 1, 1)}))
    assert choice_on_other_folds(lacking, of, True, 0.95) is None


def test_intervals_that_touch_are_not_apart() -> None:
    assert not _apart((0.1, 0.3), (0.3, 0.5))
    assert _apart((0.1, 0.29), (0.3, 0.5))
    assert _apart((0.3, 0.5), (0.1, 0.29))
    assert not _apart(None, (0.3, 0.5))


def test_a_search_of_several_objectives_is_told_as_what_it_is() -> None:
    space = {"search": {"model.C": {"from": 0.1, "to": 1.0}}}
    for objectives, method in ((1, "TPE"), (2, "NSGA-II")):
        of = asked(space, *[{"measure": f"a.m{k}"} for k in range(objectives)])
        folder: Any = SimpleNamespace(asked=of, refused=[({"model.C": 0.5}, "why")], searched=[1, 2, 3])
        told = _search(folder)
        assert told is not None
        assert (told["method"], told["candidates"], told["refused"]) == (method, 3, [{"words": "model.C=0.5", "why": "why"}])


def test_a_run_goes_on_at_the_bound_and_by_its_best_value_so_far() -> None:
    run = MedianPruner({3: 0.9, 4: 0.5})
    for epoch, loss in ((0, 2.0), (3, 0.9)):
        run.record({"epoch": epoch, "validation_loss": loss})
    with pytest.raises(Pruned):
        run.record({"epoch": 4, "validation_loss": 0.51})
    better = MedianPruner({3: 0.9})
    better.record({"epoch": 1, "validation_loss": 0.8})
    better.record({"epoch": 3, "validation_loss": 7.0})
    assert medians([[{"epoch": 3, "validation_loss": value}] for value in (1.0, 2.0, 9.0, 4.0, 3.0, 8.0)]) == {3: 3.5}


def test_seeds_shares_and_inner_folds_meet_as_asked() -> None:
    vary = Vary.model_validate({"folds": 2, "repeats": 2, "inner_folds": 2, "rows": [1.0, 0.5], "grid": {"a.b": [1, 2]}})
    found = vary.repetitions(7)
    assert len(found) == 2 * 2 * 2 + 2 * 2 * 2
    assert {(one.seed, one.rows) for one in found if one.inner is not None} == {(0, 1.0), (1, 1.0)}
    assert {one.rows for one in found if one.inner is None} == {0.5, 1.0}
    assert Vary(seeds=(4, 9)).repetitions(7) == [Repetition(4, None, None, None), Repetition(9, None, None, None)]
    assert Vary().repetitions(7) == [Repetition(7, None, None, None)]
    assert repetition_words(0, 0, None, 1) == "seed 0, fold 1, inner fold 2"


def test_a_search_is_told_means_of_the_largest_share_turned_so_that_less_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    of = asked({"seeds": 2, "rows": [0.5, 1.0]}, {"measure": "a.m", "at_least": 0.9}, {"measure": "b.gap", "at_most": 0.1})
    told = {"s": [measure(0.1), measure(0.9, "b.gap", up=False)]}
    told |= {f"l{k}": [measure(0.6 + 0.2 * k), measure(0.2, "b.gap", up=False)] for k in range(2)}
    monkeypatch.setattr("glassbench.studies.supply.measures_of", lambda folder, trial, confirmed: told[trial.run])
    supply = object.__new__(SearchedRuns)
    supply._folder = SimpleNamespace(asked=of)  # type: ignore[assignment]
    trials = [Trial(run=run, seed=0, settings={}, rows=0.5 if run == "s" else 1.0) for run in told]
    found = supply._values(trials)
    assert found.values == pytest.approx([-0.7, 0.2])
    assert found.violations == pytest.approx([0.2, 0.1])
    told["l1"] = [measure(None), measure(0.2, "b.gap", up=False)]
    assert supply._values(trials).values is None


def test_a_curve_has_the_mean_rows_of_its_runs_and_the_group_with_the_worst_mean(tmp_path: Path) -> None:
    """Of two seeds women have 0.2 and 0.6, men 0.3 and 0.3; both by town are no single group."""
    told, rows = {}, {("a", 0.5): 10, ("b", 0.5): 30, ("a", 1.0): 40, ("b", 1.0): 40}
    trials = [Trial(run=f"{seed}{share}", seed=0, rows=share, settings={}) for seed, share in rows]
    for (seed, share), trial in zip(rows, trials, strict=True):
        (tmp_path / trial.run).mkdir()
        (tmp_path / trial.run / "data.json").write_text(json.dumps({"rows": {"train": rows[seed, share]}}))
        women, men = (0.2, 0.3) if seed == "a" else (0.6, 0.3)
        told[trial.run] = [
            measure(0.5),
            measure(women, "b.m", group={"sex": "f"}),
            measure(men, "b.m", group={"sex": "m"}),
            measure(0.0, group={"sex": "f", "town": "x"}),
        ]
    folder: Any = SimpleNamespace(asked=asked({"rows": [0.5, 1.0]}), runs=tmp_path)
    overall, group = size_curves(folder, trials, told, folder.asked.objectives[0], True, 0.95)
    assert [(p["share"], p["rows"], p["runs"]) for p in overall["points"]] == [(0.5, 20, 2), (1.0, 40, 2)]
    assert (group["name"], [p["value"] for p in group["points"]]) == ("worst group: sex m", [0.3, 0.3])
    assert np.isclose(overall["points"][0]["value"], 0.5)
