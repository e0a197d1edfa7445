"""What a table that cannot be used gets: an error that says what helps."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data


def refusal(frame: pd.DataFrame, **settings) -> DataError:
    with pytest.raises(DataError) as error:
        table_data(frame, Columns(**{"target": "repaid", **settings}), Division(seed=0))
    return error.value


def test_an_empty_table(people):
    assert "empty" in str(refusal(people.iloc[:0]))


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"target": "repayed"}, "dataset.target"),
        ({"sensitive": ("sexx",)}, "dataset.sensitive"),
        ({"drop": ("joob",)}, "dataset.drop"),
        ({"types": {"jobb": "category"}}, "dataset.types"),
        ({"cluster": "agee"}, "dataset.cluster"),
    ],
)
def test_a_column_that_is_not_there(people, settings, where):
    error = refusal(people, **settings)
    assert error.where == where
    assert "did you mean" in error.fix
    assert "income" in error.available


def test_a_target_of_one_class(people):
    assert "one class only" in str(refusal(people.assign(repaid="yes")))


def test_a_target_without_any_value(people):
    assert "no row has a value" in str(refusal(people.assign(repaid="?")))


def test_a_class_that_is_too_rare(people):
    rare = people["repaid"].where(people.index > 1, "perhaps")
    assert "'perhaps' is too small" in str(refusal(people.assign(repaid=rare)))


def test_too_few_rows(people):
    assert "too small to split" in str(refusal(people.iloc[:12]))


def test_infinite_values(people):
    assert "'debts' holds infinite values" in str(refusal(people.assign(debts=people["debts"].replace(4, np.inf))))


def test_a_value_target_that_is_no_number(people):
    assert "'repaid' holds numbers" in str(refusal(people, kind="value"))


def test_an_unknown_positive_class(people):
    error = refusal(people, positive="Yes")
    assert error.available == ("no", "yes")


def test_duplicate_columns(people):
    twice = pd.concat([people, people[["job"]]], axis=1)
    assert "two columns are called 'job'" in str(refusal(twice))


def test_dates(people):
    assert "holds dates" in str(refusal(people.assign(seen="2024-05-06")))


def test_a_number_column_with_text_in_the_test_rows_only(people):
    test = table_data(people, Columns(target="repaid"), Division(seed=0)).test.rows
    debts = people["debts"].astype(object)
    debts[test[0]] = "many"
    error = refusal(people.assign(debts=debts))
    assert error.got == "'many'"
    assert error.where == f"row {test[0]} (the first is row 0)"


def test_nothing_is_learnt_from_rows_without_a_target_and_some_are_decided(people):
    some = people["repaid"].where(people.index % 10 > 0, "?")
    data = table_data(people.assign(repaid=some), Columns(target="repaid"), Division(seed=0))
    said = "20 rows without a value of 'repaid' were left out, but for 4 test rows, which are decided"
    assert any(str(treatment).startswith(said) for treatment in data.treatments)
    assert len(data.train) + len(data.validation) + len(data.test) == 184
    assert [int((part.target < 0).sum()) for part in (data.train, data.validation, data.test)] == [0, 0, 4]
