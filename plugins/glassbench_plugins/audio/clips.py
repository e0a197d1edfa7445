"""Clips of one rate and length, from files of any."""

from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
import torch
from scipy.signal import resample_poly
from torch import Tensor

from glassbench.errors import DataError
from glassbench.storage.data_files import check_data_file, check_unpacked
from glassbench.storage.files import content_hash

_RATIO = 10_000
"""Largest whole number in a ratio of rates; beyond it the ratio is rounded, which moves the pitch by less than 0.01 %."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """What every clip is brought to.

    Args:
        rate: Samples per second.
        samples: Samples of a clip.
    """

    rate: int
    samples: int


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a file needed: another rate, one channel of several, silence at the end, a cut at both ends."""

    resampled: bool
    mixed: bool
    padded: bool
    cropped: bool


def read_clip(path: Path, form: Format) -> tuple[np.ndarray, Changes]:
    """Read a sound file as one clip: channels averaged, resampled, cut to its middle or followed by silence.

    Args:
        path: WAV, FLAC, OGG or whatever libsndfile reads.
        form: What it is brought to.

    Returns:
        The clip `(samples,)`, float32, between -1 and 1 as a rule; and what was done.

    Raises:
        DataError: The file cannot be read, or holds no sample or none that is finite.
    """
    sound, rate = read_sound(path)
    mono = sound.mean(axis=1)
    even = resampled(mono, rate, form.rate)
    changes = Changes(
        resampled=rate != form.rate,
        mixed=sound.shape[1] > 1,
        padded=len(even) < form.samples,
        cropped=len(even) > form.samples,
    )
    return fitted(even, form.samples), changes


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """Read a sound file whole: samples `(n, channels)`, float32, and how many of them a second has.

    Raises:
        DataError: The file cannot be read, or holds no sample or none that is finite.
    """
    check_sound(path)
    try:
        sound, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError("the sound file cannot be read", got=f"{path.name}: {error}") from error
    if not len(sound) or not np.isfinite(sound).all():
        raise DataError("the sound file holds no sound", got=f"{path.name}: {len(sound)} samples, or some that are no number")
    return sound, int(rate)


def check_sound(path: Path) -> None:
    """Read a file's header alone.

    Raises:
        DataError: It is no sound file, or its samples take too much memory.
    """
    check_data_file(path)
    try:
        facts = soundfile.info(str(path))
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError("the sound file cannot be read", got=f"{path.name}: {error}") from error
    check_unpacked(facts.frames * facts.channels * 4, path.stat().st_size, path)


def resampled(sound: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Return a sound `(n,)` at another rate, by a polyphase filter that keeps out what the lower rate cannot hold."""
    if rate == wanted:
        return sound
    up, down = wanted // gcd(wanted, rate), rate // gcd(wanted, rate)
    if max(up, down) > _RATIO:
        up, down = round(_RATIO * up / max(up, down)), round(_RATIO * down / max(up, down))
    converted: np.ndarray = np.asarray(resample_poly(sound, up, down), dtype=np.float32)
    return converted


def fitted(sound: np.ndarray, samples: int) -> np.ndarray:
    """Return the middle of a longer sound, or a shorter one followed by silence, `(samples,)`.

    Example:
        >>> fitted(np.arange(5.0), 3).tolist(), fitted(np.arange(2.0), 3).tolist()
        ([1.0, 2.0, 3.0], [0.0, 1.0, 0.0])
    """
    start = max(0, (len(sound) - samples) // 2)
    cut = sound[start : start + samples]
    return np.pad(cut, (0, samples - len(cut)))


class ClipsOnDisk:
    """Clips that stay on disk, read one at a time.

    Args:
        paths: Their files.
        form: What they are brought to.
    """

    def __init__(self, paths: tuple[Path, ...], form: Format) -> None:
        self.paths = paths
        self.form = form

    def fingerprint(self) -> str:
        """Return the SHA-256 of all files' content, one after the other."""
        return content_hash(self.paths)

    def __len__(self) -> int:
        """Number of clips."""
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Read one clip `(samples,)`."""
        clip, _ = read_clip(self.paths[index], self.form)
        return (torch.from_numpy(clip),)
