"""The rows of both splits whose labels are questioned, with what models that did not learn from each say of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.readable import readable_rows
from glassbench.contracts.subject import Subject
from glassbench_audits.data.doubtful_labels import Questioned
from glassbench_audits.data.label_models import FOLDS, cross_validated, narrowed, numbers_of

FEWEST = 60
"""Rows below which none is questioned."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelledRows:
    """Rows of both splits.

    Args:
        inputs: What models learn from `(n, k)`.
        labels: Class of each `(n,)`.
        rows: Row ids `(n,)`.
        clusters: What each belongs to `(n,)`.
        split: `training` or `held-out` `(n,)`.
        groups: The sensitive features, as text `(n, sensitive)`.
        columns: The named features, floats or texts `(n, features)`.
        classes: Number of classes.
        seed: Seed of models.
    """

    inputs: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    clusters: np.ndarray
    split: np.ndarray
    groups: pd.DataFrame
    columns: pd.DataFrame
    classes: int
    seed: int

    @cached_property
    def stated(self) -> np.ndarray:
        """Probabilities by models that learnt on other folds `(n, classes)`."""
        return cross_validated(self.inputs, self.labels, self.classes, self.seed, self.clusters)

    def questioned(self) -> dict[str, Questioned]:
        """Return the labels of each split beside these probabilities."""
        return {
            name: Questioned(rows=self.rows[mine], labels=self.labels[mine], stated=self.stated[mine])
            for name in ("training", "held-out")
            if (mine := self.split == name).any()
        }


def labelled_rows(subject: Subject, rows: int) -> LabelledRows | None:
    """Return the rows of both splits whose class is known by enough others; None where labels cannot be questioned.

    Args:
        subject: What is examined.
        rows: The most rows of either split.
    """
    parts = [_part(subject, name, split, rows) for name, split in _splits(subject).items()]
    found = [part for part in parts if part is not None]
    if not found or len({part.inputs.shape[1] for part in found}) > 1:
        return None
    labels = np.concatenate([part.labels for part in found])
    counts = np.bincount(labels[labels >= 0], minlength=1)
    kept = (labels >= 0) & (counts[labels] >= 2 * FOLDS)
    if kept.sum() < FEWEST or (counts >= 2 * FOLDS).sum() < 2:
        return None
    return LabelledRows(
        inputs=narrowed(np.concatenate([part.inputs for part in found])[kept]),
        labels=labels[kept],
        rows=np.concatenate([part.rows for part in found])[kept],
        clusters=np.concatenate([part.clusters for part in found])[kept],
        split=np.repeat([part.split for part in found], [len(part.labels) for part in found])[kept],
        groups=pd.concat([part.groups for part in found], ignore_index=True)[kept].reset_index(drop=True),
        columns=pd.concat([part.columns for part in found], ignore_index=True)[kept].reset_index(drop=True),
        classes=len(subject.schema.target.classes or ()),
        seed=int(subject.generator("data.labels.models").integers(2**31)),
    )


def by_cross_validation(subject: Subject, rows: int) -> dict[str, Questioned]:
    """Return the rows of each split with probabilities from models that learnt on other rows; nothing where that cannot be."""
    found = labelled_rows(subject, rows)
    return {} if found is None else found.questioned()


@dataclass(frozen=True, eq=False, kw_only=True)
class _Part:
    inputs: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    clusters: np.ndarray
    split: str
    groups: pd.DataFrame
    columns: pd.DataFrame


def _splits(subject: Subject) -> dict[str, Split | None]:
    return {"training": subject.train, "held-out": subject.predictions.source}


def _part(subject: Subject, name: str, split: Split | None, rows: int) -> _Part | None:
    if split is None or split.target is None or split.target.ndim != 1 or split.target.is_floating_point() or not len(split):
        return None
    part = np.sort(subject.generator(f"data.labels.{name}").permutation(len(split))[:rows])
    taken = split.take(part)
    inputs = numbers_of(taken)
    if inputs is None:
        return None
    assert taken.target is not None
    clusters = taken.rows.astype(str) if taken.clusters is None else taken.clusters
    return _Part(
        inputs=inputs,
        labels=taken.target.cpu().numpy(),
        rows=taken.rows,
        clusters=np.asarray(clusters, dtype=object),
        split=name,
        groups=pd.DataFrame(index=range(len(part))) if taken.groups is None else taken.groups.astype(str),
        columns=readable_rows(taken, subject.schema),
    )
