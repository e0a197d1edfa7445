"""Series and windows worked out by hand: what is known, what a window sees, what it is scaled by, and whose group it is."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import KFold
from sklearn.neighbors import KernelDensity as Theirs
from sklearn.neighbors import LocalOutlierFactor

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.clusters import Clusters
from glassbench_plugins.anomalies import ranking
from glassbench_plugins.anomalies.flagging import Flagging
from glassbench_plugins.anomalies.forest import Forest, average_path, isolation_forest
from glassbench_plugins.anomalies.outlier_factor import OutlierFactor
from glassbench_plugins.anomalies.sliding import Layout as Sliding
from glassbench_plugins.anomalies.sliding import steps_within, window_data
from glassbench_plugins.density.base import MixtureBase
from glassbench_plugins.density.kernel import KernelDensity, choose_bandwidth
from glassbench_plugins.density.spline import spline
from glassbench_plugins.density.task import log_density
from glassbench_plugins.series.chronology import Regular, regular
from glassbench_plugins.series.clusters import step_clusters
from glassbench_plugins.series.forecast_errors import CHANNEL_SQUARED, mean_of, root_mean_of
from glassbench_plugins.series.forecasting import Forecasting
from glassbench_plugins.series.forecasts import Layout, forecast_data
from glassbench_plugins.series.moments import calendar_groups
from glassbench_plugins.series.revin import ReversibleNorm
from glassbench_plugins.series.windows import Cut, cut_windows


def hours(count: int, start: str = "2024-01-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq="h")


def test_a_step_is_known_where_every_channel_is_and_rows_keep_their_values_when_they_are_sorted() -> None:
    times = hours(6)[[3, 0, 1, 5]]
    values = pd.DataFrame({"a": [3.0, 0.0, 1.0, 5.0], "b": [30.0, 0.0, np.nan, 50.0]})
    found = regular(times, values, step="h", gaps="leave-out")
    assert found.known.tolist() == [True, False, False, True, False, True]
    assert found.rows.tolist() == [1, 2, -1, 0, -1, 3]
    assert found.values[[0, 3, 5]].tolist() == [[0, 0], [3, 30], [5, 50]]
    filled = regular(times, values, step="h", gaps="fill")
    assert filled.values.T.tolist() == [pytest.approx([0, 1, 2, 3, 4, 5]), pytest.approx([0, 10, 20, 30, 40, 50])]
    ends = regular(hours(4), pd.DataFrame({"a": [np.nan, 2.0, 3.0, np.nan]}), step=None, gaps="fill")
    assert ends.values[:, 0].tolist() == [2, 2, 3, 3]


def test_the_step_is_the_commonest_and_not_the_shortest() -> None:
    times = hours(10)[[0, 1, 2, 3, 4, 7, 9]]
    assert len(regular(times, pd.DataFrame({"a": np.arange(7.0)}), step=None, gaps="leave-out").times) == 10
    off = hours(6).append(pd.DatetimeIndex(["2024-01-01 05:30"]))
    with pytest.raises(DataError, match="regular step"):
        regular(off, pd.DataFrame({"a": np.arange(7.0)}), step=None, gaps="leave-out")


def test_a_step_without_a_row_is_alone_in_its_cluster() -> None:
    series = Regular(
        times=hours(4), values=np.zeros((4, 1)), known=np.ones(4, dtype=bool), rows=np.array([1, -1, 0, -1]), step=None
    )
    found = step_clusters(pd.DataFrame({"shift": ["early", "late"]}), "shift", series, Cells()).names.tolist()
    assert (found[0], found[2], len(set(found))) == ("late", "early", 4)


@pytest.mark.parametrize(("stride", "origins"), [(1, [3, 4, 5, 6, 7, 8]), (3, [3, 6]), (5, [3, 8])])
def test_windows_are_those_that_fit_and_hold_no_unknown_step(stride, origins) -> None:
    values, cut = torch.arange(10.0)[:, None], Cut(length=3, horizon=2, stride=stride)
    found = cut_windows(values, cut, 0, 10)
    assert found.origins.tolist() == origins
    assert found.inputs[-1, :, 0].tolist() == [origins[-1] - 3.0, origins[-1] - 2, origins[-1] - 1]
    assert found.targets[-1, :, 0].tolist() == [origins[-1], origins[-1] + 1.0]
    known = np.arange(10) != 8
    part = cut_windows(values, cut, 0, 10, known)
    assert part.origins.tolist() == [o for o in origins if o < 7]
    assert part.left_out == len(origins) - len(part.origins)


def layout(**more: object) -> Layout:
    made = Layout(channels=("a", "b"), target="b", length=2, horizon=2, split=(6, 3, 9), split_unit="steps", units={})
    return replace(made, **more)


def series_of(steps: int = 18, known: np.ndarray | None = None) -> Regular:
    values = np.stack([np.arange(steps, dtype=float) ** 2, 100.0 + 3 * np.arange(steps)], axis=1)
    known = np.ones(steps, dtype=bool) if known is None else known
    return Regular(times=hours(steps), values=values, known=known, rows=np.arange(steps), step=pd.Timedelta("1h"))


def test_channels_are_scaled_by_the_known_steps_that_are_learnt_from() -> None:
    known = np.arange(18) != 5
    data = forecast_data(series_of(known=known), layout(split=(6, 0, 12)), source="")
    seen = series_of().values[:5]
    assert data.schema.facts.mean == pytest.approx(seen.mean(axis=0))
    assert data.schema.facts.std == pytest.approx(seen.std(axis=0))
    window = data.train.inputs[0][0].numpy()
    assert window == pytest.approx((seen[:2] - seen.mean(axis=0)) / seen.std(axis=0), rel=1e-5)


def test_a_window_is_of_the_group_and_the_cluster_of_the_first_step_it_forecasts() -> None:
    steps = np.arange(18)
    metadata = pd.DataFrame({"shift": [f"s{i}" for i in steps], "mode": np.where(steps < 9, "x", "y")})
    clusters = Clusters(names=pd.Series([f"c{i // 2}" for i in steps]))
    data = forecast_data(series_of(), layout(metadata=metadata, clusters=clusters, test_stride=3), source="")
    assert data.test.groups["shift"].tolist() == ["s9", "s12", "s15"]
    assert data.test.clusters.tolist() == ["c4", "c6", "c7"]
    assert data.schema.sensitive == ("shift",)  # the mode does not vary among the windows that are judged
    assert len(data.train.rows) == 3


def test_lengths_in_days_and_months_count_steps_and_a_season_is_a_day_that_fits() -> None:
    daily = replace(series_of(200), times=pd.date_range("2024-01-01", periods=200, freq="D"), step=pd.Timedelta(days=1))
    data = forecast_data(daily, layout(split=(3, 1, 2), split_unit="months"), source="")
    assert [len(part.rows) for part in (data.train, data.validation, data.test)] == [90 - 3, 30 - 1, 60 - 1]
    assert data.schema.facts.forecast.season == 1
    hourly = series_of(200)
    for length, season in ((23, 1), (24, 24), (30, 24)):
        found = forecast_data(hourly, layout(length=length, split=(100, 30, 70)), source="")
        assert found.schema.facts.forecast.season == season


def test_the_calendar_puts_december_into_winter_and_friday_into_the_week() -> None:
    times = pd.DatetimeIndex(["2024-12-31", "2024-03-01", "2024-02-29", "2024-09-01"])
    assert calendar_groups(times, ("season",), "north")["season"].tolist() == ["winter", "spring", "winter", "autumn"]
    assert calendar_groups(times, ("season",), "south")["season"].tolist() == ["summer", "autumn", "summer", "spring"]
    week = pd.date_range("2024-01-01", periods=7)  # a Monday
    assert calendar_groups(week, ("day_type",), "north")["day_type"].tolist() == ["weekday"] * 5 + ["weekend"] * 2


def test_errors_of_windows_are_means_under_weights_and_roots_of_means() -> None:
    frame = pd.DataFrame({CHANNEL_SQUARED: [1.0, 9.0, 25.0]})
    weights = np.array([[1.0, 1, 1], [2, 0, 1], [0, 0, 0]])
    assert mean_of(CHANNEL_SQUARED)(frame, weights)[:2] == pytest.approx([35 / 3, 9])
    assert root_mean_of(CHANNEL_SQUARED)(frame, weights)[:2] == pytest.approx([(35 / 3) ** 0.5, 3])
    assert np.isnan(mean_of(CHANNEL_SQUARED)(frame, weights)[2])


def test_forecasts_are_told_on_the_scale_of_the_target_and_the_baseline_repeats_the_last_day() -> None:
    data = forecast_data(series_of(200), layout(length=30, horizon=25, split=(100, 0, 100), test_stride=10), source="")
    task = Forecasting()
    task.check(data.schema)
    off = task._frame(data.test, data.test.target + torch.tensor([5.0, 2.0]))
    std = data.schema.facts.std[1]
    first = int(data.test.rows[0][11:13]) + 24 * (int(data.test.rows[0][8:10]) - 1)
    assert off["y_true"].iloc[0] == pytest.approx(100 + 3 * (first + 12), rel=1e-5)
    assert (off["y_pred"] - off["y_true"]).to_numpy() == pytest.approx(np.full(len(off), 2 * std), rel=1e-4)
    assert off["channel_absolute_error"].to_numpy() == pytest.approx(np.full(len(off), 2 * std), rel=1e-4)
    assert off["channel_squared_error"].to_numpy() == pytest.approx(np.full(len(off), (2 * std) ** 2), rel=1e-4)
    assert off["absolute_error"].to_numpy() == pytest.approx(np.full(len(off), 3.5), rel=1e-4)
    made = task.predict(Last(25), data.test)
    frame, _ = task.baseline_predictions(made)
    repeated = [3 * ((first + k - 24) if k < 24 else first - 24) for k in range(25)]
    assert frame["y_pred"].iloc[0] == pytest.approx(100 + np.mean(repeated), rel=1e-4)


class Last(torch.nn.Module):
    """Forecasts the last step for ever."""

    def __init__(self, horizon: int) -> None:
        super().__init__()
        self.horizon = horizon

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return windows[:, -1:].expand(-1, self.horizon, -1)


def test_a_window_is_normed_by_its_own_spread_of_all_its_steps() -> None:
    windows = torch.tensor([[[1.0], [3.0], [5.0]]])
    normed, mean, spread = ReversibleNorm(1)(windows)
    assert float(mean) == pytest.approx(3)
    assert float(spread) == pytest.approx((8 / 3) ** 0.5, rel=1e-4)
    assert normed[0, :, 0].tolist() == pytest.approx([-(1.5**0.5), 0, 1.5**0.5], rel=1e-4)


def scored(score: list[float], unusual: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"score": score, "unusual": unusual})


def test_ties_of_scores_count_one_half_and_weights_count_rows() -> None:
    frame, ones = scored([3.0, 2.0, 2.0, 1.0], [1, 1, 0, 0]), np.ones((1, 4))
    assert ranking.roc_auc(frame, ones) == pytest.approx([(2 + 1.5) / 4])
    assert ranking.average_precision(frame, ones) == pytest.approx([0.5 * 1 + 0.5 * 2 / 3])
    weights = np.array([[1.0, 2.0, 3.0, 1.0]])
    twice = scored([3.0, *[2.0] * 2, *[2.0] * 3, 1.0], [1, 1, 1, 0, 0, 0, 0])
    for measure in (ranking.roc_auc, ranking.average_precision):
        assert measure(frame, weights) == pytest.approx(measure(twice, np.ones((1, 7))))


def test_a_share_of_usual_rows_lies_above_the_threshold() -> None:
    flagging = Flagging(torch.nn.Identity(), 0.1)
    flagging.measure(torch.arange(101.0))
    assert float(flagging.threshold) == pytest.approx(90)


def test_a_forest_scores_as_scikit_learn_does_and_a_leaf_of_two_rows_adds_a_step() -> None:
    assert average_path(np.array([1, 2, 3])) == pytest.approx([0, 1, 2 * (np.log(2) + np.euler_gamma) - 4 / 3])
    rows = np.round(np.random.default_rng(0).normal(size=(60, 2)), 1)
    np.random.seed(3)
    ours = isolation_forest(None, trees=20, rows_per_tree=30).fit(rows)
    np.random.seed(3)
    theirs = IsolationForest(n_estimators=20, max_samples=30).fit(rows)
    assert ours.score(torch.as_tensor(rows)).numpy() == pytest.approx(-theirs.score_samples(rows))


def test_the_outlier_factor_of_new_rows_is_scikit_learns() -> None:
    drawn = np.random.default_rng(1)
    rows, new = drawn.normal(size=(50, 2)), drawn.normal(size=(9, 2)) * 2
    ours = OutlierFactor(neighbours=6).fit(rows)
    theirs = LocalOutlierFactor(n_neighbors=6, novelty=True).fit(rows)
    assert ours.score(torch.as_tensor(new)).numpy() == pytest.approx(-theirs.score_samples(new))


def sliding(unusual: np.ndarray | None):
    made = Sliding(channels=("a", "b"), length=3, split=(0.5, 0.2, 0.3), units={})
    return window_data(series_of(20), made, unusual, source="")


def test_windows_with_an_unusual_step_are_not_learnt_from_nor_scaled_by_and_one_is_unusual_by_its_last_step() -> None:
    unusual = np.isin(np.arange(20), [4, 11, 16])
    data = sliding(unusual)
    assert [time[11:13] for time in data.train.rows] == ["02", "03", "07", "08", "09"]
    assert [time[11:13] for time in data.validation.rows] == ["10"]
    assert [time[11:13] for time in data.test.rows] == ["14", "15", "16", "17", "18", "19"]
    assert data.test.target.tolist() == [0, 0, 1, 0, 0, 0]
    seen = series_of(20).values[:10][np.arange(10) != 4]
    assert data.schema.facts.mean == pytest.approx(seen.mean(axis=0))
    assert data.schema.facts.std == pytest.approx(seen.std(axis=0))


def test_both_ends_of_a_span_lie_in_it() -> None:
    spans = (("2024-01-01 01:00", "2024-01-01 02:00"), ("2024-01-01 05:00", "2024-01-01 05:00"))
    assert np.flatnonzero(steps_within(hours(8), spans)).tolist() == [1, 2, 5]


def test_the_density_of_kernels_is_scikit_learns_and_its_width_the_likeliest_of_all_folds() -> None:
    rows = np.random.default_rng(2).normal(size=(60, 3))
    ours = KernelDensity(bandwidth=0.4).fit(rows)
    theirs = Theirs(bandwidth=0.4).fit(rows)
    assert ours(torch.as_tensor(rows[:7])).numpy() == pytest.approx(theirs.score_samples(rows[:7]))
    rows[:12] *= 3
    np.random.seed(0)
    found = choose_bandwidth(rows)
    np.random.seed(0)
    part = rows[np.random.permutation(60)]
    widths = 60 ** (-1 / 7) * rows.std(axis=0).mean() * np.geomspace(0.05, 2, 20)
    scores = [sum(Theirs(bandwidth=w).fit(part[a]).score(part[b]) for a, b in KFold(5).split(part)) for w in widths]
    assert found == pytest.approx(widths[int(np.argmax(scores))])


def test_a_base_takes_as_many_components_as_the_criterion_favours_and_components_add_up() -> None:
    torch.manual_seed(0)
    drawn = np.random.default_rng(3)
    base = MixtureBase(width=2, components=5)
    base.settle(np.concatenate([drawn.normal(-5, 1, (150, 2)), drawn.normal(5, 1, (150, 2))]))
    assert int((base.shares > -29).sum()) == 2
    joint = torch.tensor([[-1.0, -2.0], [0.0, -5.0]])
    assert log_density(joint).tolist() == pytest.approx(torch.exp(joint).sum(dim=1).log().tolist())


def test_the_logarithm_of_a_splines_slope_is_that_of_its_derivative() -> None:
    torch.manual_seed(1)
    x = torch.linspace(-2.9, 2.9, 41, dtype=torch.float64, requires_grad=True)
    image, logs = spline(x, torch.randn(41, 11, dtype=torch.float64), 3.0)
    (slope,) = torch.autograd.grad(image.sum(), x)
    assert logs.tolist() == pytest.approx(slope.log().tolist(), abs=1e-9)


def test_a_row_on_a_split_goes_left() -> None:
    tree = {"left": [[1, -1, -1]], "right": [[2, -1, -1]], "slot": [[0, 0, 0]]}
    held = {name: torch.tensor(nodes) for name, nodes in tree.items()}
    forest = SimpleNamespace(**held, split=torch.tensor([[0.5, 0.0, 0.0]]), length=torch.tensor([[0.0, 1.0, 3.0]]), normal=1.0)
    assert Forest.score(forest, torch.tensor([[0.25], [0.5], [0.75]])).tolist() == pytest.approx([0.5, 0.5, 0.125])
