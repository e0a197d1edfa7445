"""Persons with several rows, and persons in both splits, are pointed out; columns that only describe are not."""

import numpy as np
import pandas as pd
import pytest

from glassbench.data import Data
from glassbench_audits.data.duplicates import duplicates
from glassbench_audits.data.repeated_ids import examine_repeated_ids, repeated_ids
from glassbench_plugins.tabular.splits import Division
from glassbench_plugins.tabular.table import Columns, table_data

PERSONS, ROWS = 80, 4


@pytest.fixture
def visits():
    chance = np.random.default_rng(3)
    person = np.repeat(np.arange(PERSONS), ROWS)
    frame = pd.DataFrame({"height": chance.normal(170, 9, PERSONS).round(1), "born": chance.integers(1940, 2000, PERSONS)})
    frame = frame.iloc[person].reset_index(drop=True)
    frame["pressure"], frame["well"] = chance.normal(size=len(person)), chance.choice(["yes", "no"], len(person))
    return frame.assign(person=person + 5000)


def examined(frame, **columns) -> tuple[Data, list[str]]:
    data = table_data(frame, Columns(target="well", drop=("person",), **columns), Division(seed=0))
    features = [split.raw[["pressure"]] for split in (data.train, data.test)]
    return data, [f.sentence for f in examine_repeated_ids(data.train, data.test, *features).findings]


def test_a_person_with_several_rows_is_pointed_out_with_the_advice(visits):
    _, said = examined(visits)
    assert any("person repeats" in s and "cluster: person" in s and "height" in s for s in said)
    assert any("held-out rows" in s and "value of person" in s for s in said)


def test_persons_that_are_named_are_neither_pointed_out_nor_in_both_splits(visits):
    data, said = examined(visits, cluster="person")
    assert not said
    assert not set(data.train.clusters) & set(data.test.clusters)


def test_an_identifier_without_a_telling_name_is_seen_by_what_stays_the_same(visits):
    found = repeated_ids(visits.rename(columns={"person": "k7"}))
    assert "k7" in [one.name for one in found]


def test_columns_that_describe_are_no_identifiers():
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"age": chance.integers(18, 90, 900), "town": chance.choice([f"t{i}" for i in range(40)], 900)})
    assert not repeated_ids(frame.assign(income=chance.lognormal(size=900), dose=chance.integers(0, 500, 900)))


def test_equal_inputs_of_other_persons_are_no_copies(visits):
    """One row in ten is repeated: half of the repetitions in everything, the others with another target."""
    extra = pd.concat([visits.iloc[::10], visits.iloc[5::10].assign(well=lambda f: f["well"].map({"yes": "no", "no": "yes"}))])
    frame = pd.concat([visits, extra.assign(person=np.arange(len(extra)))], ignore_index=True)
    data = table_data(frame, Columns(target="well", drop=("person",)), Division(seed=0))
    found = duplicates(data.train, data.test)
    inputs = ["height", "born", "pressure"]
    known, seen = data.train.raw, data.test.raw
    both = seen.merge(known.drop_duplicates(), on=[*inputs, "well"], how="left", indicator=True)["_merge"].eq("both")
    same = seen[inputs].merge(known[inputs].drop_duplicates(), on=inputs, how="left", indicator=True)["_merge"].eq("both")
    assert found.held.tolist() == both.tolist()
    assert found.same_inputs.tolist() == (same & ~both).tolist()
    assert found.held.any()
    assert found.same_inputs.any()
