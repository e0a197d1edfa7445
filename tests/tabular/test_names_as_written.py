"""Classes and groups are named as they stand in a file, or as they read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.errors import DataError
from glassbench.experiments.gates import Gate, judge
from glassbench.experiments.settings import arguments, settle
from glassbench_plugins.predictions.dataset import predictions
from glassbench_plugins.tabular.files import table


def loans(path: Path) -> Path:
    """Write 200 rows whose classes and groups stand as 1.0 and 0.0, 1.0 and 2.0, and answers of three spellings."""
    draws = np.random.default_rng(4)
    frame = pd.DataFrame(
        {"x": draws.normal(size=200), "sex": draws.choice([1.0, 2.0], 200), "paid": draws.choice([0.0, 1.0], 200)}
    )
    frame["answer"] = np.where(draws.random(200) < 0.4, "No", draws.choice(["yes", "yes", "YES"], 200))
    frame["decided"] = draws.permutation(frame["paid"])
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("written", ["1.0", "1", 1, 1.0, " 1.0 "])
def test_a_class_is_named_as_the_file_shows_it_or_as_it_reads(tmp_path: Path, written: str | float) -> None:
    settings = {"path": str(loans(tmp_path / "loans.csv")), "target": "paid", "positive": written, "favourable": [written]}
    target = table(0, **arguments(settle(table, settings, "dataset"))).schema.target
    assert (target.classes, target.positive, target.favourable) == (("0", "1"), "1", "1")


def test_a_spelling_that_was_merged_names_its_class(tmp_path: Path) -> None:
    target = table(0, path=loans(tmp_path / "loans.csv"), target="answer", positive="YES", favourable="No").schema.target
    assert (target.classes, target.positive, target.favourable) == (("No", "yes"), "yes", "No")


def test_labels_are_for_values_as_the_file_shows_them_or_as_they_read(tmp_path: Path) -> None:
    path = loans(tmp_path / "loans.csv")
    for one, two in (("1", "2"), ("1.0", "2.0")):
        data = table(0, path=path, target="paid", positive="1.0", sensitive=("sex",), labels={"sex": {one: "man", two: "woman"}})
        assert set(data.test.groups["sex"]) == {"man", "woman"}
    parquet = tmp_path / "loans.parquet"
    pd.read_csv(path).to_parquet(parquet)
    data = table(0, path=parquet, target="paid", positive="1.0", labels={"paid": {"1.0": "repaid", "0.0": "lost"}})
    assert data.schema.target.positive == "repaid"


def test_a_class_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for strange in ("2.0", "01", "1.5"):
        with pytest.raises(DataError, match=rf"there is no class '{strange}'"):
            table(0, path=loans(tmp_path / "loans.csv"), target="paid", positive=strange)


def test_decisions_made_elsewhere_are_named_so_too(tmp_path: Path) -> None:
    path = loans(tmp_path / "loans.csv")
    data = predictions(0, path=path, truth="paid", decision="decided", positive="0.0", favourable="0.0")
    assert (data.schema.target.positive, data.schema.target.favourable) == ("0", "0")
    gathered = predictions(0, path=path, decision="decided", decides=("1.0",))
    assert gathered.schema.target.positive == "1"


def test_gates_name_groups_so_and_an_equal_name_goes_before_an_equal_number() -> None:
    measures = tuple(Measure(name="a.rate", value=v, by=("g",), group=(("g", g),)) for g, v in (("1", 0.9), ("1.0", 0.1)))
    for found, named, value in ((measures, "1.0", 0.1), (measures, "1", 0.9), (measures[:1], "1.0", 0.9), (measures[1:], 1, 0.1)):
        gate = Gate.model_validate({"measure": "a.rate", "group": {"g": named}, "at_least": 0.5, "on": "value"})
        (verdict,) = judge([gate], [AuditResult(audit="a", measures=found, method=Method(summary="m"))]).gates
        assert [measure.value for measure in verdict.compared] == [value]
