"""Generated utterances: every letter is a tone of its own, so that what says a letter, and when, is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, NonNegativeNumber, ShareBelowOne
from glassbench.toolkit.splits.splits import Division, divide
from glassbench_plugins.speech.assembly import Utterances, speech_data

LETTERS = "abcdefgh"
RATE = 8_000
FREQUENCIES = dict(zip(LETTERS, np.geomspace(350, 2800, len(LETTERS)), strict=True))
"""The tone of each letter in Hz, before a speaker's pitch."""
SPEAKERS = ("Ada", "Ben", "Cleo", "Dan", "Eve")
MUMBLER = SPEAKERS[-1]
"""The speaker whose letters may be said faintly."""
PITCH = dict(zip(SPEAKERS, (0.95, 1.05, 1.0, 0.97, 1.03), strict=True))
"""What each speaker's tones are multiplied by."""
_SPAN, _GAP, _BREAK = (0.07, 0.11), (0.02, 0.05), (0.12, 0.2)
_LEAD = 0.05
_WORDS, _LENGTHS = (1, 3), (1, 3)


@dataclass(frozen=True, kw_only=True)
class Sound:
    """One letter as it is said.

    Args:
        letter: The letter.
        start, stop: When, in seconds.
        frequency: Its tone in Hz.
    """

    letter: str
    start: float
    stop: float
    frequency: float


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """What one clip says.

    Args:
        text: The transcript.
        speaker: Who says it.
        sounds: Its letters, without the spaces.
    """

    text: str
    speaker: str
    sounds: tuple[Sound, ...]


def letter_tones(
    seed: int,
    *,
    rows: Count = 700,
    noise: NonNegativeNumber = 0.05,
    mumbling: ShareBelowOne = 0.0,
    validation_share: ShareBelowOne = 0.15,
    test_share: ShareBelowOne = 0.3,
) -> Data:
    """Generated utterances of one to three words of the letters a to h, each letter a tone of its own.

    8,000 samples per second; five speakers differ in pitch by up to a tenth. One of them can be made to mumble, so that the gap
    between speakers is known.

    Args:
        seed: Seed of the utterances.
        rows: How many.
        noise: Standard deviation of the noise; tones have an amplitude of 0.3 to 0.8.
        mumbling: Share of loudness that every letter of the speaker Eve loses.
        validation_share: Share of the utterances for validation.
        test_share: Share of the utterances for testing.
    """
    if rows < 20 or validation_share + test_share >= 1 or test_share == 0:
        got = f"rows {rows}, shares {validation_share:g} and {test_share:g}"
        raise SettingsError("at least 20 utterances, and shares that leave rows to each part", got=got, where="dataset")
    generator = np.random.default_rng([seed, 0x5BEEC])
    said = [utterance(SPEAKERS[row % len(SPEAKERS)], generator) for row in range(rows)]
    samples = round(RATE * (max(one.sounds[-1].stop for one in said) + _LEAD))
    clips = np.stack([sounded(one, samples, mumbling, generator) for one in said])
    clips += noise * generator.normal(size=clips.shape)
    speakers = pd.Series([one.speaker for one in said])
    division = Division(seed=seed, validation=validation_share, test=test_share)
    whole = Utterances(
        clips=clips.astype(np.float32),
        transcripts=tuple(one.text for one in said),
        rows=np.arange(rows),
        groups=pd.DataFrame({"speaker": speakers}, dtype=object),
    )
    parts = divide(speakers, division)
    return speech_data(
        whole, parts, rate=RATE, spelling="characters", source="generated", split="at random, stratified by speaker"
    )


def utterance(speaker: str, generator: np.random.Generator) -> Utterance:
    """Draw what a speaker says."""
    words = ["".join(generator.choice(list(LETTERS), _between(_LENGTHS, generator))) for _ in range(_between(_WORDS, generator))]
    sounds, now = list[Sound](), _LEAD
    for word in words:
        for letter in word:
            stop = now + generator.uniform(*_SPAN)
            sounds.append(Sound(letter=letter, start=now, stop=stop, frequency=FREQUENCIES[letter] * PITCH[speaker]))
            now = stop + generator.uniform(*_GAP)
        now += generator.uniform(*_BREAK)
    return Utterance(text=" ".join(words), speaker=speaker, sounds=tuple(sounds))


def sounded(said: Utterance, samples: int, mumbling: float, generator: np.random.Generator) -> np.ndarray:
    """Return an utterance as a clip `(samples,)` without noise, float64."""
    clip = np.zeros(samples)
    kept = 1 - mumbling if said.speaker == MUMBLER else 1.0
    for sound in said.sounds:
        start, stop = round(sound.start * RATE), round(sound.stop * RATE)
        time = np.arange(stop - start) / RATE
        tone = np.sin(2 * np.pi * sound.frequency * time + generator.uniform(0, 2 * np.pi))
        clip[start:stop] = kept * generator.uniform(0.3, 0.8) * tone * np.hanning(stop - start) ** 0.25
    return clip


def _between(bounds: Sequence[int], generator: np.random.Generator) -> int:
    return int(generator.integers(bounds[0], bounds[1] + 1))
