"""Looking at a folder of sound files."""

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassbench.experiments.folder_inspection import FolderInspection, inspect_folder
from glassbench.toolkit.reading.labelled_files import described, labelled_files
from glassbench_plugins.audio.clips import read_sound
from glassbench_plugins.audio.endings import ENDINGS

_MOST_SECONDS = 10.0


def inspect_sounds(path: Path, settings: Mapping[str, Any]) -> FolderInspection:
    """Look at a folder of sounds in folders of their classes.

    Clips are proposed as long as nine of ten files at most, at the rate of most files.

    Args:
        path: The folder.
        settings: The column of a table's classes as `target`, where it was named.

    Raises:
        DataError: It holds no sounds with classes.
    """
    labelled = labelled_files(path, ENDINGS, "sounds", settings.get("target"))
    found = inspect_folder(path, labelled.files, ENDINGS, _look, holds="sounds", dataset="wav-folder", model="spectrogram-cnn")
    found = described(found, labelled)
    rates, lengths = found.numbers.get("samples per second", ()), found.numbers.get("seconds", ())
    if not rates:
        return found
    seconds = min(_MOST_SECONDS, math.ceil(10 * float(np.quantile(lengths, 0.9))) / 10)
    return found.having(rate=int(Counter(rates).most_common(1)[0][0]), seconds=seconds)


def _look(path: Path) -> dict[str, str | float]:
    """Read a sound and say how long it is, at which rate and of how many channels."""
    sound, rate = read_sound(path)
    return {"seconds": round(len(sound) / rate, 3), "samples per second": rate, "channels": sound.shape[1]}
