"""Nothing that is measured sees validation or test rows."""

import numpy as np
import torch

from glassbench.toolkit.cells.codes import CategoryCode
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data

COLUMNS = Columns(target="repaid", sensitive=("sex",))


def test_statistics_are_those_of_the_training_rows(people):
    data = table_data(people, COLUMNS, Division(seed=3))
    income = people["income"].iloc[data.train.rows]
    filled = income.fillna(income.median())
    code = data.encoder.inputs[0]
    assert (code.median, code.mean) == (income.median(), filled.mean())
    np.testing.assert_allclose(code.std, filled.std(ddof=0), rtol=1e-12)
    by_hand = ((people["income"].iloc[data.test.rows].fillna(income.median()) - filled.mean()) / filled.std(ddof=0)).to_numpy()
    np.testing.assert_allclose(data.test.inputs[0][:, 0], by_hand, rtol=1e-5)


def test_changed_test_rows_change_nothing_in_training(people):
    before = table_data(people, COLUMNS, Division(seed=3))
    changed = people.copy()
    held_out = np.concatenate([before.test.rows, before.validation.rows])
    changed.loc[held_out, "income"] = 1e9
    changed.loc[held_out, "debts"] = np.nan
    changed.loc[held_out, "job"] = "astronaut"
    after = table_data(changed, COLUMNS, Division(seed=3))
    assert after.encoder == before.encoder
    assert torch.equal(after.train.inputs[0], before.train.inputs[0])
    job = next(code for code in after.encoder.inputs if isinstance(code, CategoryCode))
    assert "astronaut" not in job.categories
    columns = next(list(feature.columns) for feature in after.schema.features if feature.name == "job")
    assert (after.test.inputs[0][:, columns] == 0).all()


def test_the_same_seed_gives_the_same_data_and_another_one_does_not(people):
    one, same, other = (table_data(people, COLUMNS, Division(seed=seed)) for seed in (5, 5, 6))
    assert torch.equal(one.test.inputs[0], same.test.inputs[0])
    assert one.encoder == same.encoder
    assert one.test.rows.tolist() != other.test.rows.tolist()


def test_splits_share_no_row(people):
    data = table_data(people, COLUMNS, Division(seed=0))
    rows = np.concatenate([data.train.rows, data.validation.rows, data.test.rows])
    assert sorted(rows) == list(range(len(people)))
