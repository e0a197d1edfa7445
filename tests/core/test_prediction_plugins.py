"""Kinds of prediction that nobody here thought of, installed as a third party's: whole runs and their reports."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import ndcg_score

from glassbench import Batch
from glassbench.testing import check_kind, check_task

FOLDER = Path(__file__).parents[1] / "prediction_plugins"
sys.path.insert(0, str(FOLDER))

from glassbench_ranking import K, Ranking, list_loss, searches  # noqa: E402 - third parties' modules, not installed here
from glassbench_survival import concordance, horizon_error  # noqa: E402

DECLINE = {"calibration", "counterfactuals", "four-fifths"}
"""Audits that need what neither kind offers."""

AUDITS = ("performance", "fairness", "errors", "robustness", "explain", "data", "proxies", *DECLINE)


RANKING = "glassbench-outcomes/ranking"
"""The third party's task by its full name: the short one means the built-in task."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([*pip, str(FOLDER)], check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}


def whole_run(environment, folder, name, dataset, task, audits=AUDITS):
    experiment = {
        "name": name,
        "seed": 3,
        "dataset": dataset,
        "task": task,
        "model": {"use": "mlp", "hidden": [16]},
        "trainer": {"use": "lightning", "threads": 1, "max_epochs": 30, "learning_rate": 0.01},
        "audits": {audit: {} for audit in audits},
    }
    file = folder / f"{name}.yaml"
    file.write_text(json.dumps(experiment))
    command = [sys.executable, "-c", "from glassbench.cli import main; main()", "run", str(file), "--runs", str(folder), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    run = Path(told["report"]).parent
    audits = {path.parent.name: json.loads(path.read_text()) for path in run.glob("audits/*/result.json")}
    return audits, (run / "report.html").read_text()


@pytest.fixture(scope="module")
def relapses(environment, tmp_path_factory):
    return whole_run(environment, tmp_path_factory.mktemp("survival"), "relapses", {"use": "relapses"}, "survival")


@pytest.fixture(scope="module")
def visits(environment, tmp_path_factory):
    return whole_run(environment, tmp_path_factory.mktemp("counts"), "visits", {"use": "visits"}, "counting")


@pytest.fixture(scope="module")
def orders(environment, tmp_path_factory):
    return whole_run(environment, tmp_path_factory.mktemp("ranking"), "searches", {"use": "searches"}, RANKING)


def applied(audits):
    assert not {name: audit["error"] for name, audit in audits.items() if audit["error"]}
    return {name for name, audit in audits.items() if audit["not_applicable"] is None}


def measures(audits, audit):
    return {(m["name"], json.dumps(m.get("group"))): m for m in audits[audit]["measures"]}


def test_times_to_an_event_get_every_audit_that_needs_no_more(relapses):
    audits, _ = relapses
    assert applied(audits) == set(audits) - DECLINE
    for name in DECLINE:
        assert re.search(r"predict|decision|class", audits[name]["not_applicable"])
    found = measures(audits, "performance")
    assert found["performance.concordance", "null"]["value"] > 0.65
    assert found["performance.concordance_baseline", "null"]["value"] == pytest.approx(0.5)
    assert {"errors.hinge_error", "errors.slices"} <= {name for name, _ in measures(audits, "errors")}


def test_groups_are_compared_by_concordance_alone(relapses):
    audits, _ = relapses
    names = {name for name, _ in measures(audits, "fairness")}
    assert {"fairness.concordance", "fairness.concordance_difference", "fairness.horizon_error"} <= names
    assert not [name for name in names if "absolute_error" in name or "selection" in name or "positive" in name]


@pytest.mark.slow
@pytest.mark.parametrize(("planted", "least", "most"), [(True, 0.1, 1.0), (False, 0.0, 0.1)])
def test_a_group_whose_stages_say_nothing_is_found_and_none_where_there_is_none(environment, tmp_path, planted, least, most):
    dataset = {"use": "relapses", "rows": 4000, "planted": planted}
    audits, _ = whole_run(environment, tmp_path, "planted", dataset, "survival", audits=("performance", "fairness"))
    gap = measures(audits, "fairness")["fairness.concordance_difference", "null"]["value"]
    assert least <= gap <= most
    assert planted or audits["fairness"]["grade"] != "concern"


def test_no_sentence_takes_a_censored_time_for_an_outcome(relapses):
    _, page = relapses
    said = re.sub(r"<[^>]+>", " ", page)
    assert "mean error of times" in said
    assert not re.search(r"mean absolute error|R²|residual|decided wrongly|accuracy of", said, re.I)


def test_counts_are_explained_judged_and_held_against_their_mean(visits):
    audits, page = visits
    assert applied(audits) == set(audits) - DECLINE
    assert measures(audits, "performance")["performance.deviance_gain", "null"]["low"] > 0
    assert "the logarithm of the expected number" in page
    drivers = audits["explain"]["findings"]
    assert any("age" in finding["sentence"] or "chronic" in finding["sentence"] for finding in drivers)


def test_orders_are_judged_by_whole_queries_and_never_attacked_row_by_row(orders):
    audits, page = orders
    assert applied(audits) == set(audits) - DECLINE
    assert audits["robustness"]["method"]["parameters"]["rows"] == 512  # 64 whole queries of 8
    said = re.sub(r"<[^>]+>", " ", page)
    assert "No attack was made: what a row is predicted as depends on the other rows of its list" in said
    assert not re.search(r"mislead|FGSM|learnt from the training rows|four-fifths rule is a rule|equal error rates", said)


def test_a_query_cut_apart_by_a_group_has_no_score_there(orders):
    found = measures(orders[0], "fairness")
    whole = found["fairness.ndcg", json.dumps({"language": "Welsh"})]
    assert 0.8 < whole["value"] < 1
    cut = found["fairness.ndcg", json.dumps({"seller": "large"})]
    assert cut["unsupported"] or cut["undefined"]  # few queries have large sellers alone, and n says how few
    assert cut["n"] < 10
    assert found["fairness.places_below_grade", json.dumps({"seller": "large"})]["n"] > 60


@pytest.mark.slow
@pytest.mark.parametrize("planted", [True, False])
def test_gaps_of_queries_and_of_candidates_are_found_where_they_are(environment, tmp_path, planted):
    dataset = {"use": "searches", "queries": 1500, "planted": planted}
    audits, _ = whole_run(environment, tmp_path, "gaps", dataset, RANKING, audits=("performance", "fairness"))
    gaps = {(m["name"], *(m["by"] or ())): m for m in audits["fairness"]["measures"]}
    language, seller = gaps["fairness.ndcg_difference", "language"], gaps["fairness.places_below_grade_difference", "seller"]
    assert (language["low"] > 0.02, seller["low"] > 0.1) == (planted, planted)
    assert (audits["fairness"]["grade"] == "concern") == planted


def test_orders_are_scored_as_scikit_learn_scores_them():
    data, task = searches(1, queries=40), Ranking()
    torch.manual_seed(0)
    frame = task.predict(torch.nn.Linear(2, 1), data.test).frame
    lists = [q for _, q in frame.groupby("cluster") if q["y_true"].max() > 0]
    theirs = [ndcg_score([2 ** q["y_true"] - 1], [q["score"]], k=K) for q in lists]
    metric, chance = task.metrics[0], np.random.default_rng(0)
    assert metric.compute(frame, np.ones((1, len(frame)))) == pytest.approx([np.mean(theirs)])
    assert metric.infer(frame, chance).value == pytest.approx(np.mean(theirs))
    assert metric.infer(frame, chance).error == pytest.approx(np.std(theirs, ddof=1) / len(theirs) ** 0.5, rel=0.05)
    cut = frame[frame["group.seller"] == "large"]
    assert metric.infer(cut, chance).n == (cut.groupby("cluster").size() == 8).sum()
    check_kind(task.kind, frame, data.schema)
    check_task(task, data, torch.nn.Linear(2, 1))


def test_the_loss_of_lists_is_the_cross_entropy_of_each():
    score, target = torch.tensor([[0.2], [1.0], [-0.5]]), torch.tensor([[2.0, 7], [0, 7], [1, 3]])
    batch = Batch(inputs=(), target=target, positions=torch.arange(3))
    # The first query: all of the gain (3 of 3) is the first candidate's; the second has one candidate.
    assert float(list_loss(score, batch)) == pytest.approx((np.log(1 + np.exp(0.8)) + 0) / 2)


def test_concordance_is_the_share_of_pairs_in_the_right_order():
    frame = pd.DataFrame({"y_true": [1.0, 2.0, 3.0, 4.0], "event": [1, 0, 1, 1], "y_pred": [2.0, 1.0, 5.0, 4.0]})
    # Known pairs: 1 before 2, 3 and 4 (two right, one wrong), 3 before 4 (wrong); the second row is censored.
    assert concordance(frame, np.ones((1, 4))).tolist() == [pytest.approx(2 / 4)]
    twice = pd.concat([frame, frame.iloc[[2]]], ignore_index=True)
    assert concordance(frame, np.array([[1.0, 1, 2, 1]])) == pytest.approx(concordance(twice, np.ones((1, 5))))


def test_the_horizon_is_held_against_kaplan_and_meier():
    frame = pd.DataFrame({"y_true": [3.0, 6.0, 9.0, 20.0], "event": [1, 0, 1, 1], "survives": [0.5] * 4})
    assert horizon_error(frame, np.ones((1, 4))) == pytest.approx([abs(0.5 - 3 / 4 * 1 / 2)])  # at risk 4, then 2
