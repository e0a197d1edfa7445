"""Numbers and dates of series read as those of any table do."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench_plugins.anomalies.files import series_windows
from glassbench_plugins.series.files import series_table

N = 300
CHANCE = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {
        "Zeit": pd.date_range("2023-01-01", periods=N, freq="D"),
        "Last": CHANCE.normal(4000, 900, N).round(2),
        "Preis": CHANCE.normal(0, 30, N).round(2),
        "Tag": np.resize(["offen", "zu"], N),
    }
)


def german(number: float) -> str:
    return f"{number:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


EUROPEAN = FRAME.assign(
    Zeit=FRAME["Zeit"].dt.strftime("%d.%m.%Y"),
    Last=FRAME["Last"].map(german) + " €",
    Preis=[f"({german(-x)})" if x < 0 else german(x) for x in FRAME["Preis"]],
)
FORMS = {
    "forecasts": lambda path, **given: series_table(0, path=path, length=14, horizon=7, **given),
    "windows": lambda path, **given: series_windows(0, path=path, length=14, **given),
}


@pytest.fixture
def write(tmp_path):
    def written(frame: pd.DataFrame, **how) -> str:
        frame.to_csv(tmp_path / "series.csv", index=False, **how)
        return str(tmp_path / "series.csv")

    return written


@pytest.mark.parametrize("form", FORMS)
def test_european_numbers_and_dates_are_those_of_a_plain_file(write, form):
    plain = FORMS[form](write(FRAME))
    european = FORMS[form](write(EUROPEAN, sep=";", encoding="cp1252"))
    assert [f.name for f in european.schema.features] == ["Last", "Preis"]
    assert european.schema.facts.mean == pytest.approx(plain.schema.facts.mean)
    assert european.test.rows.tolist() == plain.test.rows.tolist()
    np.testing.assert_allclose(european.test.inputs[0], plain.test.inputs[0], rtol=1e-5, atol=1e-6)
    said = " ".join(map(str, european.treatments))
    assert "Last: numbers with a decimal comma, with points between thousands, in €" in said
    assert "Tag: text, 2 different values; no channel" in said


@pytest.mark.parametrize("form", FORMS)
def test_a_strange_cell_is_named_or_counts_as_missing(write, form):
    path = write(FRAME.assign(Last=FRAME["Last"].astype(object).where(FRAME.index != 20, "broken")))
    with pytest.raises(DataError, match="column 'Last' holds numbers, but 1 of 300 values are none") as error:
        FORMS[form](path)
    assert "broken" in error.value.got
    data = FORMS[form](path, strange="missing", gaps="fill")
    assert any("1 of 300 steps have gaps" in note for note in data.notes)
    assert "1 cells that are no numbers ('broken') count as missing" in " ".join(map(str, data.treatments))


@pytest.mark.parametrize("form", FORMS)
def test_marks_of_absence_are_gaps(write, form):
    path = write(FRAME.assign(Preis=FRAME["Preis"].astype(object).where(FRAME.index % 50 > 0, "-")))
    with pytest.raises(DataError, match="values are missing"):
        FORMS[form](path)
    data = FORMS[form](path, gaps="fill")
    assert any("6 of 300 steps have gaps" in note for note in data.notes)


def test_numbers_that_may_be_read_two_ways_are_asked_about(write):
    frame = FRAME[["Zeit"]].assign(Last=[f"{k % 9 + 1},{100 + k}" for k in range(N)])
    with pytest.raises(DataError, match="may be") as error:
        series_table(0, path=write(frame, sep=";"), length=14, horizon=7)
    assert "dataset.decimal" in error.value.fix
    data = series_table(0, path=write(frame, sep=";"), length=14, horizon=7, decimal=",")
    assert data.schema.facts.mean[0] < 10


def test_months_are_not_read_as_days(write):
    times = pd.date_range("2000-01-01", periods=120, freq="MS")
    frame = pd.DataFrame({"month": times.strftime("%d.%m.%Y"), "sold": CHANCE.normal(size=120)})
    data = series_table(0, path=write(frame), length=6, horizon=3)
    assert pd.to_datetime(data.test.rows).isin(times).all()
    slashed = frame.assign(month=times.strftime("%d/%m/%Y"))
    with pytest.raises(DataError, match="which is the day and which is the month in 'month'") as error:
        series_table(0, path=write(slashed), length=6, horizon=3)
    assert "dataset.time_format='%d/%m/%Y'" in error.value.fix


def test_labels_name_groups_and_channels(write):
    labels = {"Tag": {"offen": "open", "zu": "closed"}, "Last": "load"}
    data = series_table(
        0, path=write(FRAME), length=14, horizon=7, sensitive=("Tag",), target="Last", labels=labels, units={"Last": "MW"}
    )
    assert set(data.test.groups["Tag"]) == {"open", "closed"}
    assert [(f.name, f.unit) for f in data.schema.features] == [("load", "MW"), ("Preis", None)]
    assert data.schema.target.name == "mean load, next 7 steps"
