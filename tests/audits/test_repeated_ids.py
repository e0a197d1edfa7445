"""Persons with several rows, and persons in both splits, are pointed out; columns that only describe are not."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from glassbench.contracts.data import Data, Split
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data
from glassbench_audits.data.duplicates import duplicates
from glassbench_audits.data.quasi_identifiers import quasi_identifier
from glassbench_audits.data.repeated_ids import examine_repeated_ids, repeated_ids

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


def persons(count, visits, seed):
    """Several rows a person, without a column that names persons; what describes a person stays the same."""
    chance = np.random.default_rng(seed)
    describes = pd.DataFrame(
        {
            "born": chance.integers(1930, 2005, count),
            "shoe": chance.integers(35, 48, count),
            "height": chance.normal(172, 10, count).round(),
            "street": chance.choice([f"street {i}" for i in range(90)], count),
        }
    )
    frame = describes.iloc[np.repeat(np.arange(count), visits)].reset_index(drop=True)
    frame = frame.assign(pulse=chance.normal(70, 9, len(frame)).round(), dose=chance.integers(0, 9, len(frame)).astype(float))
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def test_columns_that_name_persons_together_are_found():
    for seed in range(5):
        found = quasi_identifier(persons(250, 5, seed))
        assert set(found.columns) == {"born", "shoe", "height", "street"}
        assert found.groups == pytest.approx(250, abs=2)


def test_a_column_of_two_values_within_persons_does_not_disturb():
    frame = persons(250, 5, 0)
    left = pd.Series(np.random.default_rng(2).integers(0, 2, 5000))
    assert quasi_identifier(frame.assign(left=left[frame["born"] * 2 % 997 + frame["shoe"]].to_numpy())) is not None


def test_independent_rows_with_the_same_columns_are_no_persons():
    for seed in range(10):
        chance, frame = np.random.default_rng(seed), persons(250, 5, seed)
        assert quasi_identifier(frame.apply(lambda column, draw=chance: draw.permutation(column.to_numpy()))) is None
        assert quasi_identifier(persons(1200, 1, seed)) is None


def test_columns_that_are_computed_from_others_name_nobody():
    chance = np.random.default_rng(0)
    height, weight = chance.normal(170, 9, 3000).round(), chance.normal(75, 10, 3000).round()
    body = pd.DataFrame({"height": height, "weight": weight, "index": (1e4 * weight / height**2).round(1)})
    degrees = chance.normal(10, 8, 3000).round()
    weather = pd.DataFrame({"celsius": degrees, "fahrenheit": 1.8 * degrees + 32, "kelvin": degrees + 273})
    level = chance.integers(0, 16, 3000)
    school = pd.DataFrame({"level": level, "years": level + 2, "name": [f"level {i}" for i in level]})
    for frame in (body, weather, school):
        assert quasi_identifier(frame.assign(other=chance.integers(0, 80, 3000))) is None


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris, load_diabetes, load_wine])
def test_tables_of_independent_rows_have_no_persons(load):
    assert quasi_identifier(load(as_frame=True).frame) is None


@pytest.mark.parametrize("path", ["adult/train.csv.gz", "compas/compas_two_years_deid.csv.gz", "hmda_boston/loanapp.csv.gz"])
def test_shared_tables_have_no_persons(path, shared_data):
    if not (shared_data / path).exists():
        pytest.skip(f"{path} is not here")
    assert quasi_identifier(pd.read_csv(shared_data / path)) is None


def test_persons_in_both_splits_are_counted_with_the_advice():
    frame = persons(250, 5, 1).assign(well=np.random.default_rng(1).choice(["yes", "no"], 1250))
    data = table_data(frame, Columns(target="well"), Division(seed=0))
    known, seen = (split.raw.drop(columns="well", errors="ignore") for split in (data.train, data.test))
    section = examine_repeated_ids(data.train, data.test, known, seen)
    said = [f for f in section.findings if "data.quasi_identified" in f.measures]
    assert [f.grade for f in said] == ["concern"]
    assert "cluster:" in said[0].sentence
    names = ["born", "shoe", "height", "street"]
    both = seen[names].merge(known[names].drop_duplicates(), on=names, how="left", indicator=True)["_merge"].eq("both").mean()
    assert next(m for m in section.measures if m.name == "data.shared_quasi_identified").value == pytest.approx(both)


@pytest.mark.parametrize(("name", "grade"), [("customer_id", "concern"), ("postcode", "unclear")])
def test_values_shared_by_both_splits_are_persons_only_where_their_column_says_so(name, grade):
    chance = np.random.default_rng(2)
    place = chance.integers(0, 300, 1500)
    frame = pd.DataFrame({name: [f"{10000 + p}" for p in place], "region": np.array(list("NSEW"))[place % 4]})
    frame = frame.assign(town=(place % 3 == 0).astype(float), income=chance.lognormal(10, 1, 1500))
    splits = [Split(inputs=(torch.zeros(500, 1),), rows=np.arange(500), raw=frame[a : a + 500]) for a in (0, 500)]
    parts = [frame[a : a + 500].reset_index(drop=True) for a in (0, 500)]
    said = [f for f in examine_repeated_ids(*splits, *parts).findings if "data.shared_ids" in f.measures]
    assert [f.grade for f in said] == [grade]
    assert ("If it names a person" in said[0].sentence) == (grade == "unclear")
