"""Recordings of single words joined into sequences, as a data set."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Data
from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError, SettingsError
from glassbench.stats.settings_types import Count, NonNegativeNumber
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.split_by import SplitBy, division_of
from glassbench.toolkit.splits.splits import Part, divide
from glassbench_plugins.speech.alphabet import Spelling
from glassbench_plugins.speech.assembly import Utterances, speech_data
from glassbench_plugins.speech.transcribed import read_transcripts

_LEAD = 0.05
"""Seconds of silence before the first and after the last recording."""


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """Recordings that follow one another.

    Args:
        recordings: Their positions.
        pauses: Samples of silence before each.
    """

    recordings: tuple[int, ...]
    pauses: tuple[int, ...]


class JoinedClips:
    """Clips that are joined from recordings when they are asked for.

    Args:
        sounds: The recordings, each `(samples,)`, float32.
        sequences: What is joined.
        samples: Length of every clip; silence follows shorter ones.
    """

    def __init__(self, sounds: tuple[np.ndarray, ...], sequences: tuple[Sequence, ...], samples: int) -> None:
        self.sounds = sounds
        self.sequences = sequences
        self.samples = samples

    def fingerprint(self) -> str:
        """Return the SHA-256 of the recordings and of how they are joined."""
        digest = sha256(repr(self.sequences).encode())
        for sound in self.sounds:
            digest.update(sound.tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        """Number of clips."""
        return len(self.sequences)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Join one clip `(samples,)`."""
        clip, at, sequence = np.zeros(self.samples, dtype=np.float32), 0, self.sequences[index]
        for recording, pause in zip(sequence.recordings, sequence.pauses, strict=True):
            sound = self.sounds[recording]
            at += pause
            clip[at : at + len(sound)] = sound
            at += len(sound)
        return (torch.from_numpy(clip),)


def joined_recordings(
    seed: int,
    *,
    path: str,
    metadata: str,
    file_column: str = "file",
    text_column: str = "text",
    speaker: str | None = "speaker",
    sensitive: tuple[str, ...] = (),
    words: tuple[Count, Count] = (3, 5),
    pause: tuple[NonNegativeNumber, NonNegativeNumber] = (0.05, 0.25),
    rounds: Count = 4,
    split: SplitBy | None = None,
    spelling: Spelling = "characters",
    rate: Count = 8_000,
) -> Data:
    """Recordings of single words, joined into sequences of one speaker with short pauses.

    Recordings are divided first, so that none is learnt from and judged by. Of the recordings for validation and testing each is
    used once, so that sequences are independent; those for training are joined anew for several rounds.

    Args:
        seed: Seed of the split, of the order and of the pauses.
        path: The folder of the recordings (WAV, FLAC, OGG).
        metadata: A table (CSV, TSV, Parquet, Excel) with a row per recording, relative to the current folder.
        file_column: Its column of files, relative to `path`.
        text_column: Its column of what is said in each.
        speaker: Its column of speakers; a sequence is of one of them. None joins any recordings.
        sensitive: Columns to audit by; besides the speaker such that have one value for each speaker.
        words: Fewest and most recordings of a sequence.
        pause: Shortest and longest silence between two, in seconds.
        rounds: How often each recording for training is used.
        split: How recordings are divided: `{by: random, validation: 0.1, test: 0.1}` unless given; `{by: cluster, column:
            speaker}` holds speakers out, `{by: column, column: part}` takes a column that names the parts.
        spelling: What a model writes: characters, or whole words.
        rate: Samples per second that every recording is brought to.
    """
    if words[0] > words[1] or pause[0] > pause[1]:
        raise SettingsError("the smaller number comes first", got=f"words {list(words)}, pause {list(pause)}", where="dataset")
    wanted = (*([speaker] if speaker else []), *sensitive, *([split["column"]] if split and "column" in split else []))
    read, notes = read_transcripts(path, metadata, (file_column, text_column), tuple(dict.fromkeys(wanted)), rate)
    files = read.files
    division = division_of(split, files, seed=seed, cells=Cells(), shares=(0.1, 0.1))[1]
    of = files[speaker].fillna(MISSING) if speaker else pd.Series(["anyone"] * len(files))
    _check_groups(files, of, sensitive, speaker)
    parts = divide(files["text"], division, None if division.together is None else Cells().texts(files[division.together]))
    generator = np.random.default_rng([seed, 0x501E5])
    drawn: dict[Part, list[Sequence]] = {
        part: list(_sequences(rows, of, words, (pause[0] * rate, pause[1] * rate), rounds if part == "train" else 1, generator))
        for part, rows in parts.items()
    }
    sequences = tuple(sequence for part in drawn.values() for sequence in part)
    if not sequences:
        raise DataError("no speaker has enough recordings for a sequence", got=f"{len(files)} recordings", where="dataset.words")
    lead = round(_LEAD * rate)
    room = max(sum(s.pauses) + sum(len(read.sounds[place]) for place in s.recordings) for s in sequences) + lead
    first = [sequence.recordings[0] for sequence in sequences]
    groups = files[list(sensitive)].fillna(MISSING).astype(object).iloc[first].reset_index(drop=True) if sensitive else None
    whole = Utterances(
        clips=JoinedClips(read.sounds, sequences, room),
        transcripts=tuple(" ".join(files["text"].iloc[place].lower() for place in s.recordings) for s in sequences),
        rows=np.arange(len(sequences)),
        groups=groups,
    )
    ends = np.cumsum([0, *map(len, drawn.values())])
    places = {part: np.arange(start, stop) for part, start, stop in zip(drawn, ends, ends[1:], strict=False)}
    counts = ", ".join(f"{len(sequences):,} {part}" for part, sequences in drawn.items())
    return speech_data(
        whole,
        places,
        rate=rate,
        spelling=spelling,
        source=Path(path).name,
        split=f"{division.how}, recordings before they are joined",
        notes=(*notes, *read.notes, f"{len(files):,} recordings are joined into sequences of {words[0]} to {words[1]}: {counts}"),
        treatments=division.treatments(parts),
    )


def _sequences(
    rows: np.ndarray,
    of: pd.Series,
    words: tuple[int, int],
    pause: tuple[float, float],
    rounds: int,
    generator: np.random.Generator,
) -> Iterator[Sequence]:
    """Yield sequences of each speaker's recordings in random order; what is left at the end is too short for one."""
    for _ in range(rounds):
        for _, group in pd.Series(rows).groupby(of.iloc[rows].to_numpy(), sort=True):
            order = generator.permutation(group.to_numpy())
            at = 0
            while (many := int(generator.integers(words[0], words[1] + 1))) <= len(order) - at or len(order) - at >= words[0]:
                chosen = order[at : at + many]
                at += len(chosen)
                pauses = generator.uniform(*pause, size=len(chosen)).round().astype(int)
                yield Sequence(recordings=tuple(map(int, chosen)), pauses=tuple(map(int, pauses)))


def _check_groups(files: pd.DataFrame, of: pd.Series, sensitive: tuple[str, ...], speaker: str | None) -> None:
    for name in sensitive:
        mixed = files[name].fillna(MISSING).groupby(of).nunique()
        if (mixed > 1).any():
            raise DataError(
                f"'{name}' differs among recordings that are joined",
                got=f"{mixed.max()} values of one speaker",
                where="dataset.sensitive",
                fix="audit by what a speaker has one value of" if speaker else "name the column of speakers in dataset.speaker",
            )
