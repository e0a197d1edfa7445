"""Corruptions that happen to rows of each kind."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from glassbench.contracts.data import Encoder, Split
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_pieces import TextReader
from glassbench_audits.robustness.perturbation import Change, Perturbation
from glassbench_audits.robustness.scales import Scale

SHARES = (0.05, 0.1, 0.2, 0.4)
DEVIATIONS = (0.05, 0.1, 0.25, 0.5)
PIXELS = (0.02, 0.05, 0.1, 0.2)


def corruptions(subject: Subject, source: Split, scale: Scale | None) -> Iterator[Perturbation]:
    """Yield the corruptions that fit the rows of a subject."""
    layout = subject.schema.layout
    if isinstance(subject.encoder, TextReader) and source.raw is not None and subject.encoder.text in source.raw:
        for name, change in (("typos", typos), ("dropped words", dropped_words)):
            yield _shares(name, _rewritten(subject.encoder, change), "of the words")
    if scale is None:
        return
    if layout.pixels:
        yield from _of_images(scale)
        return
    yield Perturbation(name="noise", strengths=DEVIATIONS, judged=1, unit=scale.words, apply=noise(scale))
    if layout.measured:
        yield _shares("gaps", gaps(scale), "of the steps")
    else:
        yield Perturbation(name="shift", strengths=DEVIATIONS, judged=1, unit=scale.words, apply=shift(scale))
        yield _shares("missing values", missing(subject, scale), "of the values")


def noise(scale: Scale) -> Change:
    """Return the change that adds normal noise."""

    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        rows = _rows(source)
        drawn = torch.as_tensor(generator.normal(size=tuple(rows.shape)), dtype=rows.dtype)
        return with_rows(source, (rows + strength * scale.unit * drawn).clamp(scale.low, scale.high))

    return apply


def shift(scale: Scale) -> Change:
    """Return the change that moves every number of all rows in the same direction, up or down for each number by chance."""

    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        rows = _rows(source)
        signs = torch.as_tensor(generator.choice([-1.0, 1.0], size=tuple(rows.shape[1:])), dtype=rows.dtype)
        return with_rows(source, (rows + strength * scale.unit * signs).clamp(scale.low, scale.high))

    return apply


def missing(subject: Subject, scale: Scale) -> Change:
    """Return the change that takes values away: in the raw rows, read again, where these are known; else means stand in."""
    names = [feature.name for feature in subject.schema.features]

    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        if subject.encoder is not None and source.raw is not None and names and set(names) <= set(source.raw.columns):
            return _encoded(subject.encoder, source, _without(source.raw, names, strength, generator))
        rows = _rows(source)
        gone = torch.as_tensor(generator.random(tuple(rows.shape)) < strength) & (scale.unit > 0)
        return with_rows(source, torch.where(gone, scale.centre.to(rows.dtype), rows))

    return apply


def gaps(scale: Scale) -> Change:
    """Return the change that blanks one stretch of each series or sound, somewhere by chance."""

    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        rows = _rows(source).clone()
        steps = rows.shape[1]
        length = max(1, round(strength * steps))
        for row, start in enumerate(generator.integers(0, max(1, steps - length + 1), size=len(rows))):
            rows[row, start : start + length] = scale.centre.to(rows.dtype)
        return with_rows(source, rows)

    return apply


def blur(rows: Tensor, sigma: float) -> Tensor:
    """Return images `(n, channels, height, width)` blurred by a Gaussian of so many pixels; edges are repeated."""
    reach = max(1, round(3 * sigma))
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=rows.dtype) / sigma) ** 2)
    line, channels = line / line.sum(), rows.shape[1]
    for shape, padding in (((1, -1), (reach, reach, 0, 0)), ((-1, 1), (0, 0, reach, reach))):
        kernel = line.reshape(1, 1, *shape).repeat(channels, 1, 1, 1)
        rows = functional.conv2d(functional.pad(rows, padding, mode="replicate"), kernel, groups=channels)
    return rows


def typos(text: str, share: float, generator: np.random.Generator) -> str:
    """Return a text in which a share of the words of two letters or more have two neighbouring letters exchanged."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 1 and generator.random() < share:
            at = int(generator.integers(len(word) - 1))
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def dropped_words(text: str, share: float, generator: np.random.Generator) -> str:
    """Return a text without a share of its words; one is left."""
    words = text.split()
    kept = [word for word in words if generator.random() >= share]
    return " ".join(kept or words[:1])


def with_rows(source: Split, rows: Tensor) -> Split:
    """Return a split with other inputs."""
    return replace(source, inputs=(rows,))


def _of_images(scale: Scale) -> Iterator[Perturbation]:
    yield Perturbation(name="noise", strengths=PIXELS, judged=1, unit=scale.words, apply=noise(scale))

    def blurred(source: Split, strength: float, _: np.random.Generator) -> Split:
        return with_rows(source, blur(_rows(source), strength))

    yield Perturbation(name="blur", strengths=(0.3, 0.5, 1.0, 2.0), judged=1, unit="pixels", apply=blurred)

    def brighter(source: Split, strength: float, _: np.random.Generator) -> Split:
        return with_rows(source, (_rows(source) + strength * scale.unit).clamp(scale.low, scale.high))

    yield Perturbation(name="brightness", strengths=PIXELS, judged=1, unit=scale.words, apply=brighter)

    def paler(source: Split, strength: float, _: np.random.Generator) -> Split:
        rows = _rows(source)
        middle = rows.mean(dim=tuple(range(1, rows.ndim)), keepdim=True)
        return with_rows(source, middle + (1 - strength) * (rows - middle))

    yield Perturbation(name="lost contrast", strengths=(0.1, 0.25, 0.5, 0.75), judged=1, unit="of the contrast", apply=paler)


def _shares(name: str, change: Change, unit: str) -> Perturbation:
    return Perturbation(name=name, strengths=SHARES, judged=1, unit=unit, apply=change)


def _rows(source: Split) -> Tensor:
    assert isinstance(source.inputs, tuple)
    return source.inputs[0]


def _rewritten(reader: TextReader, change: Callable[[str, float, np.random.Generator], str]) -> Change:
    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        assert source.raw is not None
        texts = [change(str(text), strength, generator) for text in source.raw[reader.text]]
        raw = source.raw.assign(**{reader.text: texts})
        return replace(source, inputs=reader.encode(raw).inputs, raw=raw)

    return apply


def _without(raw: pd.DataFrame, names: list[str], share: float, generator: np.random.Generator) -> pd.DataFrame:
    changed = raw.reset_index(drop=True).copy()
    for name in names:
        gone = generator.random(len(changed)) < share
        column = changed[name].astype(float) if pd.api.types.is_numeric_dtype(changed[name]) else changed[name].astype(object)
        changed[name] = column.mask(gone, np.nan if pd.api.types.is_float_dtype(column) else None)
    return changed


def _encoded(encoder: Encoder, source: Split, raw: pd.DataFrame) -> Split:
    return replace(source, inputs=encoder.encode(raw).inputs, raw=raw)
