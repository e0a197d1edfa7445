"""Sensitive features: audited, kept from the model unless asked otherwise."""

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.groups import band_names, group_code
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data

SENSITIVE = ("sex", {"column": "age", "bins": [30, 50]})


def data(people, **settings):
    return table_data(people, Columns(target="repaid", sensitive=SENSITIVE, **settings), Division(seed=0))


def test_sensitive_columns_are_no_inputs_but_groups(people):
    made = data(people)
    assert {"sex", "age"}.isdisjoint(feature.name for feature in made.schema.features)
    assert made.schema.sensitive == tuple(made.test.groups) == ("sex", "age_band")
    seen = data(people, sensitive_as_input=True)
    assert {"sex", "age"} <= {feature.name for feature in seen.schema.features}


def test_a_dropped_column_can_still_be_sensitive(people):
    made = data(people, drop=("sex",), sensitive_as_input=True)
    assert "sex" not in [feature.name for feature in made.schema.features]
    assert "sex" in made.test.groups


def test_bands_equal_pandas_cut(people):
    groups = data(people).train.groups["age_band"]
    ages = people["age"].iloc[data(people).train.rows]
    names = ["under 30", "30 to 49", "50 and over"]
    expected = pd.cut(ages, [-np.inf, 30, 50, np.inf], right=False, labels=names).astype(str)
    assert groups.tolist() == expected.tolist()


def test_bands_of_fractions_say_so():
    assert band_names((1.5, 3), whole=False) == ("under 1.5", "1.5 to under 3", "3 and over")


def test_missing_values_are_a_group(people):
    made = data(people)
    missing = people["sex"].iloc[made.train.rows].isna().to_numpy()
    assert (made.train.groups["sex"] == MISSING).tolist() == missing.tolist()
    code = group_code({"column": "x", "bins": [1]}, pd.DataFrame({"x": [0, 2, None]}), Cells())
    assert code.groups(pd.Series([0, 2, None]), Cells()).tolist() == ["under 1", "1 and over", MISSING]


def test_too_many_groups_are_refused_with_bins_as_the_way_out():
    frame = pd.DataFrame({"x": range(10_001)})
    with pytest.raises(DataError, match="too many groups") as error:
        group_code("x", frame, Cells())
    assert "bins" in error.value.fix


def test_bins_must_rise_and_cut_numbers():
    with pytest.raises(DataError, match="rise"):
        group_code({"column": "x", "bins": [3, 1]}, pd.DataFrame({"x": [1]}), Cells())
    with pytest.raises(DataError, match="holds numbers"):
        group_code({"column": "x", "bins": [3]}, pd.DataFrame({"x": ["old"]}), Cells())


def test_two_features_of_one_name_are_refused(people):
    with pytest.raises(DataError, match="same name"):
        table_data(people, Columns(target="repaid", sensitive=("sex", "sex")), Division(seed=0))
