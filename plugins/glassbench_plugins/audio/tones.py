"""Generated clips: tones, chirps and noises."""

import numpy as np
import pandas as pd
import torch
from scipy.signal import butter, sosfilt

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import AudioFacts
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, NonNegativeNumber, PositiveNumber, ShareBelowOne

CLASSES = ("tone", "rising chirp", "falling chirp", "noise")
RATE = 8_000
_MUFFLED = 1_500


def tones(
    seed: int,
    *,
    rows: Count = 1200,
    seconds: PositiveNumber = 0.5,
    noise: NonNegativeNumber = 0.05,
    muffled_share: ShareBelowOne = 0.25,
    validation_share: ShareBelowOne = 0.2,
    test_share: ShareBelowOne = 0.3,
) -> Data:
    """Tones, chirps that rise or fall by half an octave to two, and coloured noises, in faint noise.

    8,000 samples per second; pitch, loudness, beginning and length vary. Some clips come from a muffled microphone that
    passes little above 1,500 Hz: groups to compare.

    Args:
        seed: Seed of the clips.
        rows: How many clips.
        seconds: Length of each.
        noise: Standard deviation of the faint noise; sounds have an amplitude of 0.3 to 0.9.
        muffled_share: Share of the clips from the muffled microphone.
        validation_share: Share of the clips for validation.
        test_share: Share of the clips for testing.
    """
    train_share = 1 - validation_share - test_share
    if rows < 20 or seconds < 0.1 or noise < 0 or min(train_share, test_share) <= 0 or validation_share < 0:
        got = f"rows {rows}, seconds {seconds:g}, noise {noise:g}, shares {train_share:g}, {validation_share:g}, {test_share:g}"
        raise SettingsError("at least 20 clips of 0.1 s, and shares that leave rows to each part", got=got, where="dataset")
    generator = np.random.default_rng([seed, 0x70E5])
    samples = round(RATE * seconds)
    kinds = generator.permutation(np.arange(rows) % len(CLASSES))
    muffled = generator.random(rows) < muffled_share
    clips = np.stack([_clip(int(kind), samples, generator) for kind in kinds])
    clips[muffled] = sosfilt(butter(4, _MUFFLED, fs=RATE, output="sos"), clips[muffled], axis=1)
    clips += noise * generator.normal(size=clips.shape)
    whole = Split(
        inputs=(torch.as_tensor(clips, dtype=torch.float32),),
        rows=np.arange(rows),
        target=torch.as_tensor(kinds),
        groups=pd.DataFrame({"microphone": np.where(muffled, "muffled", "clear")}, dtype=object),
    )
    ends = np.round(np.cumsum([train_share, validation_share, test_share]) * rows).astype(int)
    parts = [whole.take(np.arange(start, end)) for start, end in zip((0, *ends[:2]), ends, strict=True)]
    schema = Schema(
        modality="audio",
        shape=(samples,),
        target=Target(name="sound", kind="class", classes=CLASSES),
        sensitive=("microphone",),
        conditions=("microphone",),
        unit="clip",
        facts=AudioFacts(rate=RATE),
    )
    validation = parts[1] if len(parts[1]) else None
    split = "at random, as they were generated"
    return Data(schema=schema, train=parts[0], validation=validation, test=parts[2], source="generated", split=split)


def _clip(kind: int, samples: int, generator: np.random.Generator) -> np.ndarray:
    """Return one sound in silence `(samples,)`."""
    span = int(samples * generator.uniform(0.5, 0.9))
    start = int(generator.integers(0, samples - span + 1))
    sound = _noise(span, generator) if CLASSES[kind] == "noise" else _sweep(CLASSES[kind], span, generator)
    clip = np.zeros(samples)
    clip[start : start + span] = generator.uniform(0.3, 0.9) * sound * np.hanning(span) ** 0.25
    return clip


def _sweep(kind: str, span: int, generator: np.random.Generator) -> np.ndarray:
    """Return a sine whose pitch stays, rises or falls, from 200 Hz to 3,200 Hz."""
    octaves = {"tone": 0.0, "rising chirp": 1.0, "falling chirp": -1.0}[kind] * generator.uniform(0.5, 2.0)
    low, high = np.log2(200) + max(0.0, -octaves), np.log2(3200) - max(0.0, octaves)
    pitch = 2 ** (generator.uniform(low, high) + np.linspace(0, octaves, span))
    wave: np.ndarray = np.sin(2 * np.pi * np.cumsum(pitch) / RATE + generator.uniform(0, 2 * np.pi))
    return wave


def _noise(span: int, generator: np.random.Generator) -> np.ndarray:
    """Return white noise through a filter an octave or two wide."""
    low = generator.uniform(200, 1200)
    band = butter(2, [low, min(low * 2 ** generator.uniform(1, 2), 3600)], btype="band", fs=RATE, output="sos")
    sound: np.ndarray = sosfilt(band, generator.normal(size=span))
    scaled: np.ndarray = sound / (3 * sound.std())
    return scaled
