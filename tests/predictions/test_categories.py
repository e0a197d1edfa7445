"""Decisions are held as categories from reading on: they say what their texts say, in whatever order categories stand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from glassbench.contracts.predictions.class_codes import class_codes, shared_codes, unlike
from glassbench.errors import DataError
from glassbench.stats.sampling import Sampling
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.groups import GroupCode
from glassbench_audits.fairness.frames.counts import encode
from glassbench_plugins.predictions.dataset import predictions
from glassbench_plugins.predictions.tasks import GivenClasses
from glassbench_plugins.supervised.inference import accuracy, balanced_accuracy, macro_f1


def columns(seed=0, rows=400):
    """A truth and a decision as text, and as categories in two different orders."""
    chance = np.random.default_rng(seed)
    truth, decision = (pd.Series(chance.choice(["high", "low", "mid"], rows, p=[0.2, 0.5, 0.3])) for _ in range(2))
    texts = pd.DataFrame({"y_true": truth, "y_pred": decision})
    mixed = texts.assign(
        y_true=pd.Categorical(truth, categories=["low", "mid", "high"]),
        y_pred=pd.Categorical(decision, categories=["mid", "high", "low"]),
    )
    return texts, mixed


def test_categories_in_another_order_are_compared_by_what_they_say():
    """pandas calls two types equal whose categories stand in another order: codes would then mean different classes."""
    texts, mixed = columns()
    assert mixed["y_true"].dtype == mixed["y_pred"].dtype
    assert shared_codes(mixed["y_true"], mixed["y_pred"]) is None
    truth, decision, one = texts["y_true"], texts["y_pred"], Sampling.of(texts)
    assert unlike(mixed["y_true"], mixed["y_pred"]).mean() == np.mean(truth != decision)
    assert accuracy(mixed, one).value == pytest.approx(np.mean(truth == decision))
    assert balanced_accuracy(mixed, one).value == pytest.approx(balanced_accuracy_score(truth, decision))
    assert macro_f1(mixed, one).value == pytest.approx(f1_score(truth, decision, average="macro"))


def test_codes_of_categories_are_those_of_their_texts():
    column = pd.Series(["b", None, "a", "c", "b"])
    for held in (column, column.astype(object), column.astype("category")):
        assert class_codes(held, ["a", "b"]).tolist() == [1, -1, 0, -1, 1]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["10 ", "9", None, "missing", "NA", "10"]),
        pd.Series([1.0, 2.5, np.nan, 1, 10, 9]),
        pd.Series([3, 1, 2, 3, 10, 9]),
        pd.Series([True, False, None, True, None, True], dtype=object),
    ],
    ids=["text", "float", "whole", "truth values"],
)
def test_categories_of_a_column_are_its_texts(column):
    cells, column = Cells(missing=("", "NA")), column.rename("c")
    assert cells.categories(column).astype(object).where(lambda s: s.notna(), None).tolist() == cells.texts(column).tolist()
    for code in (GroupCode(name="g", column="c"), GroupCode(name="g", column="c", bins=(2.0, 9.0), whole=True)):
        if code.bins is None or pd.api.types.is_numeric_dtype(column):
            read = code.categories(column, cells)
            assert read.astype(object).tolist() == code.groups(column, cells).tolist()
            assert set(read.cat.categories) == set(read)  # no group without rows


def test_a_file_is_read_into_categories_that_say_what_it_holds(tmp_path):
    chance = np.random.default_rng(1)
    rows = pd.DataFrame({"truth": chance.choice(["no", "yes"], 90), "decided": chance.choice(["no", "yes"], 90)})
    rows = rows.assign(age=chance.choice(["55 and over", "under 30", "30 to 54"], 90))
    rows.loc[:9, "age"] = None
    rows.loc[80:, "truth"] = None
    rows.to_csv(tmp_path / "given.csv", index=False)
    data = predictions(0, path=tmp_path / "given.csv", truth="truth", decision="decided", sensitive=("age",))
    task = GivenClasses()
    task.check(data.schema)
    frame = task.predict(None, data.test).frame
    assert shared_codes(frame["y_true"], frame["y_pred"]) is not None
    assert frame["y_true"].isna().sum() == 10
    for name, of in (("y_true", "truth"), ("y_pred", "decided"), ("group.age", "age")):
        assert frame[name].astype(object).fillna("missing").tolist() == rows[of].fillna("missing").tolist()
    assert list(frame["group.age"].cat.categories) == ["under 30", "30 to 54", "55 and over", "missing"]


def test_rows_that_stand_for_themselves_share_one_array_that_nobody_changes():
    first, second = (Sampling.of(pd.DataFrame({"y_pred": np.zeros(7)})).weight for _ in range(2))
    assert first is second
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 2


def test_categories_that_no_row_has_are_no_classes():
    column = pd.Series(pd.Categorical(["b", "a", "b"], categories=["b", "x", "a"]), name="y_true")
    assert encode(column, ["a", "b"]).tolist() == [1, 0, 1]
    with pytest.raises(DataError, match="holds what is no class"):
        encode(column.cat.set_categories(["b", "x", "a"]).where(column != "a", "x"), ["a", "b"])
