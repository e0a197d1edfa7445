"""From clips with transcripts to data ready for training and judging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Data, Lazy, Split, Treatment
from glassbench.contracts.facts import AudioFacts
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.toolkit.splits.splits import Part
from glassbench_plugins.speech.alphabet import Alphabet, Spelling

TRANSCRIPT = "transcript"
"""What the target is called, and the column of raw rows that holds the truth."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Utterances:
    """Clips and what is said in them.

    Args:
        clips: Samples `(n, samples)`, float32, or clips that are made when they are asked for.
        transcripts: What is said in each.
        rows: Row ids `(n,)`.
        groups: One text column per sensitive feature, or None.
        clusters: What each belongs to `(n,)`, or None.
    """

    clips: np.ndarray | Lazy
    transcripts: tuple[str, ...]
    rows: np.ndarray
    groups: pd.DataFrame | None = None
    clusters: np.ndarray | None = None

    def split(self, rows: np.ndarray, target: Tensor) -> Split:
        """Return some of the utterances `(k,)` with their encoded transcripts `(n, t)`."""
        inputs = (torch.from_numpy(self.clips[rows]),) if isinstance(self.clips, np.ndarray) else taken(self.clips, rows)
        return Split(
            inputs=inputs,
            rows=self.rows[rows],
            target=target[torch.as_tensor(rows)],
            groups=None if self.groups is None else self.groups.iloc[rows].reset_index(drop=True),
            raw=pd.DataFrame({TRANSCRIPT: [self.transcripts[row] for row in rows]}),
            clusters=None if self.clusters is None else self.clusters[rows],
        )


class SomeClips:
    """Some of the rows of lazy inputs.

    Args:
        inputs: All of them.
        rows: Which ones, by position `(k,)`.
    """

    def __init__(self, inputs: Lazy, rows: np.ndarray) -> None:
        self.inputs = inputs
        self.rows = rows

    def fingerprint(self) -> str:
        """Return a text that changes with what is read and with which rows are taken."""
        whole = getattr(self.inputs, "fingerprint", lambda: "")()
        return f"{whole} {self.rows.tolist()}"

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Read one row."""
        return self.inputs[int(self.rows[index])]


def taken(inputs: Lazy, rows: np.ndarray) -> Lazy:
    """Return some rows of lazy inputs, still lazy."""
    return SomeClips(inputs, rows)


def speech_data(
    whole: Utterances,
    parts: Mapping[Part, np.ndarray],
    *,
    rate: int,
    spelling: Spelling,
    source: str,
    split: str,
    notes: Sequence[str] = (),
    treatments: Sequence[Treatment] = (),
    conditions: Sequence[str] = (),
) -> Data:
    """Learn the symbols of the training transcripts, and encode all.

    Args:
        whole: The utterances.
        parts: Row positions per part.
        rate: Samples per second.
        spelling: What a symbol is.
        source: Where they come from.
        split: How they were divided, to be said behind "divided".
        notes, treatments: What was done to them before.
        conditions: Sensitive features that nobody belongs to.

    Raises:
        DataError: A part is empty, or a transcript holds what no training transcript holds.
    """
    for part in ("train", "test"):
        if not len(parts.get(part, ())):
            raise DataError(f"there is no utterance for '{part}'", where="dataset.split")
    alphabet = Alphabet.of([whole.transcripts[row] for row in parts["train"]], spelling)
    target = alphabet.encode(whole.transcripts)
    splits = {part: whole.split(rows, target) for part, rows in parts.items()}
    validation = splits.get("validation")
    first = next(iter(splits["train"].batch(slice(0, 1)).inputs))
    schema = Schema(
        modality="audio",
        shape=(first.shape[1],),
        target=Target(name=TRANSCRIPT, kind="sequence", classes=alphabet.symbols),
        sensitive=() if whole.groups is None else tuple(map(str, whole.groups.columns)),
        conditions=tuple(conditions),
        unit="utterance",
        facts=AudioFacts(rate=rate, spelling=spelling),
    )
    return Data(
        schema=schema,
        train=splits["train"],
        validation=validation if validation is not None and len(validation) else None,
        test=splits["test"],
        source=source,
        split=split,
        treatments=tuple(treatments),
        notes=(*notes, f"{len(alphabet.symbols) - 1} {spelling} learnt from the training transcripts, and a blank"),
    )
