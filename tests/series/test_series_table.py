"""A file with a time column as a data set: split in the order of time, scaled by the past alone."""

import numpy as np
import pandas as pd
import pytest
import torch

import glassbench
from glassbench.errors import DataError, SettingsError
from glassbench.testing import check_dataset
from glassbench_plugins.series.files import series_table
from glassbench_plugins.series.seasonal import seasonal
from glassbench_plugins.series.shapes import series_classes

SMALL = {"length": 24, "horizon": 12}


@pytest.fixture
def frame():
    times = pd.date_range("2023-11-01", periods=1000, freq="h")
    generator = np.random.default_rng(3)
    numbers = generator.normal(size=(1000, 2)).cumsum(axis=0)
    works = np.where(times.day_of_week < 5, "open", "closed")
    return pd.DataFrame({"date": times, "load": numbers[:, 0], "shop": works, "heat": numbers[:, 1]})


@pytest.fixture
def path(frame, tmp_path):
    def write(content=frame):
        content.to_csv(tmp_path / "table.csv", index=False)
        return str(tmp_path / "table.csv")

    return write


def test_windows_follow_time_and_overlap_in_what_they_see_alone(path, frame):
    data = series_table(0, path=path(), split=(0.6, 0.2, 0.2), **SMALL)
    ends = [
        (pd.to_datetime(split.rows).min(), pd.to_datetime(split.rows).max()) for split in (data.train, data.validation, data.test)
    ]
    assert ends[0] == (frame["date"][24], frame["date"][588])
    assert ends[1] == (frame["date"][600], frame["date"][788])
    assert ends[2] == (frame["date"][800], frame["date"][988])


def test_channels_are_scaled_by_the_training_stretch_alone(path, frame):
    numbers = frame[["load", "heat"]].to_numpy()
    data = series_table(0, path=path(), split=(0.6, 0.2, 0.2), **SMALL)
    assert np.allclose(data.schema.facts.mean, numbers[:600].mean(axis=0))
    assert np.allclose(data.schema.facts.std, numbers[:600].std(axis=0))
    expected = (numbers[800:812] - numbers[:600].mean(axis=0)) / numbers[:600].std(axis=0)
    assert np.allclose(data.test.target[0].numpy(), expected, atol=1e-5)


def test_the_papers_split_of_ett_in_months(path, frame):
    times = pd.date_range("2016-07-01", periods=17420, freq="h")
    long = pd.DataFrame({"date": times, "OT": np.random.default_rng(0).normal(size=17420)})
    data = series_table(0, path=path(long), length=336, horizon=96, split=(12, 4, 4), split_unit="months")
    assert (len(data.train), len(data.validation), len(data.test)) == (8209, 2785, 2785)


def test_groups_are_those_of_the_first_forecast_step(path, frame):
    data = series_table(0, path=path(), sensitive=("shop",), calendar=("hour", "day_type", "season", "month"), **SMALL)
    first = pd.to_datetime(data.test.rows)
    assert data.test.groups["hour"].tolist() == [f"{time.hour:02d}" for time in first]
    assert (data.test.groups["shop"] == np.where(first.day_of_week < 5, "open", "closed")).all()
    assert "season" not in data.test.groups.columns  # all test windows lie in December
    assert any("season, month" in note for note in data.notes)


def test_the_file_reads_the_same_twice(path):
    check_dataset(series_table, seeded=False, path=path(), **SMALL)


def test_gaps_are_refused_left_out_or_filled(path, frame):
    holed = path(frame.drop(index=[500, 501]))
    with pytest.raises(DataError, match="gaps"):
        series_table(0, path=holed, **SMALL)
    whole, left = (series_table(0, path=holed, gaps=gaps, **SMALL) for gaps in ("fill", "leave-out"))
    assert len(whole.train) - len(left.train) == 24 + 12 + 2 - 1
    assert any("37 that would span a gap are left out" in note for note in left.notes)
    assert any("2 of 1000 steps have gaps" in note for note in whole.notes)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"target": "hat"}, "no column 'hat'"),
        ({"time": "shop"}, "no time stamp"),
        ({"channels": ("load", "shop")}, "channel 'shop' holds what is no number"),
        ({"split": (0.9, 0.0, 0.2)}, "must sum to 1"),
        ({"split": (2, 1, 1), "split_unit": "months"}, "does not fit"),
        ({"length": 900}, "holds no whole window"),
        ({"step": "sometimes"}, "no step"),
    ],
)
def test_bad_input_is_named(path, settings, says):
    with pytest.raises(DataError, match=says):
        series_table(0, path=path(), **{**SMALL, **settings})


def test_lengths_must_be_positive(path):
    with pytest.raises(SettingsError, match="horizon must be at least 1"):
        series_table(0, path=path(), horizon=0)


def test_generated_sets_keep_their_promises():
    data = check_dataset(seasonal, steps=600, length=48, horizon=24)
    assert data.schema.sensitive == ("part_of_day", "day_type")
    check_dataset(series_classes, rows=60)


def test_the_seasonal_set_is_noisier_at_weekends():
    data = seasonal(0, steps=4000, horizon=1, length=24)
    changes = (data.train.target[:, 0] - data.train.inputs[0][:, -1]).abs().mean(dim=1)
    weekend = torch.tensor((data.train.groups["day_type"] == "weekend").to_numpy())
    assert changes[weekend].mean() > 1.3 * changes[~weekend].mean()


def test_windows_of_one_campaign_are_one_cluster(path, frame):
    """By hand: a window is of the campaign of its first forecast step; rows without one stand for themselves."""
    campaign = np.repeat([f"c{k}" for k in range(20)], 50).astype(object)
    campaign[990:] = ""
    rows = frame.assign(campaign=campaign).sample(frac=1, random_state=1)
    data = series_table(0, path=path(rows), cluster="campaign", test_stride=4, **SMALL)
    assert [feature.name for feature in data.schema.features] == ["load", "heat"]
    of_step = dict(zip(frame["date"].astype(str), campaign, strict=True))
    assert data.test.clusters.tolist() == [of_step[str(pd.Timestamp(row))] for row in data.test.rows]
    assert any("in several parts" in note for note in data.notes) == bool(
        set(data.train.clusters) & set(data.validation.clusters)
    )


def test_windows_of_one_week_are_one_cluster(path):
    data = series_table(0, path=path(), cluster="week", **SMALL)
    weeks = pd.to_datetime(data.test.rows).isocalendar().week.to_numpy()
    assert pd.factorize(data.test.clusters)[0].tolist() == pd.factorize(weeks)[0].tolist()
    assert not any("Test windows overlap" in note for note in data.notes)
    with pytest.raises(DataError, match="whole series lies in one month"):
        series_table(0, path=path(pd.read_csv(path())[:600]), cluster="month", **SMALL)
    with pytest.raises(DataError, match="there is no column 'weeks'"):
        series_table(0, path=path(), cluster="weeks", **SMALL)


def test_clusters_reach_the_predictions_and_widen_intervals(path, frame):
    """Windows that overlap hang together: the interval of the error over whole days is wider than over windows."""
    experiment = {
        "name": "load",
        "dataset": {"use": "series-table", "path": path(), "target": "load", "decimals": {"load": 1}, **SMALL},
        "task": "forecasting",
        "model": "dlinear",
        "trainer": {"use": "lightning", "max_epochs": 1},
        "audits": ["performance"],
    }
    widths = []
    for cluster in ({}, {"cluster": "day"}):
        run = glassbench.run(
            {**experiment, "dataset": {**experiment["dataset"], **cluster}}, runs=path().replace("table.csv", "runs")
        )
        (error,) = [m for m in run.measures if m.name == "performance.mean_squared_error" and not m.by]
        widths.append(error.high - error.low)
    assert "cluster" in pd.read_parquet(run.folder / "predictions.parquet")
    assert widths[1] > 1.5 * widths[0]
