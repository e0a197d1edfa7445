"""Tables from OpenML, without a network."""

from urllib.error import URLError

import pytest
from sklearn.utils import Bunch

from glassbench.errors import DataError
from glassbench_plugins.tabular import files


@pytest.fixture
def fetched(people, monkeypatch):
    asked = {}

    def fetch(**options):
        asked.update(options)
        frame = people.assign(job=people["job"].astype("category"))
        target = options["target_column"]
        return Bunch(frame=frame, target_names=["repaid"] if target == "default-target" else [target])

    monkeypatch.setattr(files.sklearn_datasets, "fetch_openml", fetch)
    return asked


def test_a_name_is_fetched_through_the_cache(fetched):
    data = files.openml(0, name="loans", sensitive=("sex",), cache="somewhere")
    assert (fetched["name"], fetched["version"], fetched["data_home"]) == ("loans", "active", "somewhere")
    assert data.schema.target.classes == ("no", "yes")
    assert data.source == "OpenML loans"


def test_a_number_and_a_target_can_be_named(fetched):
    data = files.openml(0, number=31, target="income", kind="value")
    assert fetched["data_id"] == 31
    assert data.schema.target.kind == "value"


@pytest.mark.parametrize("named", [{}, {"name": "loans", "number": 31}])
def test_one_name_or_one_number_is_needed(named):
    with pytest.raises(DataError, match="name or its number"):
        files.openml(0, **named)


@pytest.mark.parametrize(
    ("failure", "problem"), [(URLError("no route"), "cannot be reached"), (ValueError("No active dataset"), "gave no table")]
)
def test_what_cannot_be_fetched_is_said(monkeypatch, failure, problem):
    def fetch(**_):
        raise failure

    monkeypatch.setattr(files.sklearn_datasets, "fetch_openml", fetch)
    with pytest.raises(DataError, match=problem):
        files.openml(0, name="loans")
