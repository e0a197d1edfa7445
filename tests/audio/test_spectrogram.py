"""The spectrogram layer against SciPy, and the networks on top of it."""

import numpy as np
import pytest
import torch
from scipy import signal

from glassbench.errors import FitError, SettingsError
from glassbench.testing import toy_data
from glassbench_plugins.audio.conv1d import Conv1d
from glassbench_plugins.audio.spectrogram import FLOOR, Spectrogram
from glassbench_plugins.audio.spectrogram_cnn import SpectrogramCnn
from glassbench_plugins.audio.tones import tones


def test_it_is_scipys_power_spectrum_in_mel_bands():
    clip = np.random.default_rng(0).normal(size=4000)
    layer = Spectrogram(8000, window=256, hop=128, bands=24)
    transform = signal.ShortTimeFFT(signal.windows.hann(256, sym=False), 128, 8000)
    power = np.abs(transform.stft(clip)) ** 2
    expected = np.log(layer.filters.numpy() @ power / layer.hann.sum().item() + FLOOR)
    found = layer(torch.as_tensor(clip, dtype=torch.float32)[None])[0].numpy()
    inner = slice(2, 28)  # both pad the ends in ways of their own; SciPy's first slice lies one hop earlier or at 0
    offset = -transform.p_min
    assert np.allclose(found[:, inner], expected[:, inner.start + offset : inner.stop + offset], atol=1e-3)


@pytest.mark.parametrize("pitch", [300.0, 1000.0, 3000.0])
def test_a_tone_is_loudest_in_its_own_band(pitch):
    layer = Spectrogram(8000, window=256, hop=128, bands=24)
    tone = torch.sin(2 * torch.pi * pitch * torch.arange(4000) / 8000)
    loudest = layer.frequencies[layer(tone[None])[0].mean(dim=1).argmax()]
    nearest = layer.frequencies[(layer.frequencies - pitch).abs().argmin()]
    assert loudest == nearest


def test_no_band_is_empty_however_narrow():
    assert (Spectrogram(8000, window=64, hop=32, bands=64).filters.sum(dim=1) > 0).all()


@pytest.mark.parametrize("model", [SpectrogramCnn, Conv1d])
def test_they_decide_classes_and_refuse_tables(model):
    schema = tones(0, rows=40).schema
    assert model(schema).eval()(torch.randn(3, 4000)).shape == (3, 4)
    with pytest.raises(FitError, match="needs clips"):
        model(toy_data().schema)


@pytest.mark.parametrize("model", [SpectrogramCnn, Conv1d])
def test_more_blocks_than_a_clip_can_bear_are_refused(model):
    with pytest.raises(SettingsError, match="must remain"):
        model(tones(0, rows=40, seconds=0.1).schema, widths=(8,) * 7)
