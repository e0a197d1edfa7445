"""Confusion counts per group: one pass over the rows, and nothing afterwards looks at a row again."""

from collections.abc import Sequence
from functools import reduce
from math import prod

import numpy as np
import pandas as pd

from glassbench.errors import DataError
from glassbench_audits.fairness.frames.groups import Column, Group, mixed, product_groups, unsigned

CELLS = 4_000_000
"""The most cells of a joint table; beyond, each combination of features is counted on its own."""


def encode(series: pd.Series, classes: Sequence[str]) -> np.ndarray:
    """Return the position of each value in `classes`, unsigned integers `(n,)`; an absent value has the position after the last.

    Raises:
        DataError: A value is none of the classes.
    """
    held = series.array
    if isinstance(held, pd.Categorical) and held.codes.min(initial=0) >= 0:
        codes, uniques = held.codes, held.categories
        if [str(u) for u in uniques] == list(classes):
            return unsigned(codes, _code_type(classes))
    else:
        codes, uniques = pd.factorize(series, use_na_sentinel=False)
    known = {name: i for i, name in enumerate(classes)}
    absent = pd.isna(np.asarray(uniques, dtype=object))
    strange = [place for place, lacking in enumerate(absent) if not lacking and str(uniques[place]) not in known]
    if strange and (strangers := [str(uniques[place]) for place in np.intersect1d(strange, codes)]):
        raise DataError(
            f"the column '{series.name}' holds what is no class",
            got=", ".join(strangers[:5]),
            available=classes,
            fix="name every class in the schema's target",
        )
    found = [len(classes) if lacking else known.get(str(u), 0) for u, lacking in zip(uniques, absent, strict=True)]
    places: np.ndarray = np.array(found, dtype=_code_type(classes))
    return np.asarray(places[codes])


def _code_type(classes: Sequence[str]) -> np.dtype:
    return np.min_scalar_type(len(classes))


def tally(
    features: Sequence[Column],
    truth: np.ndarray,
    decision: np.ndarray,
    classes: int,
    held: np.ndarray | None = None,
    *,
    truths: int | None = None,
) -> np.ndarray:
    """Count rows by every feature's value, truth and decision.

    Args:
        features: The sensitive features.
        truth: Class positions `(n,)`.
        decision: Class positions `(n,)`.
        classes: How many classes there are.
        held: What each row counts `(n,)`: how many rows, whole numbers, or a weight; None where each counts once.
        truths: How many truths there are: one more than classes where some are not known, by default as many.

    Returns:
        Counts, int64 or sums of weights, shaped by the features' numbers of values, then `(truths, classes)`.
    """
    sizes = [*(len(f.values) for f in features), truths or classes, classes]
    code = mixed([*(f.codes for f in features), truth, decision], sizes)
    return _held(code, held, prod(sizes)).reshape(sizes)


BLOCKS = 1_000
"""The most clusters whose counts are kept apart: with more, clusters are first put into so many blocks at random."""


def cluster_counts(
    features: Sequence[Column],
    truth: np.ndarray,
    decision: np.ndarray,
    classes: int,
    clusters: np.ndarray,
    generator: np.random.Generator,
    *,
    held: np.ndarray | None = None,
    truths: int | None = None,
) -> np.ndarray:
    """Count rows by cluster (or block of clusters), group, truth and decision: `(clusters, groups, truths, classes)`.

    Groups are the combinations of the features' values that have rows, in the order of `occupied`.

    Args:
        features: The sensitive features.
        truth, decision: Class positions `(n,)`.
        classes: How many classes there are.
        clusters: Which cluster each row is of `(n,)`, numbered from 0.
        generator: Draws the blocks.
        held, truths: As of `tally`.
    """
    actual = truths or classes
    many = int(clusters.max(initial=0)) + 1
    if many > BLOCKS:
        clusters, many = (generator.permutation(many) * BLOCKS // many)[clusters], BLOCKS
    groups = mixed([f.codes for f in features], [len(f.values) for f in features]).astype(np.int64)
    _, places = np.unique(groups, return_inverse=True)
    size = int(places.max(initial=0)) + 1
    code = ((clusters * size + places) * actual + truth.astype(np.int64)) * classes + decision.astype(np.int64)
    return _held(code, held, many * size * actual * classes).reshape(many, size, actual, classes)


def cells_per_cluster(
    truth: np.ndarray,
    decision: np.ndarray,
    classes: int,
    clusters: np.ndarray,
    *,
    held: np.ndarray | None = None,
    truths: int | None = None,
) -> np.ndarray:
    """Count rows by cluster, truth and decision `(clusters, truths, classes)`; arguments as of `cluster_counts`."""
    actual = truths or classes
    code = (clusters * actual + truth.astype(np.int64)) * classes + decision.astype(np.int64)
    many = int(clusters.max(initial=0)) + 1
    return _held(code, held, many * actual * classes).reshape(many, actual, classes)


def _held(code: np.ndarray, held: np.ndarray | None, size: int) -> np.ndarray:
    """Count rows by code, each as often as it stands for one; of a survey sum their weights."""
    counts = np.bincount(code, weights=held, minlength=size)
    return counts if held is None or held.dtype.kind == "f" else counts.astype(np.int64)


def margin(joint: np.ndarray, keep: Sequence[int]) -> np.ndarray:
    """Sum a joint table over the features not kept and flatten those kept: `(groups, classes, classes)`."""
    features = joint.ndim - 2
    summed: np.ndarray = joint.sum(axis=tuple(i for i in range(features) if i not in keep))
    return summed.reshape(-1, *joint.shape[-2:])


def occupied(features: Sequence[Column], counts: np.ndarray) -> tuple[tuple[Group, ...], np.ndarray]:
    """Drop the combinations no row has.

    Args:
        features: The features combined.
        counts: Counts of every combination `(groups, ...)`.
    """
    present = counts.reshape(len(counts), -1).sum(axis=1) > 0
    groups = product_groups(features)
    return tuple(g for g, keep in zip(groups, present, strict=True) if keep), counts[present]


def one_versus_rest(
    counts: np.ndarray, classes: Sequence[int], total: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return TN, FP, FN and TP of one class, or of several together, against the rest, each `(...)`.

    Args:
        counts: Rows by truth and decision `(classes, classes, ...)`.
        classes: Positions of the classes.
        total: All rows `(...)`.
    """
    actual, decided = (sum_of([part[k].sum(axis=0) for k in classes]) for part in (counts, counts.swapaxes(0, 1)))
    hits = sum_of([counts[k, j] for k in classes for j in classes])
    return total - actual - decided + hits, decided - hits, actual - hits, hits


def sum_of(counts: Sequence[np.ndarray]) -> np.ndarray:
    """Sum counts of one shape."""
    return reduce(np.add, counts)
