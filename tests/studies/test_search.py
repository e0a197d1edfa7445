"""A search draws settings of the types that components declare, and comes to the same candidates however often it is stopped."""

import json
import math
import shutil

import numpy as np
import pytest

from glassbench.errors import GlassbenchError, RunError
from glassbench.studies import load_study, plan_study, run_study
from glassbench.studies.pruning import MedianPruner, Pruned, medians
from glassbench.studies.searching import Result, Search
from glassbench.studies.vary import Dimension

optuna = pytest.importorskip("optuna")

SPACE = {
    "lr": Dimension(**{"from": 1e-4, "to": 0.1, "log": True}),
    "width": Dimension(**{"from": 1, "to": 64}),
    "kind": Dimension(choices=("a", [1, 2], None)),
}
SEARCH = {
    "vary": {"search": {"model.C": {"from": 0.001, "to": 100.0, "log": True}}},
    "objectives": [{"measure": "performance.accuracy", "at_least": 0.6}],
    "budget": {"runs": 7},
    "at_once": 2,
}


def loss(settings):
    return (math.log10(settings["lr"]) + 2) ** 2 + (settings["width"] - 20) ** 2 / 400 + (settings["kind"] != [1, 2])


def searched(objectives, candidates, known=(), lag=3, whole=("width",)):
    search = Search(SPACE, whole, objectives, seed=5, candidates=candidates)
    found = []
    for number in range(candidates):
        if number >= lag:
            value = loss(found[number - lag])
            failed = number % 9 == 4
            values = None if failed else [value, found[number - lag]["width"]][:objectives]
            search.tell(number - lag, Result(values=values, violations=[found[number - lag]["width"] - 40]))
        found.append(search.ask(known[number] if number < len(known) else None))
    return found


@pytest.mark.parametrize("objectives", [1, 2])
def test_a_search_that_is_built_again_goes_on_with_the_same_candidates(objectives):
    found = searched(objectives, 30)
    assert searched(objectives, 30, known=json.loads(json.dumps(found[:17]))) == found
    assert len({json.dumps(one) for one in found}) > 20


def test_candidates_that_would_be_others_now_are_refused():
    found = searched(1, 5)
    with pytest.raises(RunError, match="draws other candidates"):
        searched(1, 5, known=[*found[:3], {**found[3], "width": 7}])


def test_the_tree_structured_search_finds_better_settings_than_chance():
    best = min(map(loss, searched(1, 40)))
    generator = np.random.default_rng(1)
    chance = [
        min(
            loss({"lr": 10 ** generator.uniform(-4, -1), "width": generator.integers(1, 65), "kind": ("a", [1, 2], None)[k]})
            for k in generator.integers(0, 3, 40)
        )
        for _ in range(200)
    ]
    assert best < np.median(chance)


def test_drawn_values_keep_their_type_and_their_range():
    found = searched(1, 40)
    assert all(isinstance(one["width"], int) and 1 <= one["width"] <= 64 for one in found)
    assert all(1e-4 <= one["lr"] <= 0.1 and len(f"{one['lr']:.10g}".strip("0.")) <= 8 for one in found)
    assert {json.dumps(one["kind"]) for one in found} == {'"a"', "[1, 2]", "null"}


@pytest.fixture(scope="module")
def study(small_study, tmp_path_factory):
    return run_study(small_study(**SEARCH), studies=tmp_path_factory.mktemp("studies"))


def settings_of(study):
    return [(trial.seed, trial.settings) for trial in study.trials]


def test_a_search_tries_what_its_budget_allows_and_names_a_winner(study):
    found = study.answer
    assert found["runs"] == {"asked": 7, "done": 7, "failed": {}, "pruned": 0}
    assert found["search"]["method"] == "TPE"
    values = [candidate["objectives"][0]["value"] for candidate in found["candidates"]]
    assert found["candidates"][found["winner"]["candidate"]]["objectives"][0]["value"] == max(values)


@pytest.mark.slow
def test_a_search_that_was_stopped_goes_on_to_the_same_candidates_and_numbers(study, tmp_path):
    again = tmp_path / study.folder.name
    shutil.copytree(study.folder, again)
    lines = (again / "asked.jsonl").read_text().splitlines(keepends=True)
    (again / "asked.jsonl").write_text("".join(lines[:3]) + lines[3][:20])
    for trial in study.trials[2:]:
        shutil.rmtree(again / "runs" / trial.run)
    found = load_study(again).resume(workers=1)
    assert settings_of(found) == settings_of(study)
    ours, theirs = ([(c["words"], c["values"], c["objectives"]) for c in one.answer["candidates"]] for one in (found, study))
    assert ours == theirs


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vary": {"search": {"model.no_such": {"from": 1, "to": 2}}}}, "no_such"),
        ({"vary": {"search": {"model.C": {"from": 2.0, "to": 1.0}}}}, "`from` below `to`"),
        ({"vary": {"search": {"model.C": {"from": 0, "to": 1.0, "log": True}}}}, "above 0 where `log`"),
        ({"vary": {"search": {"model.C": {"from": -1.0, "to": 1.0}}}}, "vary.search.model.C"),
        ({"vary": {"search": {"model.C": {"from": "a", "to": "b"}}}}, "vary.search"),
        ({"vary": {"search": {"model.C": {"from": 1.0}}}}, "`from` and `to`"),
        ({"vary": {"search": {"model.C": {"choices": [1.0]}}}}, "at least two choices"),
        ({"vary": {"search": {"model.C": {"choices": [1.0, "much"]}}}}, "much"),
        ({"vary": {"search": {"dataset.target": {"from": 0, "to": 1}}}}, "dataset.target"),
        ({"vary": {"search": {"dataset.sensitive_as_input": {"from": 0, "to": 1}}}}, "sensitive_as_input"),
        ({"vary": {"search": {"seed": {"from": 0, "to": 9}}}}, "seeds stand under"),
        ({"vary": {**SEARCH["vary"], "grid": {"model.C": [1.0, 2.0]}}}, "`grid` or `search`"),
        ({"budget": None}, "nothing says when the search ends"),
        ({"budget": {"runs": 1}}, "too small for two candidates"),
        ({"budget": {"hours": 1}}, "hours"),
        ({"vary": {"seeds": 3}, "prune": True, "budget": None}, "only a search prunes"),
        ({"vary": {"seeds": 3}, "budget": {"runs": 2}}, "more runs than its budget"),
        ({"at_once": 0}, "at_once"),
    ],
)
def test_a_search_of_the_wrong_form_is_refused_before_anything_is_written(change, words, small_study, tmp_path):
    with pytest.raises(GlassbenchError) as caught:
        run_study(small_study(**{**SEARCH, **change}), studies=tmp_path / "studies")
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) < 12
    assert not (tmp_path / "studies").exists()


def test_a_range_of_a_setting_that_takes_whole_numbers_draws_whole_numbers(small_study):
    vary = {"search": {"trainer.batch_size": {"from": 8, "to": 64.5}}}
    with pytest.raises(GlassbenchError, match="whole numbers"):
        plan_study(small_study(**{**SEARCH, "vary": vary, "experiment": {"model": "mlp"}}))


def test_the_median_of_earlier_runs_ends_a_run_that_is_worse():
    earlier = [
        [{"epoch": e, "step": e, "validation_loss": loss - 0.1 * e} for e in range(6)] for loss in (1.0, 1.1, 1.2, 1.3, 1.4)
    ]
    bounds = medians(earlier)
    assert bounds == pytest.approx({3: 0.9, 4: 0.8, 5: 0.7})
    good, bad = MedianPruner(bounds), MedianPruner(bounds)
    for epoch in range(6):
        good.record({"epoch": epoch, "validation_loss": 1.15 - 0.1 * epoch})
    bad.record({"epoch": 2, "validation_loss": 5.0})
    with pytest.raises(Pruned):
        bad.record({"epoch": 3, "validation_loss": 0.95})
    MedianPruner(bounds, [{"epoch": 1, "validation_loss": 0.5}]).record({"epoch": 3, "validation_loss": 2.0})
    assert medians(earlier[:4]) == {}
