"""Folds of cross-validation: every row is judged once, in the fold that it is dealt to."""

from typing import Annotated, NotRequired

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from glassbench.errors import DataError, SettingsError


class InnerFold(TypedDict):
    """Which fold of the rows outside a fold.

    Attributes:
        number: The fold, counted from 0.
        of: How many there are.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    number: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=2)]


class Fold(InnerFold):
    """Which fold of how many the rows to be judged are.

    Attributes:
        number: The fold, counted from 0.
        of: How many there are.
        inner: For nested cross-validation, a fold of the other rows, which are judged in its place: rows of the outer fold are in
            no part then.
    """

    inner: NotRequired[InnerFold]


def check_fold(fold: Fold) -> None:
    """Refuse a fold that there is not.

    Raises:
        SettingsError: Its number is as large as the number of folds, or larger.
    """
    inner = fold.get("inner")
    for one, where in ((fold, "dataset.fold"), *([] if inner is None else [(inner, "dataset.fold.inner")])):
        if one["number"] >= one["of"]:
            problem = f"there are {one['of']} folds, counted from 0"
            raise SettingsError(problem, where=f"{where}.number", got=str(one["number"]), fix=f"0 to {one['of'] - 1}")


def dealt(strata: np.ndarray, of: int, seed: int, together: np.ndarray | None = None) -> np.ndarray:
    """Return the fold of each row `(n,)`, integers from 0.

    Folds have equal counts of each stratum and equal sizes, up to one row. Where rows are of clusters, all rows of a cluster are
    in one fold: clusters are dealt in random order, large ones first, each to the fold with the fewest rows of its strata so far.

    Args:
        strata: Stratum of each row `(n,)`: its class, or a band of its value.
        of: How many folds.
        seed: Seed of the order.
        together: Cluster of each row `(n,)`, or None.

    Raises:
        DataError: There are fewer rows of a stratum, or fewer clusters, than folds.
    """
    generator = np.random.default_rng([seed, 0xF01D5])
    codes, names = pd.factorize(strata, sort=True)
    counts = np.bincount(codes, minlength=len(names))
    if len(counts) == 0 or counts.min() < of:
        least = f"{int(counts.min())} of the class or band '{names[int(counts.argmin())]}'" if len(counts) else "no rows"
        raise DataError("there are too few rows for so many folds", got=f"{least}, {of} folds", where="dataset.fold")
    if together is not None:
        return _dealt_clusters(codes, pd.factorize(together)[0], of, generator)
    folds = np.empty(len(strata), dtype=np.int64)
    done = 0
    for code in range(len(names)):
        rows = generator.permutation(np.flatnonzero(codes == code))
        folds[rows] = (done + np.arange(len(rows))) % of
        done += len(rows)
    return folds


def _dealt_clusters(strata: np.ndarray, clusters: np.ndarray, of: int, generator: np.random.Generator) -> np.ndarray:
    held = np.zeros((int(clusters.max()) + 1, int(strata.max()) + 1))
    np.add.at(held, (clusters, strata), 1)
    if len(held) < of:
        got = f"{len(held)} clusters, {of} folds"
        raise DataError("there are fewer clusters than folds", got=got, where="dataset.fold", fix=f"at most {len(held)} folds")
    order = generator.permutation(len(held))
    order = order[np.argsort(-held[order].sum(axis=1), kind="stable")]
    share = held / held.sum(axis=0)
    filled, folds = np.zeros((of, held.shape[1])), np.empty(len(held), dtype=np.int64)
    for cluster in order:
        folds[cluster] = int(np.argmin(((filled + share[cluster]) ** 2 - filled**2).sum(axis=1)))
        filled[folds[cluster]] += share[cluster]
    return np.asarray(folds[clusters])
