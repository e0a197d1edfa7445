"""Nested cross-validation: rows of a fold take no part in the choice for it, and the winner is not flattered."""

import json

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import ExperimentError, SettingsError
from glassbench.report.study_page import render_study
from glassbench.runs.artifacts import read_predictions
from glassbench.stats.cross_validation import nested
from glassbench.studies import plan_study, run_study
from glassbench.toolkit.splits.folds import check_fold
from glassbench.toolkit.splits.splits import Division, divide

VARY = {"folds": 3, "inner_folds": 2, "grid": {"model.C": [0.001, 1.0]}}


def inner(number: int, of: int, inner_number: int, inner_of: int) -> Division:
    return Division(seed=4, fold={"number": number, "of": of, "inner": {"number": inner_number, "of": inner_of}})


def test_inner_folds_hold_each_row_outside_the_fold_once_and_none_of_the_fold():
    target = pd.Series(np.repeat(["a", "b"], [60, 40]))
    for k in range(5):
        outer = divide(target, Division(seed=4, fold={"number": k, "of": 5}))["test"]
        parts = [divide(target, inner(k, 5, j, 4)) for j in range(4)]
        assert sorted(np.concatenate([p["test"] for p in parts])) == sorted(set(range(100)) - set(outer))
        for part in parts:
            assert not set(np.concatenate(list(part.values()))) & set(outer)
            assert len(part["validation"]) == pytest.approx(20, abs=1)


def test_clusters_stay_together_in_inner_folds_too():
    clusters = pd.Series(np.repeat([f"c{k}" for k in range(25)], 4))
    target = pd.Series(np.tile(["a", "b"], 50))
    part = divide(target, inner(1, 5, 0, 2), clusters)
    held = [set(clusters.iloc[rows]) for rows in part.values()]
    assert not (held[0] & held[1] | held[0] & held[2] | held[1] & held[2])


def test_an_inner_fold_that_there_is_not_is_refused():
    with pytest.raises(SettingsError, match=r"2 folds"):
        check_fold({"number": 0, "of": 3, "inner": {"number": 2, "of": 2}})


def test_a_choice_among_equals_is_flattered_and_the_nested_one_is_not():
    generator = np.random.default_rng(3)
    flattered, honest = [], []
    for _ in range(400):
        inside, outside = generator.normal(0.0, 1.0, (2, 10, 1, 5))
        flattered.append(outside.mean(axis=2).max())
        honest.append(nested(inside, outside, True)[0].value)
    assert np.mean(flattered) > 0.5
    assert abs(np.mean(honest)) < 0.08


def test_a_candidate_that_is_not_allowed_is_not_chosen():
    inside = np.array([[[3.0, 3.0]], [[1.0, 1.0]]])
    allowed = np.array([[[False, True]], [[True, True]]])
    assert nested(inside, inside, True, allowed)[1].tolist() == [[1, 0]]


@pytest.mark.slow
def test_a_study_chooses_anew_in_each_fold(small_study, tmp_path):
    study = run_study(small_study(VARY), studies=tmp_path)
    assert len(study.trials) == 2 * (3 + 3 * 2)
    folder = {(t.settings["model.C"], t.fold, t.inner): study.folder / "runs" / t.run for t in study.trials}
    right = {}
    for key, path in folder.items():
        frame = read_predictions(path)
        right[key] = float((frame["y_true"].astype(str) == frame["y_pred"].astype(str)).mean())
    best = [max((0.001, 1.0), key=lambda c, k=k: np.mean([right[c, k, j] for j in range(2)])) for k in range(3)]
    found = study.answer["winner"]["nested"]
    assert found["value"] == pytest.approx(np.mean([right[c, k, None] for k, c in enumerate(best)]))
    assert found["chosen"] == [f"model.C={c}" for c in best]
    outer = set(read_predictions(folder[1.0, 0, None])["row"])
    assert not outer & set(read_predictions(folder[1.0, 0, 1])["row"])
    assert len(study.out_of_fold()) == 442
    page = render_study(study.answer)
    assert "Nested cross-validation, in which the candidate of each fold is chosen by 2 inner folds" in page
    json.dumps(study.answer, allow_nan=False)


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ({"inner_folds": 3, "grid": {"model.C": [1.0, 2.0]}}, "beside `folds`"),
        ({"folds": 3, "inner_folds": 3}, "two candidates or more"),
        ({"folds": 3, "inner_folds": 1, "grid": {"model.C": [1.0, 2.0]}}, "inner_folds"),
        ({"folds": 3, "inner_folds": 2, "search": {"model.C": {"from": 0.1, "to": 1.0}}}, "two candidates or more"),
    ],
)
def test_inner_folds_that_cannot_be_are_refused(vary, words, small_study):
    with pytest.raises(ExperimentError, match=words):
        plan_study(small_study(vary))
