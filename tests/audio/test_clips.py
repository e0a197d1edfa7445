"""Any sound file becomes a clip of one rate and length."""

import numpy as np
import pytest
import soundfile

from glassbench.errors import DataError
from glassbench_plugins.audio.clips import Format, fitted, read_clip, resampled

FORM = Format(rate=8000, samples=4000)


def sine(rate, seconds=0.5, pitch=440):
    return np.sin(2 * np.pi * pitch * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 22050, 11025])
def test_other_rates_are_resampled_to_the_same_sound(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", sine(rate), rate)
    clip, changes = read_clip(tmp_path / "a.wav", FORM)
    assert clip.shape == (4000,)
    assert changes.resampled == (rate != 8000)
    assert np.abs(clip[200:-200] - sine(8000)[200:-200]).max() < 0.02


def test_a_pitch_the_lower_rate_cannot_hold_is_kept_out():
    assert np.abs(resampled(sine(16000, pitch=6000), 16000, 8000)[200:-200]).max() < 0.05


def test_stereo_is_mixed(tmp_path):
    left, right = sine(8000), -0.5 * sine(8000)
    soundfile.write(tmp_path / "a.flac", np.stack([left, right], axis=1), 8000)
    clip, changes = read_clip(tmp_path / "a.flac", FORM)
    assert changes.mixed
    assert np.allclose(clip, (left + right) / 2, atol=1e-3)


def test_longer_sounds_keep_their_middle_and_shorter_ones_end_in_silence():
    assert fitted(np.arange(10.0), 4).tolist() == [3, 4, 5, 6]
    assert fitted(np.arange(1.0, 3.0), 4).tolist() == [1, 2, 0, 0]


@pytest.mark.parametrize("content", [b"", b"RIFF\x00\x00\x00\x00WAVE", b"no sound at all"])
def test_broken_files_are_named(tmp_path, content):
    (tmp_path / "broken.wav").write_bytes(content)
    with pytest.raises(DataError) as refused:
        read_clip(tmp_path / "broken.wav", FORM)
    assert "broken.wav" in refused.value.got
