"""Only rows that the caller says are held out, with a truth, can show that an external model has learnt something."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import glassbench

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X = X.iloc[:, :6]
LEARNT = train_test_split(X, y, random_state=0)


def audited(runs, shuffled=False, truth=True, held_out=None):
    X_train, X_test, y_train, y_test = LEARNT
    labels = np.random.default_rng(0).permutation(y_train) if shuffled else y_train
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, labels)
    run = glassbench.audit(
        model, X_test, y_test if truth else None, task="classification", audits=["explain"], held_out=held_out, runs=runs
    )
    return run.audits[0], run


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "it is not known whether the model was trained on these rows"),
        ({"held_out": False}, "the model was trained on these rows"),
        ({"held_out": True, "truth": False}, "no truth is known"),
    ],
)
def test_what_was_not_established_is_not_reliable(tmp_path, how, said):
    result, _ = audited(tmp_path, **how)
    assert result.reliability == "use with care"
    assert any(said in finding.sentence for finding in result.findings)


def test_a_model_that_learnt_is_reliable_on_held_out_rows_and_one_of_shuffled_labels_is_not(tmp_path):
    result, run = audited(tmp_path, held_out=True)
    assert result.reliability == "reliable"
    assert "held_out=True" in run.report.read_text()
    assert audited(tmp_path, shuffled=True, held_out=True)[0].reliability != "reliable"
