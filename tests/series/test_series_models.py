"""Networks of series against what their papers say they compute."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.errors import FitError, SettingsError
from glassbench.testing import toy_data
from glassbench_plugins.series.cnn import SeriesCnn
from glassbench_plugins.series.dlinear import DLinear
from glassbench_plugins.series.lstm import SeriesLstm
from glassbench_plugins.series.patchtst import PatchTST
from glassbench_plugins.series.revin import ReversibleNorm
from glassbench_plugins.series.seasonal import seasonal
from glassbench_plugins.series.shapes import series_classes


@pytest.fixture(scope="module")
def schema():
    return seasonal(0, steps=300, channels=2, length=32, horizon=8).schema


def test_dlinear_splits_off_a_moving_average(schema):
    model = DLinear(schema, kernel=5)
    window = torch.randn(1, 32, 2)
    padded = pd.DataFrame(np.pad(window[0].numpy(), ((2, 2), (0, 0)), mode="edge"))
    trend = torch.tensor(padded.rolling(5).mean().dropna().to_numpy(), dtype=torch.float32)
    expected = model.trend(trend.T) + model.rest((window[0] - trend).T)
    assert torch.allclose(model(window)[0], expected.T, atol=1e-5)


def test_reversible_norm_gives_back_what_it_took():
    norm = ReversibleNorm(3)
    windows = 5 + 2 * torch.randn(4, 50, 3)
    normal, mean, spread = norm(windows)
    assert torch.allclose(normal.mean(dim=1), torch.zeros(4, 3), atol=1e-5)
    assert torch.allclose(normal.std(dim=1, correction=0), torch.ones(4, 3), atol=1e-3)
    assert torch.allclose(norm.reverse(normal, mean, spread), windows, atol=1e-3)


def test_patchtst_has_the_papers_patches_and_ignores_a_level(schema):
    model = PatchTST(schema).eval()
    assert len(model.position) == (32 - 16) // 8 + 2
    window = torch.randn(2, 32, 2)
    assert torch.allclose(model(window + 7), model(window) + 7, atol=1e-3)


def test_patchtst_channels_do_not_mix(schema):
    model = PatchTST(schema).eval()
    window = torch.randn(1, 32, 2)
    other = window.clone()
    other[..., 1] = torch.randn(1, 32)
    assert torch.allclose(model(window)[..., 0], model(other)[..., 0], atol=1e-5)


@pytest.mark.parametrize("model", [SeriesLstm, SeriesCnn])
def test_they_answer_in_the_shape_asked_for(model, schema):
    assert model(schema).eval()(torch.randn(3, 32, 2)).shape == (3, 8, 2)
    assert model(series_classes(0, rows=30, length=32).schema).eval()(torch.randn(3, 32, 1)).shape == (3, 3)


@pytest.mark.parametrize("model", [DLinear, PatchTST, SeriesLstm, SeriesCnn])
def test_tables_are_refused(model):
    with pytest.raises(FitError, match="needs series"):
        model(toy_data().schema)


def test_forecasters_refuse_classes():
    with pytest.raises(FitError, match="forecasts"):
        DLinear(series_classes(0, rows=30).schema)


def test_settings_that_mean_nothing_are_refused(schema):
    with pytest.raises(SettingsError, match="odd"):
        DLinear(schema, kernel=4)
    with pytest.raises(SettingsError, match="patches"):
        PatchTST(schema, patch=64)
