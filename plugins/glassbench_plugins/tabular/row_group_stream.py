"""The training rows of Parquet files, read row group by row group."""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.learner import epoch_seed
from glassbench.toolkit.reading.row_groups import RowGroups
from glassbench.toolkit.table.encoder import TableEncoder

TRAIN, VALIDATION, TEST, SAMPLE = range(4)
_SLICE = 65_536
"""Rows that are encoded at a time: enough to be fast, few enough that what is made on the way stays small."""
_READ = 2**20


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What each row is for, drawn for each row group from the seed and the group's place alone.

    Args:
        seed: Seed.
        validation, test, sample: Shares of the rows; rows of the sample are training rows.
    """

    seed: int
    validation: float
    test: float
    sample: float

    def parts(self, place: int, rows: int) -> np.ndarray:
        """Return the purpose of each row of a group, int64 `(rows,)`: TRAIN, VALIDATION, TEST or SAMPLE."""
        drawn = np.random.default_rng([self.seed, place]).random(rows)
        bounds = np.cumsum([self.test, self.validation, self.sample])
        parts: np.ndarray = np.array([TEST, VALIDATION, SAMPLE, TRAIN])[np.searchsorted(bounds, drawn, side="right")]
        return parts

    def learnt(self, place: int, rows: int) -> np.ndarray:
        """Return which rows of a group are training rows, truth values `(rows,)`."""
        parts = self.parts(place, rows)
        return np.isin(parts, (TRAIN, SAMPLE))


@dataclass(frozen=True, eq=False, kw_only=True)
class RowGroupStream:
    """Training rows in parts of whole row groups, which are drawn in a new order for each epoch.

    Args:
        groups: The row groups.
        draw: Which rows are training rows.
        encoder: Measured on the training rows.
        rows: How many training rows have a truth.
        buffer: Rows of a part, about: rows are mixed within a part.
    """

    groups: RowGroups
    draw: Draw
    encoder: TableEncoder
    rows: int
    buffer: int

    @cached_property
    def per_part(self) -> int:
        """Row groups of a part."""
        return max(1, round(self.buffer / (self.groups.total / len(self.groups))))

    @property
    def parts(self) -> int:
        """Parts of an epoch."""
        return math.ceil(len(self.groups) / self.per_part)

    @property
    def columns(self) -> list[str]:
        """The columns that are read."""
        return list(dict.fromkeys([*(code.name for code in self.encoder.inputs), *filter(None, [self.encoder.target])]))

    def part(self, seed: int, epoch: int, number: int) -> Split | None:
        """Read the row groups of a part and encode their training rows."""
        order = np.random.default_rng(epoch_seed(seed, epoch)).permutation(len(self.groups))
        places = order[number * self.per_part : (number + 1) * self.per_part]
        if not len(places):
            return None
        read = [self._read(int(place)) for place in places]
        return Split(
            inputs=(torch.cat([inputs for inputs, _, _ in read]),),
            target=torch.cat([target for _, target, _ in read]),
            rows=np.concatenate([rows for _, _, rows in read]),
        )

    def fingerprint(self) -> str:
        """Return the SHA-256 of the files, and which rows are for training."""
        digest = hashlib.sha256(str(self.draw).encode())
        for path in self.groups.files:
            with path.open("rb") as file:
                while block := file.read(_READ):
                    digest.update(block)
        return digest.hexdigest()

    def _read(self, place: int) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
        """Return inputs, truths and row numbers of a group's training rows whose truth is known."""
        frame = self.groups.frame(place, self.columns)
        learnt = np.flatnonzero(self.draw.learnt(place, len(frame)))
        coded = [self._encoded(frame.iloc[learnt[start : start + _SLICE]]) for start in range(0, len(learnt), _SLICE)]
        inputs = torch.cat([one for one, _ in coded]) if coded else torch.empty(0, self.encoder.width)
        target = torch.cat([one for _, one in coded]) if coded else torch.empty(0)
        known = torch.isfinite(target) if target.is_floating_point() else target >= 0
        rows = self.groups.first_row(place) + learnt
        return (inputs, target, rows) if bool(known.all()) else (inputs[known], target[known], rows[known.numpy()])

    def _encoded(self, rows: pd.DataFrame) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, target = self.encoder.tensors(rows)
        unknown = torch.full((len(rows),), -1) if self.encoder.classes else torch.full((len(rows),), math.nan)
        return inputs, unknown if target is None else target
