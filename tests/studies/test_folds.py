"""Cross-validation judges every row once, and its intervals know that folds share training rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from glassbench.errors import DataError, GlassbenchError
from glassbench.registry import Registry
from glassbench.stats.cross_validation import Folds, chosen_on_other_folds, fold_interval
from glassbench.studies import plan_study, run_study
from glassbench.toolkit.splits.folds import dealt
from glassbench.toolkit.splits.splits import Division, divide

TABLE = {"use": "table", "path": "x.csv", "target": "y"}
VARY = {"folds": 3, "grid": {"model.C": [0.001, 1.0]}}


def test_folds_hold_every_row_once_with_equal_shares_of_each_class():
    target = pd.Series(np.repeat(["a", "b", "c"], [53, 31, 17]))
    parts = [divide(target, Division(seed=4, fold={"number": k, "of": 5})) for k in range(5)]
    assert sorted(np.concatenate([p["test"] for p in parts])) == list(range(101))
    for part in parts:
        assert sorted(np.concatenate(list(part.values()))) == list(range(101))
        counts = target.iloc[part["test"]].value_counts()
        assert [counts["a"] in (10, 11), counts["b"] in (6, 7), counts["c"] in (3, 4)] == [True] * 3
        assert len(part["validation"]) == pytest.approx(20, abs=1)


def test_rows_of_a_cluster_are_in_one_fold_and_folds_are_balanced():
    generator = np.random.default_rng(0)
    clusters = np.repeat([f"c{k}" for k in range(30)], generator.integers(2, 12, 30))
    strata = generator.integers(0, 2, len(clusters))
    folds = dealt(strata, 4, 7, clusters)
    assert (pd.DataFrame({"c": clusters, "f": folds}).groupby("c")["f"].nunique() == 1).all()
    assert np.ptp(np.bincount(folds)) <= 12
    assert (dealt(strata, 4, 8, clusters) != folds).any()


@pytest.mark.parametrize(
    ("strata", "of", "together"), [([0] * 30 + [1] * 3, 4, None), ([0, 1] * 15, 4, [1, 2, 3] * 10), ([0] * 25, 26, None)]
)
def test_too_few_rows_or_clusters_for_so_many_folds_are_refused(strata, of, together):
    with pytest.raises(DataError, match=r"too few rows|fewer clusters"):
        dealt(np.array(strata), of, 0, None if together is None else np.array(together))


def test_the_interval_of_folds_is_that_of_nadeau_and_bengio():
    values = np.array([0.71, 0.75, 0.7, 0.8, 0.74])
    error = np.sqrt(values.var(ddof=1) * (1 / 5 + 0.2 / 0.8))
    expected = scipy_stats.t.interval(0.95, 4, values.mean(), error)
    assert fold_interval(values, Folds(5)) == pytest.approx(expected)


def test_a_choice_among_equals_is_flattered_and_the_choice_on_other_folds_is_not():
    generator = np.random.default_rng(3)
    flattered, honest = [], []
    for _ in range(400):
        values = generator.normal(0.0, 1.0, (10, 1, 5))
        flattered.append(values.mean(axis=2).max())
        honest.append(chosen_on_other_folds(values, True).value)
    assert np.mean(flattered) > 0.5
    assert abs(np.mean(honest)) < 0.08


@pytest.fixture(scope="module")
def study(small_study, tmp_path_factory):
    return run_study(small_study(VARY), studies=tmp_path_factory.mktemp("studies"))


def test_a_study_of_folds_judges_every_patient_once_for_each_candidate(study):
    found = study.answer
    assert found["runs"]["done"] == 6
    for candidate in found["candidates"]:
        rows = study.out_of_fold(candidate["settings"])
        assert sorted(rows["row"]) == list(range(442))
        by_fold = (rows["y_true"].astype(str) == rows["y_pred"].astype(str)).groupby(rows["fold"]).mean()
        assert candidate["objectives"][0]["value"] == pytest.approx(by_fold.mean(), abs=1e-6)
    assert (
        found["winner"]["chosen_on_other_folds"]["value"]
        <= found["candidates"][found["winner"]["candidate"]]["objectives"][0]["value"]
    )
    assert "Nadeau and Bengio" in study.report.read_text()


def test_repeats_divide_the_rows_anew(small_study):
    made = plan_study(small_study({"folds": 3, "repeats": 2}))
    assert [(run.seed, run.fold) for run in made.runs] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert made.runs[4].experiment["dataset"]["fold"] == {"number": 1, "of": 3}


@pytest.mark.parametrize(
    ("vary", "dataset", "words"),
    [
        ({"folds": 1}, {}, "greater than or equal to 2"),
        ({"repeats": 3}, {}, "`repeats` beside `folds`"),
        ({"folds": 3, "repeats": 2, "seeds": 2}, {}, "`repeats` or `seeds`"),
        ({"folds": 3}, {"use": "tones"}, "cannot be divided into folds"),
        (
            {"folds": 3},
            {"use": "table", "path": "x.csv", "target": "y", "split": {"by": "date", "column": "d"}},
            "divided by date",
        ),
    ],
)
def test_folds_that_cannot_be_are_refused_before_anything_is_written(vary, dataset, words, small_study, tmp_path):
    experiment = {"dataset": dataset} if dataset else {}
    if dataset.get("use") == "tones":
        experiment["model"] = next(c.name for c in Registry().of_kind("model") if c.name == "conv1d")
    with pytest.raises(GlassbenchError) as caught:
        run_study(small_study(vary, experiment), studies=tmp_path / "s")
    assert words in str(caught.value)
    assert not (tmp_path / "s").exists()
