"""From images with their truth to a data set ready for training."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data, Encoder, Split
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.positive_class import checked_positive
from glassbench.contracts.predictions.flags import FLAGS
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.spelled_names import as_known
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.absent import absent_notes
from glassbench.toolkit.splits.clusters import Clusters, clusters_of, kept_together
from glassbench.toolkit.splits.splits import Division, Part, divide
from glassbench.toolkit.splits.weights import Weights, weights_of
from glassbench.toolkit.table.label_columns import RowLabels
from glassbench_plugins.vision.duplicates import duplicate_notes
from glassbench_plugins.vision.image_groups import image_groups, in_metadata, pixel_properties
from glassbench_plugins.vision.pictures import Pictures
from glassbench_plugins.vision.scaling import Scaling, fit_scaling


@dataclass(frozen=True, eq=False, kw_only=True)
class Collection:
    """Images with their truth, not yet divided.

    Args:
        pictures: The images.
        labels: The class of each `(n,)`, text.
        rows: What each is called `(n,)`, unique.
        target: What the class is called.
        classes: Names of the classes in index order; empty takes the labels in alphabetical order.
        positive: The class whose rates a binary audit speaks of.
        metadata: Further columns to audit by, a row per image, or None.
        sensitive: Features to audit by: columns of the metadata, or measured properties.
        conditions: Those of the metadata that nobody belongs to, such as the camera; measured properties always are.
        cluster: The column of the metadata that names what each image belongs to, or None.
        weight: The column of the metadata that holds weights, or None.
        raw: The rows as a person can give them again, or None.
        notes: What was done to them.
        source: Where they come from.
        learnt: The only class that is learnt from; None for all.
        several: The labels of each image, where it has any number of them; `labels` then says what images are stratified by.
        train_rows: How many training images are learnt from, of each class about as many; None for all.
    """

    pictures: Pictures
    labels: pd.Series
    rows: np.ndarray
    target: str = "label"
    classes: tuple[str, ...] = ()
    positive: str | None = None
    metadata: pd.DataFrame | None = None
    sensitive: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    cluster: str | None = None
    weight: str | None = None
    raw: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    source: str = ""
    learnt: str | None = None
    several: RowLabels | None = None
    train_rows: int | None = None

    @cached_property
    def clusters(self) -> Clusters:
        """What each image belongs to."""
        return clusters_of(self.metadata, self.cluster, Cells())

    @cached_property
    def weights(self) -> Weights:
        """What each image weighs."""
        return weights_of(self.metadata, self.weight, Cells())


@dataclass(frozen=True, eq=False, kw_only=True)
class Divided:
    """A collection divided: what is fitted to its training images, and the position of each image.

    Args:
        collection: The images.
        parts: Row positions per part.
        scaling: Fitted to the training images.
        division: How the images were divided.
    """

    collection: Collection
    parts: dict[Part, np.ndarray] = field(repr=False)
    scaling: Scaling
    division: Division

    def data(self, encoder: Encoder | None = None) -> Data:
        """Return the data set."""
        images, classes = self.collection, _classes(self.collection)
        measured = pixel_properties(lambda: images.pictures.properties)
        groups = image_groups(images.sensitive, images.metadata, measured, self.parts["train"])
        splits = {part: self._split(rows, _target(images, classes), groups) for part, rows in self.parts.items()}
        return Data(
            split=self.division.how,
            schema=self._schema(classes),
            train=splits["train"],
            validation=splits.get("validation"),
            test=splits["test"],
            encoder=encoder,
            treatments=(*self.division.treatments(self.parts, images.clusters.names), *images.weights.treatments),
            notes=(
                *images.notes,
                *([] if self.division.words else [self.division.sentence(self.parts)]),
                *images.clusters.notes,
                *images.weights.notes(self.parts["test"]),
                *_learnt_from(images, splits, self.parts, classes),
                *duplicate_notes(self.parts, images.pictures.prints),
            ),
            source=images.source,
        )

    def _split(self, rows: np.ndarray, target: torch.Tensor, groups: pd.DataFrame | None) -> Split:
        images = self.collection
        return Split(
            inputs=images.pictures.inputs(rows, self.scaling),
            rows=images.rows[rows],
            target=target[torch.as_tensor(rows)],
            groups=None if groups is None else groups.iloc[rows].reset_index(drop=True),
            raw=None if images.raw is None else images.raw.iloc[rows].reset_index(drop=True),
            clusters=images.clusters.of(rows),
            weights=images.weights.of(rows),
        )

    def _schema(self, classes: tuple[str, ...]) -> Schema:
        images = self.collection
        whole = Target(name=images.target, kind="class", classes=classes)
        if images.several is not None:
            whole = images.several.columns.target(None)
        else:
            whole = replace(whole, positive=checked_positive(images.positive, classes))
        return Schema(
            modality="image",
            shape=self.collection.pictures.shape,
            target=whole,
            sensitive=images.sensitive,
            conditions=tuple(
                name for name in images.sensitive if name in images.conditions or not in_metadata(name, images.metadata)
            ),
            unit="image",
            facts=ImageFacts(mean=tuple(self.scaling.mean), std=tuple(self.scaling.std)),
        )


def divided(collection: Collection, division: Division) -> Divided:
    """Divide images, stratified by class, and fit the scaling to those for training.

    Raises:
        DataError: There are too few, or a label is none of the classes named.
    """
    _check_labels(collection)
    together = kept_together(collection.metadata, collection.clusters, collection.cluster, division, Cells())
    labels = collection.labels if collection.several is not None else collection.labels.astype(str)
    parts = {part: collection.weights.weighing(rows) for part, rows in divide(labels, division, together).items()}
    if collection.learnt is not None:
        ordinary = (collection.labels.astype(str) == collection.learnt).to_numpy()
        parts = {part: rows if part == "test" else rows[ordinary[rows]] for part, rows in parts.items()}
    if collection.train_rows is not None:
        few = few_of_each(parts["train"], labels, collection.train_rows, division.seed)
        note = f"{len(few):,} of {len(parts['train']):,} training images are learnt from, of each class about as many"
        parts, collection = {**parts, "train": few}, replace(collection, notes=(*collection.notes, note))
    return Divided(
        collection=collection, parts=parts, division=division, scaling=fit_scaling(collection.pictures.moments[parts["train"]])
    )


def few_of_each(rows: np.ndarray, labels: pd.Series, count: int, seed: int) -> np.ndarray:
    """Return some rows `(k,)`, ascending, drawn so that every class has about as many: of classes in turn, one each.

    Args:
        rows: Row positions to draw from.
        labels: The class of every row `(n,)`.
        count: How many.
        seed: Seed of what is drawn.

    Raises:
        DataError: There are fewer rows, or more classes than are wanted.
    """
    names = labels.iloc[rows]
    if not names.nunique() <= count <= len(rows):
        got = f"{count}, of {len(rows):,} training images of {names.nunique()} classes"
        raise DataError(
            "training images are one of each class at least, and no more than there are", got=got, where="dataset.train_rows"
        )
    order = np.random.default_rng([seed, 0xFE3]).permutation(len(rows))
    turn = names.iloc[order].groupby(names.iloc[order].to_numpy()).cumcount().to_numpy()
    return np.sort(rows[order[np.argsort(turn, kind="stable")[:count]]])


def one_class(collection: Collection, normal: str | None) -> Collection:
    """Return the images of one class as normal and all others as unusual, to learn from the normal ones alone.

    Args:
        collection: The images.
        normal: The class; None leaves the images as they are.

    Raises:
        DataError: No image is of that class.
    """
    if normal is None:
        return collection
    names = collection.labels.astype(str)
    normal = as_known(normal, _classes(collection))
    if not (names == normal).any():
        raise DataError("no image is of that class", got=normal, available=_classes(collection), where="dataset.normal")
    flags = names.where(names == normal, FLAGS[1]).where(names != normal, FLAGS[0])
    return replace(collection, labels=flags, classes=FLAGS, positive=FLAGS[1], learnt=FLAGS[0])


def _target(images: Collection, classes: tuple[str, ...]) -> torch.Tensor:
    """Return the index of each image's class `(n,)`, or which labels it has `(n, labels)`."""
    if images.several is not None:
        return torch.as_tensor(images.several.given.astype(np.float32))
    codes = pd.Index(classes).get_indexer(pd.Index(images.labels.astype(str)))
    return torch.as_tensor(np.asarray(codes, dtype=np.int64))


def _classes(collection: Collection) -> tuple[str, ...]:
    if collection.several is not None:
        return collection.several.columns.labels
    return collection.classes or tuple(sorted(collection.labels.astype(str).unique()))


def _check_labels(collection: Collection) -> None:
    if collection.several is not None:
        return
    classes = _classes(collection)
    strays = sorted(set(collection.labels.astype(str)) - set(classes))
    if strays:
        raise DataError(
            "labels that no class is named for",
            got=", ".join(strays[:5]),
            available=classes,
            where="dataset.classes",
        )


def _learnt_from(
    images: Collection, splits: dict[Part, Split], parts: dict[Part, np.ndarray], classes: tuple[str, ...]
) -> tuple[str, ...]:
    """Return a note that one class alone is learnt from, or one for each part that lacks a class or a label."""
    if images.several is not None:
        return images.several.check_parts(parts)
    if images.learnt is not None:
        return (f"Only “{images.learnt}” images are learnt from; both kinds are judged.",)
    return absent_notes(splits, classes, "image")
