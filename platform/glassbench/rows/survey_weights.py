"""Rows with survey weights: who gets them, and what becomes of rows that weigh nothing."""

from dataclasses import replace

import numpy as np

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.subject import Subject

UNWEIGHTED = "Rows count alike here: this audit makes no use of their weights."

_MOST = 100_000
"""How many rows stand for a weighted training split, at least."""


def weighing(subject: Subject) -> Subject:
    """Return a subject without the rows that weigh nothing; the same one where there are none."""
    frame = subject.predictions.frame
    if "weight" not in frame or bool((weighs := frame["weight"].to_numpy() > 0).all()):
        return subject
    return replace(subject, predictions=subject.predictions.take(np.flatnonzero(weighs)))


def unweighted(subject: Subject) -> Subject:
    """Return a subject whose rows count alike, for an audit that cannot weigh them; the same one where they do already."""
    predictions = subject.predictions
    if "weight" not in predictions.frame:
        return subject
    source = None if predictions.source is None else replace(predictions.source, weights=None)
    train = None if subject.train is None else replace(subject.train, weights=None)
    alike = replace(predictions, frame=predictions.frame.drop(columns="weight"), source=source)
    return replace(subject, predictions=alike, train=train)


def saying_unweighted(result: AuditResult) -> AuditResult:
    """Return a result that says among its cautions that rows count alike."""
    if result.not_applicable or result.error:
        return result
    return replace(result, method=replace(result.method, cautions=(UNWEIGHTED, *result.method.cautions)))


def training_target(train: Split | None, axes: int = 1) -> np.ndarray | None:
    """Return the truths of training rows as a model learns them `(m,)` or `(m, k)`, None where they have other axes.

    Where rows have weights, a systematic sample in proportion to them, of 100,000 rows at least: the share of a class and the
    mean of values are then those of the weighted rows, to a part in as many.

    Args:
        train: The training rows.
        axes: How many axes truths have.
    """
    if train is None or train.target is None or train.target.ndim != axes:
        return None
    target = train.target.numpy()
    if train.weights is None:
        return target
    ordered = np.lexsort(target.reshape(len(target), -1).T)
    reached = np.cumsum(train.weights[ordered])
    places = (np.arange(many := max(_MOST, len(target))) + 0.5) / many * reached[-1]
    return np.asarray(target[ordered][np.searchsorted(reached, places)])
