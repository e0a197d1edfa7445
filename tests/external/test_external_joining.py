"""Rows are joined by index where they have one: a shuffled table changes no gap."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import glassbench
from glassbench.errors import DataError
from glassbench.external.joining import RowOrder
from glassbench.external.wrapping import wrap_model

CHANCE = np.random.default_rng(5)
N = 80
X = pd.DataFrame({"age": CHANCE.integers(18, 80, N), "income": CHANCE.normal(30, 9, N)}, index=[f"p{i}" for i in range(N)])
SEX = pd.Series(np.where(X["age"] > 48, "f", "m"), index=X.index, name="sex")
Y = pd.Series(np.where(X["age"] + CHANCE.normal(0, 10, N) > 50, "yes", "no"), index=X.index, name="granted")
MODEL = LogisticRegression().fit(X, Y)


def table(external):
    """Truth, group and score of every row, in the order of the truth's own table."""
    split = external.data.test
    return pd.DataFrame(
        {"y_true": split.target.numpy(), "group": split.groups.iloc[:, 0].to_numpy(), "age": split.raw["age"].to_numpy()}
    )


def sorted_rows(frame):
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(N)), st.permutations(range(N)), st.permutations(range(N)))
def test_no_permutation_changes_what_belongs_together(rows, truths, groups):
    want = sorted_rows(table(wrap_model(MODEL, X, Y, sensitive=SEX)))
    y, sex = Y.iloc[truths], SEX.iloc[groups]
    for sensitive in (sex, sex.to_frame(), {"sex": sex}):
        pd.testing.assert_frame_equal(sorted_rows(table(wrap_model(MODEL, X.iloc[rows], y, sensitive=sensitive))), want)
    frame = X.iloc[rows].assign(sex=SEX)
    blind = lambda given: MODEL.predict_proba(given[["age", "income"]])  # noqa: E731
    named = wrap_model(blind, frame, y.to_frame(), sensitive="sex", classes=["no", "yes"])
    pd.testing.assert_frame_equal(sorted_rows(table(named)), want)


def test_a_shuffled_x_changes_no_gap(tmp_path):
    def gap(rows):
        run = glassbench.audit(MODEL, rows, Y, sensitive=SEX, runs=tmp_path, audits=["fairness"])
        return {(m.name, str(m.group)): m.value for m in run.measures}

    assert gap(X.sample(frac=1, random_state=3)) == pytest.approx(gap(X), nan_ok=True)


def test_answers_with_an_index_are_joined_by_it():
    scores = pd.Series(MODEL.predict_proba(X)[:, 1], index=X.index)
    shuffled = scores.sample(frac=1, random_state=1)
    answer = RowOrder.of(X).answers(shuffled)
    np.testing.assert_array_equal(answer, scores)
    renumbered = scores.reset_index(drop=True)
    np.testing.assert_array_equal(RowOrder.of(X).answers(renumbered), scores)
    with pytest.raises(DataError, match="numbered from 0"):
        RowOrder.of(X.reset_index(drop=True)[::-1]).answers(renumbered)


def test_arrays_are_joined_by_place_and_said_to_be(tmp_path):
    external = wrap_model(MODEL, X[::-1], Y[::-1].to_numpy(), sensitive={"sex": list(SEX[::-1])})
    pd.testing.assert_frame_equal(sorted_rows(table(external)), sorted_rows(table(wrap_model(MODEL, X, Y, sensitive=SEX))))
    said = " ".join(external.data.notes)
    assert "by place, because they have no index: the truth y, sensitive 'sex'" in said
    assert "not in ascending order" in said


def test_frames_of_other_libraries_are_joined_by_place_and_the_model_gets_its_own_kind():
    seen = []

    def model(rows):
        seen.append(type(rows))
        return MODEL.predict_proba(rows.to_pandas())

    rows, truth, sex = pa.Table.from_pandas(X, preserve_index=False), pa.chunked_array([Y]), pa.chunked_array([SEX])
    external = wrap_model(model, rows, truth, sensitive={"sex": sex}, classes=["no", "yes"])
    assert set(seen) == {pa.Table}
    assert external.unasked is None
    pd.testing.assert_frame_equal(table(external), table(wrap_model(MODEL, X, Y, sensitive=SEX)))


def test_a_background_is_read_by_the_names_of_its_columns():

    external = wrap_model(torch.nn.Linear(2, 2), X, Y, classes=["no", "yes"], background=X[["income", "age"]][:9])
    np.testing.assert_allclose(external.data.train.inputs[0], X[:9].to_numpy(), rtol=1e-6)


TWICE = X.set_axis(["a", "a", *X.index[2:]])


@pytest.mark.parametrize(
    ("rows", "truth", "sex", "words"),
    [
        (X, Y.reset_index(drop=True), SEX, "80 labels of X are not in it, such as 'p0'"),
        (X[:60], Y, SEX[:60], r"20 of its labels are not in X(.|\n)*y.loc\[X.index\]"),
        (X, Y, SEX[5:], "5 labels of X are not in it, such as 'p0', 'p1', 'p2'"),
        (X.set_axis(range(N)), Y.set_axis([str(i) for i in range(N)]), SEX, "such as '0', '1', '2'"),
        (TWICE, Y.set_axis(TWICE.index)[::-1], None, "stands for several rows"),
        (X, Y.set_axis(pd.MultiIndex.from_product([[0], range(N)])), None, "80 labels of X"),
        (X.to_numpy(), Y[::-1], SEX, "X has none to say which order is right"),
        (X, Y, {"sex": SEX.to_numpy()[:9]}, "sensitive 'sex' has another length than X"),
        (X, Y, pd.concat([SEX, SEX], axis=1), "two sensitive columns are called 'sex'"),
    ],
)
def test_what_cannot_be_joined_is_refused(rows, truth, sex, words):
    with pytest.raises(DataError, match=words):
        wrap_model(MODEL, rows, truth, sensitive=sex)


def test_repeated_labels_in_the_same_order_are_joined():
    external = wrap_model(MODEL, TWICE, Y.set_axis(TWICE.index), sensitive=SEX.set_axis(TWICE.index))
    pd.testing.assert_frame_equal(table(external), table(wrap_model(MODEL, X, Y, sensitive=SEX)))


def test_rows_in_an_order_that_is_not_its_own_inverse_come_into_that_of_X():
    """Three labels change places in a circle: taken the other way round, each value would stand at another's row."""
    order = RowOrder.of(pd.DataFrame({"x": range(4)}, index=list("cabd")))
    given = pd.Series([10, 20, 30, 40], index=list("abcd"))
    assert order.join("y", given).tolist() == [30, 10, 20, 40]
    assert order.join("y", given.to_frame("y"))["y"].tolist() == [30, 10, 20, 40]
