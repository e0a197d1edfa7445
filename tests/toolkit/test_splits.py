"""Dividing rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.errors import DataError
from glassbench.toolkit.splits.named_parts import named_parts
from glassbench.toolkit.splits.splits import Division, divide, value_strata

CLASSES = pd.Series(["a"] * 70 + ["b"] * 30, dtype=object)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(3, 60), min_size=2, max_size=6).filter(lambda sizes: sum(sizes) >= 20),
    st.integers(0, 2**31),
)
def test_every_row_is_in_one_part_and_every_class_in_every_part(sizes, seed):
    target = pd.Series(np.repeat([f"c{i}" for i in range(len(sizes))], sizes), dtype=object)
    parts = divide(target, Division(seed=seed))
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(target)))
    assert all(target[rows].nunique() == len(sizes) for rows in parts.values())


def test_parts_have_their_share_of_each_class():
    parts = divide(CLASSES, Division(seed=0))
    counts = {part: CLASSES[rows].value_counts().to_dict() for part, rows in parts.items()}
    assert counts == {"train": {"a": 42, "b": 18}, "validation": {"a": 14, "b": 6}, "test": {"a": 14, "b": 6}}


def test_the_seed_decides_the_division():
    one, same, other = (divide(CLASSES, Division(seed=seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(one[part], same[part]) for part in one)
    assert not np.array_equal(one["test"], other["test"])


def test_values_are_divided_evenly_along_their_range():
    values = pd.Series(np.random.default_rng(0).lognormal(size=400))
    parts = divide(values, Division(seed=0))
    assert [len(rows) for rows in parts.values()] == [240, 80, 80]
    medians = [values[rows].median() for rows in parts.values()]
    np.testing.assert_allclose(medians, values.median(), rtol=0.15)
    assert np.bincount(value_strata(values.to_numpy())).tolist() == [40] * 10


def test_rows_without_a_target_are_learnt_from_in_no_part_and_tested_by_their_share():
    target = CLASSES.where(np.arange(100) % 10 > 0, None)
    parts = divide(target, Division(seed=0), undecided=True)
    assert {part: int((rows % 10 == 0).sum()) for part, rows in parts.items()} == {"train": 0, "validation": 0, "test": 2}
    assert sum(len(rows) for rows in parts.values()) == 92


def test_given_test_rows_stay_and_validation_comes_from_the_training_rows():
    positions = np.random.default_rng(0).permutation(100)
    given_parts = {"train": np.sort(positions[:80]), "test": np.sort(positions[80:])}
    parts = divide(CLASSES, Division(seed=0, given=given_parts, validation=0.25))
    assert np.array_equal(parts["test"], given_parts["test"])
    assert len(parts["validation"]) == 20
    assert sorted([*parts["train"], *parts["validation"]]) == list(given_parts["train"])


def test_rows_of_one_person_stay_together():
    person = pd.Series(np.random.default_rng(0).integers(0, 40, 100))
    parts = divide(CLASSES, Division(seed=0), together=person)
    seen = [set(person[rows]) for rows in parts.values()]
    assert sum(map(len, parts.values())) == 100
    assert sum(map(len, seen)) == person.nunique()


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="too small to split"):
        divide(CLASSES[:10], Division(seed=0))
    with pytest.raises(DataError, match="class 'b' is too small"):
        divide(CLASSES[:72], Division(seed=0))


@pytest.mark.parametrize("shares", [{"test": 0.0}, {"test": 0.6, "validation": 0.4}, {"validation": -0.1}])
def test_shares_must_leave_rows_for_training_and_testing(shares):
    with pytest.raises(DataError, match="shares"):
        divide(CLASSES, Division(seed=0, **shares))


def test_a_column_can_name_the_parts():
    parts = named_parts(pd.Series(["Train", "train", " test", "dev", "test"]))
    assert {part: rows.tolist() for part, rows in parts.items()} == {
        "train": [0, 1],
        "validation": [3],
        "test": [2, 4],
    }
    with pytest.raises(DataError, match="does not say which part"):
        named_parts(pd.Series(["train", "test", "maybe"]))
    with pytest.raises(DataError, match="no row for 'test'"):
        named_parts(pd.Series(["train", "train"]))
