"""Whether the variety of each class is there: held-out rows that generated rows reach, beside those that training rows reach."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.generating import GeneratesRows
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import share
from glassbench.stats.manifold import drawn_reach
from glassbench.stats.p_values import holm
from glassbench.stats.sampling import Sampling
from glassbench_audits.samples.unlearnt import Unlearnt, unlearnt

FEWEST = 10
"""Held-out rows of a class below which nothing is said of its variety."""
DRAWS, POOL = 1000, 2000
"""Draws of training rows, and the most rows of a class that are drawn from."""

Measured = Literal["coverage", "recall"]


@dataclass(frozen=True, kw_only=True)
class Reached:
    """The share of the held-out rows of a class that generated rows reach.

    Args:
        measured: `coverage` (a generated row is near) or `recall` (it lies among the generated rows).
        model: The share.
        training: The mean share with as many training rows of the class in place of generated ones, and between which ends most
            draws of them lie: what can be expected of a model that has learnt the class.
        gap: By how much training rows reach more; None where there is no row.
        p: Share of the draws that reach as little, corrected for all classes and both measures; NaN where there are too few rows.
    """

    measured: Measured
    model: Estimate
    training: Estimate
    gap: float | None
    p: float


@dataclass(frozen=True, kw_only=True)
class Variety:
    """The generated rows of one class.

    Args:
        name: The class.
        recognised: Share of them in which the independent classifier sees it.
        coverage, recall: How much of its variety they reach.
    """

    name: str
    recognised: Estimate
    coverage: Reached
    recall: Reached

    @property
    def worst(self) -> Reached:
        """The measure that speaks more surely of lost variety."""
        return min((self.recall, self.coverage), key=lambda one: one.p if np.isfinite(one.p) else 2.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Pair:
    """What generated rows of a class reach, and what training rows in their place do.

    Args:
        model: Which held-out rows generated rows reach, 0 or 1 `(n,)`.
        drawn: The share that each draw of training rows reaches `(draws,)`.
    """

    model: np.ndarray
    drawn: np.ndarray


def variety(subject: Subject, level: float) -> list[Variety]:
    """Return the variety of each class, in the order of the classes; classes without rows are left out.

    Args:
        subject: A model that generates rows, with its training rows.
        level: Confidence level.
    """
    made = subject.generated_output
    assert made is not None
    wanted, pairs = made.wanted.to_numpy(), _pairs(subject)
    names = list(dict.fromkeys(name for name, _ in pairs))
    corrected = dict(zip(pairs, holm(np.array([_p(pair) for pair in pairs.values()])), strict=True))

    def reached(name: str, measured: Measured) -> Reached:
        return _reached(measured, pairs[name, measured], float(corrected[name, measured]), level)

    return [
        Variety(
            name=name,
            recognised=recognised_share(made.seen[wanted == name], made.wanted[wanted == name], level),
            coverage=reached(name, "coverage"),
            recall=reached(name, "recall"),
        )
        for name in names
    ]


def lacking(subject: Subject) -> list[Unlearnt]:
    """Return how far the training rows of each class lack a variety that its held-out rows have.

    Args:
        subject: A model that generates rows, with its training rows.
    """
    made, train, source = subject.generated_output, subject.train, subject.predictions.source
    assert made is not None
    assert train is not None
    assert train.target is not None
    assert source is not None
    wanted, codes, chance = made.wanted.to_numpy(), train.target.numpy(), subject.generator("samples.unlearnt")
    classes = {}
    for number, name in enumerate(subject.schema.target.classes):
        rows, learnt = np.flatnonzero(wanted == name), chance.permutation(np.flatnonzero(codes == number))[:POOL]
        if len(rows) and len(learnt):
            classes[name] = (_features(subject, source, rows), _features(subject, train, learnt))
    return unlearnt(classes, FEWEST, chance)


def recognised_share(seen: pd.Series, wanted: pd.Series, level: float) -> Estimate:
    """Return the share of generated rows in which a classifier sees the wanted class."""
    right = (seen.to_numpy() == wanted.to_numpy()).astype(bool)
    return share(right, Sampling(weight=np.ones(len(right)))).estimate(level)


def _pairs(subject: Subject) -> dict[tuple[str, Measured], _Pair]:
    made, train, source = subject.generated_output, subject.train, subject.predictions.source
    assert made is not None
    assert train is not None
    assert train.target is not None
    assert source is not None
    wanted, codes = made.wanted.to_numpy(), train.target.numpy()
    chance = subject.generator("samples.training")
    found: dict[tuple[str, Measured], _Pair] = {}
    for number, name in enumerate(subject.schema.target.classes):
        rows, learnt = np.flatnonzero(wanted == name), np.flatnonzero(codes == number)
        if not len(rows) or not len(learnt):
            continue
        pool = chance.permutation(learnt)[:POOL]
        drawn = training_reach(_features(subject, source, rows), _features(subject, train, pool), chance)
        found[name, "coverage"] = _Pair(model=made.covered[rows], drawn=drawn[0])
        found[name, "recall"] = _Pair(model=made.recalled[rows], drawn=drawn[1])
    return found


def training_reach(real: np.ndarray, training: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Return coverage and recall of held-out rows by many draws of as many training rows, `(2, draws)`.

    Args:
        real: Features of the held-out rows of a class `(n, d)`.
        training: Features of its training rows `(m, d)`; with fewer than held-out rows all are drawn each time.
        chance: Source of the draws.
    """
    if min(len(real), len(training)) < 2:
        return np.full((2, 1), np.nan)
    count = DRAWS if len(training) > len(real) else 1
    return drawn_reach(real, training, [chance.permutation(len(training))[: len(real)] for _ in range(count)])


def _features(subject: Subject, split: Split, rows: np.ndarray) -> np.ndarray:
    assert isinstance(subject.task, GeneratesRows)
    inputs = split.take(rows).batch(slice(None)).inputs[0]
    return np.asarray(subject.task.judged_rows(inputs)[0].numpy(), dtype=np.float64)


def _reached(measured: Measured, pair: _Pair, p: float, level: float) -> Reached:
    known = pair.model[np.isfinite(pair.model)]
    sampling = Sampling(weight=np.ones(len(known)))
    model, expected = share(known > 0, sampling).estimate(level), float(pair.drawn.mean())
    ends = np.quantile(pair.drawn, [(1 - level) / 2, (1 + level) / 2])
    training = Estimate.of(expected, float(ends[0]), float(ends[1]), level=level, n=len(known))
    return Reached(
        measured=measured, model=model, training=training, gap=expected - float(known.mean()) if len(known) else None, p=p
    )


def _p(pair: _Pair) -> float:
    """Return the share of draws of training rows that reach as little as the generated rows."""
    if np.isfinite(pair.model).sum() < FEWEST or len(pair.drawn) < DRAWS:
        return float("nan")
    return float((1 + (pair.drawn <= np.nanmean(pair.model) + 1e-9).sum()) / (1 + DRAWS))
