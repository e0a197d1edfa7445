"""Sound files that a table lists, read as clips, and what was done to them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.errors import DataError, shorten
from glassbench_plugins.audio.clips import Changes, ClipsOnDisk, Format, check_sound, read_clip, read_sound, resampled

_NAMED = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class ReadFiles:
    """Files that can be read, and what was done to them.

    Args:
        files: Columns `file`, `label` and those of the metadata that were asked for.
        inputs: The clips.
        notes: What was done.
    """

    files: pd.DataFrame
    inputs: tuple[Tensor, ...] | ClipsOnDisk
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class ReadSounds:
    """Sounds of any length.

    Args:
        files: The rows of the table whose file can be read.
        sounds: Samples of each `(samples,)`, float32.
        notes: What was done.
    """

    files: pd.DataFrame
    sounds: tuple[np.ndarray, ...]
    notes: tuple[str, ...]


def read_sounds(root: Path, listed: pd.DataFrame, rate: int) -> ReadSounds:
    """Read sound files whole: channels averaged and resampled. Those that cannot be read are skipped and named.

    Args:
        root: The folder.
        listed: Files in the column `file`, relative to the folder.
        rate: Samples per second that all are brought to.

    Raises:
        DataError: No file can be read.
    """
    listed = listed.reset_index(drop=True)
    sounds, other, mixed, broken = list[np.ndarray](), 0, 0, dict[int, str]()
    for place, name in enumerate(listed["file"]):
        try:
            sound, had = read_sound(root / name)
        except DataError as error:
            broken[place] = f"{name} ({_reason(error, name)})"
            continue
        sounds.append(resampled(sound.mean(axis=1), had, rate))
        other, mixed = other + (had != rate), mixed + (sound.shape[1] > 1)
    kept = _kept(listed, broken)
    counts = {f"resampled to {rate:,} Hz": other, "mixed from several channels": mixed}
    notes = [f"{count:,} of {len(sounds):,} files were {what}." for what, count in counts.items() if count]
    return ReadSounds(files=kept, sounds=tuple(sounds), notes=(*notes, *_skipped(list(broken.values()))))


def read_files(root: Path, listed: pd.DataFrame, form: Format, keep: Literal["memory", "disk"]) -> ReadFiles:
    """Read sound files as clips of one length, or leave them on disk. Those that cannot be read are skipped and named.

    Args:
        root: The folder.
        listed: Files in the column `file`, relative to the folder.
        form: What clips are brought to.
        keep: Where they are while training.

    Raises:
        DataError: No file can be read.
    """
    listed = listed.reset_index(drop=True)
    clips, changes, broken = list[np.ndarray](), list[Changes](), dict[int, str]()
    for place, name in enumerate(listed["file"]):
        try:
            if keep == "disk":
                check_sound(root / name)
                continue
            clip, change = read_clip(root / name, form)
            clips.append(clip)
            changes.append(change)
        except DataError as error:
            broken[place] = f"{name} ({_reason(error, name)})"
    kept = _kept(listed, broken)
    notes = _notes(changes, list(broken.values()), form)
    if keep == "disk":
        return ReadFiles(files=kept, inputs=ClipsOnDisk(tuple(root / name for name in kept["file"]), form), notes=notes)
    return ReadFiles(files=kept, inputs=(torch.from_numpy(np.stack(clips)),), notes=notes)


def _kept(listed: pd.DataFrame, broken: Mapping[int, str]) -> pd.DataFrame:
    kept = listed.drop(index=list(broken)).reset_index(drop=True)
    if kept.empty:
        raise DataError("no sound file can be read", got=shorten(list(broken.values()), 3), where="dataset.path")
    return kept


def _reason(error: DataError, name: str) -> str:
    """Return why a file is broken, in few words and without where it lies."""
    text = str(error.got or error.problem).rpartition(": ")[2]
    return text.replace(name, "").strip(" .'") or "cannot be read"


def _notes(changes: Sequence[Changes], broken: Sequence[str], form: Format) -> tuple[str, ...]:
    counts = Counter(name for change in changes for name, done in vars(change).items() if done)
    words = {
        "resampled": f"resampled to {form.rate:,} Hz",
        "mixed": "mixed from several channels",
        "padded": f"followed by silence up to {form.samples / form.rate:g} s",
        "cropped": f"cut to the middle {form.samples / form.rate:g} s",
    }
    notes = [f"{counts[name]:,} of {len(changes):,} files were {text}." for name, text in words.items() if counts[name]]
    return (*notes, *_skipped(broken))


def _skipped(broken: Sequence[str]) -> list[str]:
    if not broken:
        return []
    more = f", and {len(broken) - _NAMED:,} more" if len(broken) > _NAMED else ""
    return [f"{len(broken):,} files cannot be read and are skipped: {'; '.join(broken[:_NAMED])}{more}."]


def taken(inputs: tuple[Tensor, ...] | ClipsOnDisk, rows: np.ndarray) -> tuple[Tensor, ...] | ClipsOnDisk:
    """Return some of the clips, by position `(k,)`."""
    if isinstance(inputs, ClipsOnDisk):
        return ClipsOnDisk(tuple(inputs.paths[row] for row in rows), inputs.form)
    return tuple(tensor[torch.as_tensor(rows)] for tensor in inputs)
