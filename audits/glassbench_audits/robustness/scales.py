"""How far each input varies, so that a change of one means the same everywhere."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.schema import Schema
from glassbench.contracts.subject import Subject

ROWS = 2000
"""Training rows from which the scale is read."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scale:
    """The scale of the (only) input of a model.

    Args:
        unit: What a change by 1 is on the input's own scale; broadcasts over rows, 0 where nothing may change.
        low, high: The least and the greatest value that can occur, broadcast likewise.
        centre: What stands where nothing is known.
        words: The unit in words.
    """

    unit: Tensor
    low: Tensor
    high: Tensor
    centre: Tensor
    words: str


def scale_of(subject: Subject, source: Split) -> Scale | None:
    """Return the scale of the inputs; None where the model takes no one tensor of numbers.

    Numbers of tables vary by their training rows' standard deviation and categories not at all; pixels between black and white;
    series and sound by the standard deviation of each channel.
    """
    known = subject.train if subject.train is not None and len(subject.train) else source
    sample = known.batch(torch.arange(min(len(known), ROWS))).inputs
    if len(sample) != 1 or not sample[0].is_floating_point():
        return None
    rows = sample[0].detach().cpu()
    if subject.schema.layout.pixels:
        return _pixels(subject.schema.facts_of(ImageFacts), rows)
    if rows.ndim == 2 and subject.schema.layout.columns:
        return _columns(subject.schema, rows)
    axes = tuple(range(rows.ndim - 1)) if subject.schema.layout.channels == "last" else tuple(range(rows.ndim))
    unit, centre = rows.std(dim=axes), rows.mean(dim=axes)
    reach = torch.full_like(unit, torch.inf)
    return Scale(unit=unit, low=-reach, high=reach, centre=centre, words="standard deviations")


def number_slots(schema: Schema, width: int) -> np.ndarray:
    """Return which encoded columns of an encoded row carry a number, bool `(width,)`; all where the schema names no features."""
    columns = np.full(width, not schema.features)
    for feature in schema.features:
        columns[list(feature.columns)] = feature.numeric
    return columns


def _columns(schema: Schema, rows: Tensor) -> Scale:
    unit = rows.std(dim=0) if len(rows) > 1 else torch.ones(rows.shape[1])
    unit = torch.where(torch.as_tensor(number_slots(schema, rows.shape[1])), unit, 0.0)
    reach = torch.full_like(unit, torch.inf)
    return Scale(unit=unit, low=-reach, high=reach, centre=rows.mean(dim=0), words="standard deviations")


def _pixels(facts: ImageFacts | None, rows: Tensor) -> Scale:
    shape = (-1, *([1] * (rows.ndim - 2)))
    scaling = ((0.0,), (1.0,)) if facts is None else (facts.mean, facts.std)
    mean, std = (torch.as_tensor(part, dtype=rows.dtype).reshape(shape) for part in scaling)
    return Scale(
        unit=1 / std,
        low=-mean / std,
        high=(1 - mean) / std,
        centre=torch.zeros_like(mean),
        words="of the way from black to white",
    )
