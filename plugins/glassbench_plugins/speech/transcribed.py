"""Sound files with a table of what is said in them, as a data set."""

from pathlib import Path

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError, SettingsError
from glassbench.stats.settings_types import Count, PositiveNumber
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.reading.labelled_files import listed_files
from glassbench.toolkit.reading.tables import Format, read_table
from glassbench.toolkit.splits.clusters import clusters_of, kept_together
from glassbench.toolkit.splits.split_by import SplitBy, division_of
from glassbench.toolkit.splits.splits import divide
from glassbench_plugins.audio.endings import ENDINGS
from glassbench_plugins.audio.listed_clips import ReadSounds, read_sounds
from glassbench_plugins.speech.alphabet import Spelling
from glassbench_plugins.speech.assembly import Utterances, speech_data


def wav_transcripts(
    seed: int,
    *,
    path: str,
    metadata: str,
    file_column: str = "file",
    text_column: str = "text",
    sensitive: tuple[str, ...] = (),
    cluster: str | None = None,
    split: SplitBy | None = None,
    spelling: Spelling = "characters",
    lowercase: bool = True,
    rate: Count = 16_000,
    seconds: PositiveNumber | None = None,
) -> Data:
    """Sound files (WAV, FLAC, OGG) with a table that says what is said in each.

    Clips are as long as the longest file: silence follows shorter ones. Files of other rates are resampled, and the channels of
    stereo are averaged. Files that cannot be read and rows without a transcript are left out, counted and named.

    Args:
        seed: Seed of the split.
        path: The folder of the sound files.
        metadata: A table (CSV, TSV, Parquet, Excel) with a row per sound file, relative to the current folder.
        file_column: Its column of files, relative to `path`.
        text_column: Its column of transcripts.
        sensitive: Its columns to audit by, such as speaker or device.
        cluster: Its column, such as the speaker, whose files are not independent: they go into the same part, and audits
            resample them together.
        split: How files are divided, as in the data set `wav-folder`: `{by: random, validation: 0.2, test: 0.2}` unless given.
        spelling: What a model writes: characters, or whole words.
        lowercase: Whether transcripts are read in small letters.
        rate: Samples per second that every file is brought to.
        seconds: Length that every file is brought to; longer files are left out, because nobody knows which words a cut would
            take. The longest file decides unless given.
    """
    further = tuple(dict.fromkeys((*sensitive, *(name for name in (cluster, (split or {}).get("column")) if name))))
    read, notes = read_transcripts(path, metadata, (file_column, text_column), further, rate)
    clips, kept, cut = one_length(read.sounds, None if seconds is None else round(rate * seconds), rate)
    files = read.files.iloc[kept].reset_index(drop=True)
    division = division_of(split, files, seed=seed, cells=Cells(), cluster=cluster)[1]
    clusters = clusters_of(files, cluster, Cells())
    texts = files["text"].str.lower() if lowercase else files["text"]
    whole = Utterances(
        clips=clips,
        transcripts=tuple(texts),
        rows=files["file"].to_numpy(dtype=object),
        groups=files[list(sensitive)].fillna(MISSING).astype(object) if sensitive else None,
        clusters=None if clusters.names is None else clusters.names.to_numpy(),
    )
    # Transcripts are seldom twice the same, so there are no classes that every part should have its share of.
    alike = pd.Series(["utterance"] * len(files))
    parts = divide(alike, division, kept_together(files, clusters, cluster, division, Cells()))
    return speech_data(
        whole,
        parts,
        rate=rate,
        spelling=spelling,
        source=Path(path).name,
        split=division.words or "at random",
        notes=(*notes, *read.notes, *cut, *clusters.notes),
        treatments=division.treatments(parts, clusters.names),
    )


def read_transcripts(
    path: str, metadata: str, named: tuple[str, str], further: tuple[str, ...], rate: int
) -> tuple[ReadSounds, tuple[str, ...]]:
    """Return the sounds of a folder with their rows of a table, columns `file`, `text` and further ones, and what was left out.

    Args:
        path: The folder.
        metadata: The table.
        named: Its columns of files and of transcripts.
        further: Other columns that are wanted.
        rate: Samples per second.

    Raises:
        DataError: The folder or a column is not there, a file is named twice, or no file can be read.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise DataError("there is no such folder", got=path, where="dataset.path", fix="paths are relative to the current folder")
    table = read_table(metadata, Format(), "dataset.metadata")
    listed, left_out = listed_files(root, ENDINGS, table, *named, further)
    read = read_sounds(root, listed.rename(columns={"label": "text"}), rate)
    return read, left_out


def one_length(sounds: tuple[np.ndarray, ...], samples: int | None, rate: int) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return sounds followed by silence `(k, samples)`, float32, which of them fit `(k,)`, and how many do not.

    Raises:
        SettingsError: No sound is short enough.
    """
    lengths = np.array([len(sound) for sound in sounds])
    room = int(lengths.max()) if samples is None else samples
    kept = np.flatnonzero(lengths <= room)
    if not len(kept):
        got = f"{room / rate:g} s, and the shortest file has {lengths.min() / rate:.2f} s"
        raise SettingsError("every sound file is longer than a clip", got=got, where="dataset.seconds")
    clips = np.stack([np.pad(sounds[place], (0, room - lengths[place])) for place in kept]).astype(np.float32)
    long = len(sounds) - len(kept)
    return clips, kept, (f"{long:,} files longer than {room / rate:g} s are left out.",) if long else ()
