"""What is wrong with a study file is said before anything is trained, on one screen."""

import copy

import pytest

from glassbench.errors import GlassbenchError
from glassbench.studies import plan_study, run_study

EXPERIMENT = {
    "name": "one",
    "dataset": {"use": "diabetes", "target": "class"},
    "task": "classification",
    "model": "linear",
    "audits": ["performance"],
}
STUDY = {
    "name": "two",
    "experiment": EXPERIMENT,
    "vary": {"seeds": 2},
    "objectives": [{"measure": "performance.accuracy"}],
}


def changed(path, value):
    study = copy.deepcopy(STUDY)
    *parents, last = path.split(".")
    inner = study
    for key in parents:
        inner = inner[int(key) if key.isdigit() else key]
    inner[last] = value
    return study


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("vary", {"seeds": 1}, "nothing varies"),
        ("vary", {}, "nothing varies"),
        ("vary", {"seeds": 0}, "greater than or equal to 1"),
        ("vary", {"seeds": [1, 1]}, "each once"),
        ("vary", {"seeds": []}, "at least one seed"),
        ("vary", {"grid": {"model.penalty": []}}, "at least one value"),
        ("vary", {"grid": {"seed": [1, 2]}}, "seeds stand under"),
        ("vary", {"grid": {"model.no_such": [1, 2]}}, "no_such"),
        ("vary", {"seeds": 2, "fold": 5}, "fold"),
        ("vary", {"seeds": 500, "grid": {"dataset.test_share": [0.2, 0.25, 0.3]}}, "too many runs"),
        ("vary", {"grid": {"dataset.test_share": [0.2, 7]}}, "test_share"),
        ("objectives", [], "at least 1"),
        ("objectives", [{"measure": "performance.acuracy"}], "did you mean 'performance.accuracy'"),
        ("objectives", [{"measure": "fairnes.x"}], "no audit of this experiment"),
        ("objectives", [{"measure": "performance.accuracy", "goal": "higher"}], "maximize"),
        ("workers", 0, "greater than or equal to 1"),
        ("workers", 200, "too few processors"),
        ("threads", "many", "threads"),
        ("budget", "soon", "budget"),
        ("experiment", "no-such.yaml", "no such experiment file"),
        ("experiment", 5, "experiment"),
        ("lauuncher", "local", "unknown key 'lauuncher'"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(path, value, words, tmp_path):
    with pytest.raises(GlassbenchError) as caught:
        run_study(changed(path, value), studies=tmp_path / "studies")
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) < 12
    assert not (tmp_path / "studies").exists()


def test_every_combination_meets_every_seed():
    made = plan_study(changed("vary", {"seeds": [4, 9], "grid": {"dataset.test_share": [0.2, 0.3]}}))
    assert [(run.seed, run.settings["dataset.test_share"]) for run in made.runs] == [(4, 0.2), (9, 0.2), (4, 0.3), (9, 0.3)]
    told = [(run.experiment["seed"], run.experiment["dataset"]["test_share"]) for run in made.runs]
    assert told == [(4, 0.2), (9, 0.2), (4, 0.3), (9, 0.3)]


def test_the_experiment_is_found_beside_the_study_file_and_keeps_its_seed(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.yaml").write_text(
        "{name: one, dataset: {use: diabetes, target: class}, task: classification, model: linear,"
        " audits: [performance], seed: 5}"
    )
    (tmp_path / "in" / "study.yaml").write_text(
        "{name: two, experiment: one.yaml, vary: {grid: {dataset.test_share: [0.2, 0.3]}},"
        " objectives: [{measure: performance.accuracy}]}"
    )
    monkeypatch.chdir(tmp_path)
    assert [run.seed for run in plan_study("in/study.yaml").runs] == [5, 5]
