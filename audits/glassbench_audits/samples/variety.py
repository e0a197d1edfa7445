"""Whether the variety of each class is there: coverage by generated rows beside coverage by training rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from glassbench.contracts.generating import GeneratesRows
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate, too_few
from glassbench.stats.inference import mean, share
from glassbench.stats.manifold import manifold
from glassbench.stats.p_values import holm
from glassbench.stats.sampling import Sampling

FEWEST = 10
"""Held-out rows of a class below which nothing is said of its variety."""


@dataclass(frozen=True, kw_only=True)
class Variety:
    """How far the held-out rows of one class are covered.

    Args:
        name: The class.
        recognised: Share of the generated rows of the class in which the classifier sees it.
        covered: Share of its held-out rows near a generated one.
        training: The same with as many training rows of the class in place of generated ones: what no model can be expected to
            exceed.
        gap: By how much training rows cover more.
        p: Chance of so many more where both cover alike (exact test of McNemar 1947, one-sided), corrected for all classes.
    """

    name: str
    recognised: Estimate
    covered: Estimate
    training: Estimate
    gap: Estimate
    p: float


def variety(subject: Subject, level: float) -> list[Variety]:
    """Return the variety of each class, in the order of the classes; classes without rows are left out.

    Args:
        subject: A model that generates rows, with its training rows.
        level: Confidence level.
    """
    made, train, source = subject.generated_output, subject.train, subject.predictions.source
    assert made is not None
    assert train is not None
    assert train.target is not None
    assert source is not None
    wanted = made.wanted.to_numpy()
    chance = subject.generator("samples.training")
    found: list[tuple[str, np.ndarray, np.ndarray]] = []
    for number, name in enumerate(subject.schema.target.classes):
        rows, learnt = np.flatnonzero(wanted == name), np.flatnonzero(train.target.numpy() == number)
        if not len(rows) or not len(learnt):
            continue
        drawn = chance.choice(learnt, len(rows), replace=len(learnt) < len(rows))
        real, instead = (_features(subject, split, at) for split, at in ((source, rows), (train, drawn)))
        found.append((name, made.covered[rows], manifold(real, instead).covered))
    corrected = holm(np.array([_p(model, training) for _, model, training in found]))
    return [
        Variety(
            name=name,
            recognised=recognised_share(made.seen[wanted == name], made.wanted[wanted == name], level),
            p=float(p),
            **_coverage(model, training, level),
        )
        for (name, model, training), p in zip(found, corrected, strict=True)
    ]


def _features(subject: Subject, split: object, rows: np.ndarray) -> np.ndarray:
    assert isinstance(subject.task, GeneratesRows)
    inputs = split.take(rows).batch(slice(None)).inputs[0]  # type: ignore[attr-defined]
    return np.asarray(subject.task.judged_rows(inputs)[0].numpy(), dtype=np.float64)


def _coverage(model: np.ndarray, training: np.ndarray, level: float) -> dict[str, Estimate]:
    known = np.isfinite(model) & np.isfinite(training)
    sampling = Sampling(weight=np.ones(int(known.sum())))
    few = too_few(int(known.sum()), "held-out rows", FEWEST)
    covered, reference = (share(each[known] > 0, sampling).estimate(level) for each in (model, training))
    gap = mean(training[known] - model[known], sampling, lowest=-1.0, highest=1.0, unsupported=few).estimate(level)
    return {"covered": covered, "training": reference, "gap": gap}


def _p(model: np.ndarray, training: np.ndarray) -> float:
    """Return the chance that so many of the rows on which both differ are covered by training rows alone."""
    if np.isfinite(model).sum() < FEWEST:
        return float("nan")
    lost, won = int(((training == 1) & (model == 0)).sum()), int(((training == 0) & (model == 1)).sum())
    return float(binom.sf(lost - 1, lost + won, 0.5)) if lost + won else 1.0


def recognised_share(seen: pd.Series, wanted: pd.Series, level: float) -> Estimate:
    """Return the share of generated rows in which a classifier sees the wanted class."""
    right = (seen.to_numpy() == wanted.to_numpy()).astype(bool)
    return share(right, Sampling(weight=np.ones(len(right)))).estimate(level)
