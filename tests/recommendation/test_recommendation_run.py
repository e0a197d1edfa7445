"""Recommendation through whole runs: audits, report, planted tastes, gaps and popularity."""

import re
from pathlib import Path

import numpy as np
import pytest

from glassbench import run

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "recommendation.yaml"
TRAINER = {"use": "lightning", "threads": 1, "max_epochs": 12, "early_stopping": 3, "batch_size": 128, "learning_rate": 0.003}


def found(done, audit):
    return next(one for one in done.audits if one.audit == audit)


def measures(done, audit):
    return {measure.name.removeprefix(f"{audit}."): measure for measure in found(done, audit).measures}


def experiment(model, audits, seed, task="ranking", **dataset):
    names = {"dataset": {"use": "tastes", **dataset}, "task": {"use": task}, "model": {"use": model}}
    return {"name": "tastes", **names, "trainer": TRAINER, "audits": audits, "seed": seed}


def test_a_small_run_is_audited_and_reported(tmp_path):
    tiny = ["dataset.users=80", "dataset.interactions=10", "trainer.max_epochs=2", "gates=[]", "about={}"]
    fewer = ["audits={performance: {replicates: 50}, fairness: {replicates: 50}, exposure: {}, explain: {rows: 16, cases: 1}}"]
    done = run(EXAMPLE, runs=tmp_path, overrides=[*tiny, *fewer])
    assert [one.error for one in done.audits] == [None] * len(done.audits)
    assert {one.audit for one in done.audits if one.not_applicable} == set()
    page = (done.folder / "report.html").read_text()
    assert re.search(r"Recommends 10 of \d+ items to each user", page)
    assert "Influence of the user, the item and the history" in page


def test_ratings_are_learnt_by_regression(tmp_path):
    done = run(experiment("two-tower", {"performance": {}}, 1, "regression", predict="rating", users=120), runs=tmp_path)
    assert [one.error for one in done.audits] == [None]
    assert measures(done, "performance")["root_mean_squared_error_gain"].low > 0


@pytest.mark.slow
def test_the_example_finds_what_was_planted_and_nothing_else(tmp_path):
    done = run(EXAMPLE, runs=tmp_path)
    assert done.exit_code == 0
    assert any("north" in one.sentence for one in found(done, "fairness").findings if one.grade == "concern")
    concerned = [one.sentence for one in found(done, "exposure").findings if one.grade == "concern"]
    assert len(concerned) == 1
    assert "more popular than what users then chose" in concerned[0]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["two-tower", "matrix-factorisation", "sasrec"])
def test_every_model_ranks_surely_better_than_popularity(model, tmp_path):
    done = run(experiment(model, {"performance": {}}, 1, users=300), runs=tmp_path)
    assert measures(done, "performance")["ndcg_at_10_gain"].low > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize(("popularity", "grade"), [(0.0, "ok"), (1.5, "concern")])
def test_popularity_bias_is_found_where_it_was_planted_alone(seed, popularity, grade, tmp_path):
    made = {"users": 800, "interactions": 8, "held_out": 2, "popularity": popularity}
    done = run(experiment("two-tower", {"exposure": {}}, seed, **made), runs=tmp_path)
    said = next(one for one in found(done, "exposure").findings if "popular than" in one.sentence)
    assert said.grade == grade


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_explanations_of_rankings_find_the_taste(seed, tmp_path):
    """Films of the genre of the recommended one should speak for it, those of other genres not."""
    done = run(experiment("two-tower", {"explain": {"rows": 32, "cases": 8}}, seed), runs=tmp_path)
    same, other = [], []
    for case in found(done, "explain").cases:
        genre = case.decision.split()[0]
        for token in case.tokens:
            words = token.text.split()
            if len(words) == 2 and words[1].isdigit():
                (same if words[0] == genre else other).append(token.contribution)
    assert np.mean(same) > 0
    assert np.mean(same) > 3 * abs(np.mean(other))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_explanations_of_ratings_find_the_taste(seed, tmp_path):
    """A rating rests on the film's genre and the user's taste; studio and region tell nothing."""
    done = run(experiment("two-tower", {"explain": {"rows": 128}}, seed, "regression", predict="rating"), runs=tmp_path)
    table = next(one for one in found(done, "explain").tables if one.title.startswith("Influence of the user"))
    shares = {row[0]: row[2] for row in table.rows}
    assert min(shares["history"], shares["genre"]) > 2 * max(shares["studio"], shares["region"])
