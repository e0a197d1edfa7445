"""What the class changes in generated rows: the same noise under every class."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.generating import GeneratesRows
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import from_influence
from glassbench.stats.sampling import Sampling

_SEED = 404


@dataclass(frozen=True, eq=False, kw_only=True)
class Effect:
    """What generated rows owe to their class.

    Args:
        rows: The rows made, float32 `(noises, classes, ...)`: in each line the same noise under every class.
        by_class: Share of the variance that the class alone explains.
        by_noise: Share that the noise alone explains.
        maps: What each class changes: the mean of its rows less the mean over all classes `(classes, ...)`.
        real: The same of held-out rows `(classes, ...)`; NaN where a class has none.
        agreement: Correlation of both for each class, with an interval over noises.
    """

    rows: np.ndarray
    by_class: Estimate
    by_noise: Estimate
    maps: np.ndarray
    real: np.ndarray
    agreement: tuple[Estimate, ...]


def effect(subject: Subject, *, noises: int, level: float) -> Effect:
    """Make rows from the same noise under every class, and take apart what they owe to class and noise.

    The shares are those of a two-way analysis of variance over all encoded columns; what is left is what the class does
    differently from noise to noise. Noises are left out one at a time for the intervals (jackknife).

    Args:
        subject: A model whose task generates rows.
        noises: How many noises.
        level: Confidence level.
    """
    rows = _made(subject, noises)
    flat = rows.reshape(*rows.shape[:2], -1).astype(np.float64)
    real = _real_maps(subject)
    left = [np.delete(flat, place, axis=0) for place in range(len(flat))]
    shares = [_jackknife(_shares(flat)[k], [_shares(each)[k] for each in left], level) for k in (0, 1)]
    whole, each = _agreement(flat, real), np.stack([_agreement(part, real) for part in left])
    agreement = tuple(_jackknife(float(whole[k]), each[:, k].tolist(), level, lowest=-1.0) for k in range(len(real)))
    maps = _maps(flat).reshape(rows.shape[1:])
    shaped = real.reshape(rows.shape[1:])
    return Effect(rows=rows, by_class=shares[0], by_noise=shares[1], maps=maps, real=shaped, agreement=agreement)


def _made(subject: Subject, noises: int) -> np.ndarray:
    task, classes = subject.task, len(subject.schema.target.classes)
    assert isinstance(task, GeneratesRows)
    noise = task.noise(subject.model, noises, _SEED + subject.seed)
    wanted = torch.arange(classes).repeat(noises)
    made = task.generated_rows(subject.model, wanted, noise.repeat_interleave(classes, dim=0))
    return np.asarray(made.reshape(noises, classes, *made.shape[1:]).numpy())


def _real_maps(subject: Subject) -> np.ndarray:
    source = subject.predictions.source
    made = subject.generated_output
    assert source is not None
    assert made is not None
    inputs: Tensor = source.batch(slice(None)).inputs[0]
    names = subject.schema.target.classes
    rows, codes = inputs.flatten(1).double().numpy(), pd.Index(names).get_indexer(pd.Index(made.wanted))
    classes = range(len(names))
    means = np.stack([rows[codes == k].mean(axis=0) if (codes == k).any() else np.full(rows.shape[1], np.nan) for k in classes])
    return np.asarray(means - np.nanmean(means, axis=0))


def _maps(flat: np.ndarray) -> np.ndarray:
    means = flat.mean(axis=0)
    return np.asarray(means - means.mean(axis=0))


def _shares(flat: np.ndarray) -> tuple[float, float]:
    """Return the shares of the variance by class and by noise, of rows `(noises, classes, d)`."""
    whole = flat.mean(axis=(0, 1))
    total = float(((flat - whole) ** 2).sum()) or 1.0
    noises, classes = flat.shape[:2]
    by_class = noises * float(((flat.mean(axis=0) - whole) ** 2).sum())
    by_noise = classes * float(((flat.mean(axis=1) - whole) ** 2).sum())
    return by_class / total, by_noise / total


def _agreement(flat: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return the correlation of each class's map with the real one `(classes,)`, NaN where one of them is flat or not known."""
    made = _maps(flat)
    a, b = made - made.mean(axis=1, keepdims=True), real - real.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray(np.where(size > 0, (a * b).sum(axis=1) / np.where(size > 0, size, 1), np.nan))


def _jackknife(value: float, left: list[float], level: float, lowest: float = 0.0) -> Estimate:
    n = len(left)
    influence = (n - 1) * (np.mean(left) - np.asarray(left))
    return from_influence(value, influence, Sampling(weight=np.ones(n)), lowest=lowest, highest=1.0).estimate(level)
