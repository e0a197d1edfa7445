"""One number, one interval: a measure that several audits of a run report is the same in all of them, ends included."""

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import glassbench

LANGUAGE = {
    "name": "language",
    "dataset": {"use": "pydoc", "context": 128},
    "task": "next-token",
    "model": {"use": "gpt", "layers": 1, "heads": 2, "width": 16},
    "trainer": {"use": "lightning", "max_epochs": 1, "batch_size": 64},
    "audits": ["performance", "fairness", "errors"],
}


def several(measures):
    """Return the measures that more than one audit reports, by name without the audit, features and group."""
    found = defaultdict(list)
    for one in measures:
        where = one.by, tuple(sorted((one.group or {}).items()))
        found[(one.name.partition(".")[2], *where)].append(one)
    return {name: same for name, same in found.items() if len({m.name for m in same}) > 1}


def ends(measure):
    """Return the number with its interval, to twelve digits: sums may be taken in another order."""
    numbers = [None if v is None else float(f"{v:.12g}") for v in (measure.value, measure.low, measure.high)]
    return (*numbers, measure.level, measure.n, measure.unsupported)


def people(n=360):
    """Three rows of each person, whose outcome leans on two inputs."""
    chance = np.random.default_rng(5)
    X = pd.DataFrame({"a": chance.normal(size=n), "b": np.repeat(chance.normal(size=n // 3), 3)})
    size = X["a"] + X["b"] + chance.normal(size=n)
    return X, size, pd.DataFrame({"sex": chance.choice(["f", "m"], n)}), np.repeat(np.arange(n // 3), 3)


@pytest.fixture(scope="module", params=["independent", "clustered"])
def audited(request):
    """A classifier's and a regression's measures."""
    X, size, sensitive, person = people()
    how = {"sensitive": sensitive, "cluster": person if request.param == "clustered" else None}
    granted = (size > 0.4).astype(int)
    classes = glassbench.audit(
        LogisticRegression().fit(X, granted), X, granted, audits=["performance", "fairness", "calibration", "errors"], **how
    )
    values = glassbench.audit(LinearRegression().fit(X, size), X, size, audits=["performance", "fairness", "errors"], **how)
    return classes.measures, values.measures


def test_what_several_audits_report_is_one_number_with_one_interval(audited):
    classes, values = map(several, audited)
    assert {"brier", "accuracy", "log_loss", "roc_auc"} <= {name for name, *_ in classes}
    assert {"mean_absolute_error", "r2"} <= {name for name, *_ in values}
    for same in (*classes.values(), *values.values()):
        first, *rest = map(ends, same)
        assert first[1] is not None
        assert all(one == first for one in rest), [m.name for m in same]


def test_the_brier_score_of_decided_classes_has_its_own_name():
    X, size, sensitive, _ = people()
    y = np.digitize(size, [-1, 1])
    run = glassbench.audit(LogisticRegression().fit(X, y), X, y, sensitive=sensitive, audits=["performance", "calibration"])
    found = {m.name: m for m in run.measures}
    assert "calibration.brier" not in found
    stated = LogisticRegression().fit(X, y).predict_proba(X)
    by_hand = np.mean((stated.max(axis=1) - (stated.argmax(axis=1) == y)) ** 2)
    assert found["calibration.confidence_brier"].value == pytest.approx(by_hand, abs=1e-6)


def test_the_error_rate_has_the_interval_of_the_accuracy(audited):
    classes = {m.name: m for m in audited[0] if m.by is None}
    wrong, right = classes["errors.error_rate"], classes["performance.accuracy"]
    assert (wrong.value, wrong.low, wrong.high) == pytest.approx((1 - right.value, 1 - right.high, 1 - right.low))
    assert wrong.n == right.n


def test_what_one_answer_to_all_rows_comes_to_is_exact_where_no_row_moves_it(audited):
    classes = {m.name: m for m in audited[0] if m.by is None}
    for name in ("roc_auc", "balanced_accuracy"):
        baseline = classes[f"performance.{name}_baseline"]
        assert (baseline.value, baseline.low, baseline.high) == (0.5, 0.5, 0.5)
    moved = classes["performance.accuracy_baseline"]
    assert moved.low < moved.value < moved.high


def test_perplexity_has_one_interval(tmp_path):
    found = several(glassbench.run(LANGUAGE, runs=tmp_path).measures)
    assert {"perplexity", "loss", "token_accuracy"} <= {name for name, *_ in found}
    for same in found.values():
        assert len(set(map(ends, same))) == 1, [m.name for m in same]
