"""Rows given from Python may have weights: values are those of scikit-learn, and what cannot weigh rows says so."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import demographic_parity_difference
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

import glassbench
from glassbench.errors import DataError
from glassbench.external.wrapping import wrap_model

CHANCE = np.random.default_rng(4)
N = 300
X = pd.DataFrame({"a": CHANCE.normal(size=N), "b": CHANCE.normal(size=N)}, index=CHANCE.permutation(N))
Y = pd.Series(np.where(X["a"] + CHANCE.normal(size=N) > 0, "yes", "no"), index=X.index)
SEX = pd.Series(CHANCE.choice(["f", "m"], N), index=X.index)
WEIGHT = pd.Series(np.where(CHANCE.random(N) < 0.1, 0.0, CHANCE.lognormal(0, 1, N)), index=X.index)
MODEL = LogisticRegression().fit(X, Y)


def test_weights_are_joined_by_index_and_used_in_values(tmp_path):
    run = glassbench.audit(
        MODEL,
        X,
        Y,
        sensitive={"sex": SEX},
        weight=WEIGHT.sort_index(),
        runs=tmp_path,
        audits={"performance": {}, "fairness": {"replicates": 50}, "errors": {}},
    )
    measured = {(m.name, m.by, str(m.group)): m for m in run.measures}
    predicted = MODEL.predict(X)
    accuracy = measured["performance.accuracy", None, "None"]
    assert accuracy.value == pytest.approx(accuracy_score(Y, predicted, sample_weight=WEIGHT), rel=1e-12)
    assert accuracy.n == int((WEIGHT > 0).sum())
    loss = log_loss(Y, MODEL.predict_proba(X), sample_weight=WEIGHT)
    assert measured["performance.log_loss", None, "None"].value == pytest.approx(loss, rel=1e-6)
    gap = demographic_parity_difference(Y == "yes", predicted == "yes", sensitive_features=SEX, sample_weight=WEIGHT)
    assert measured["fairness.demographic_parity_difference", ("sex",), "None"].value == pytest.approx(gap, rel=1e-12)
    page = run.render().read_text()
    assert "rows with a weight of 0 were left out" in page
    assert page.count("Rows count alike here") >= 1  # the audit of errors


def test_a_weight_may_be_a_column_of_the_rows():
    rows = X.assign(w=WEIGHT)
    external = wrap_model(lambda given: (given["a"] > 0).astype(int), rows, None, weight="w", kind="class", outputs="labels")
    assert np.array_equal(external.data.test.weights, WEIGHT.to_numpy())


@pytest.mark.parametrize(
    ("weight", "said"),
    [([1, -1], "0 or above"), ([1, None], "1 are none"), (["a", 1], "'a'"), ([0, 0], "all weights are 0"), ([1], "1")],
)
def test_what_is_no_weight_is_refused(weight, said):
    with pytest.raises(DataError) as error:
        wrap_model(lambda rows: np.ones(len(rows)), [[1.0], [2.0]], [0, 1], weight=weight, kind="class", outputs="labels")
    assert said in str(error.value)
