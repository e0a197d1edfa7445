"""From images with annotations, such as masks or boxes, to a data set ready for training."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
from torch import Tensor

from glassbench.contracts.data import Data, Encoder, Split
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.schema import Schema, Target, TargetKind
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.clusters import Clusters, clusters_of, kept_together
from glassbench.toolkit.splits.splits import Division, Part, divide
from glassbench_plugins.vision.duplicates import duplicate_notes
from glassbench_plugins.vision.image_groups import Measured, image_groups, in_metadata, pixel_properties
from glassbench_plugins.vision.pictures import InMemory
from glassbench_plugins.vision.scaling import Scaling, fit_scaling


@dataclass(frozen=True, eq=False, kw_only=True)
class AnnotatedImages(ABC):
    """Images with their annotations, not yet divided.

    Args:
        pictures: The images.
        classes: Names of the annotations' classes by number.
        rows: What each image is called `(n,)`, unique.
        metadata: Further columns to audit by, a row per image, or None.
        sensitive: Features to audit by: columns of the metadata, or what is measured on images and annotations.
        conditions: Those of them that nobody belongs to, such as a camera; measured ones are.
        cluster: The column of the metadata that names what each image belongs to, or None.
        raw: The rows as a person can give them again, or None.
        notes: What was done to them.
        source: Where they come from.
        name: What the annotations are of.
    """

    kind: ClassVar[TargetKind]
    """What an annotation is."""
    piece: ClassVar[str]
    """What an annotation consists of, in a sentence."""

    pictures: InMemory
    classes: tuple[str, ...]
    rows: np.ndarray
    metadata: pd.DataFrame | None = None
    sensitive: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    cluster: str | None = None
    raw: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    source: str = ""
    name: str

    @property
    def clusters(self) -> Clusters:
        """What each image belongs to."""
        return clusters_of(self.metadata, self.cluster, Cells())

    @abstractmethod
    def target(self, rows: np.ndarray) -> Tensor:
        """Return the annotations of some images `(len(rows), ...)`."""

    @abstractmethod
    def present(self, rows: np.ndarray) -> set[int]:
        """Return the numbers of the classes that some images hold."""

    @property
    @abstractmethod
    def measured(self) -> Measured:
        """What can be measured on annotations, to audit by."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Divided:
    """Annotated images, divided: the position of each image, and the scaling fitted to those for training.

    Args:
        images: The images.
        division: How they were divided.
        parts: Row positions per part.
        scaling: What makes numbers of bytes.
    """

    images: AnnotatedImages
    division: Division
    parts: dict[Part, np.ndarray] = field(repr=False)
    scaling: Scaling

    def data(self, encoder: Encoder | None = None) -> Data:
        """Return the data set."""
        images = self.images
        measured = {**pixel_properties(lambda: images.pictures.properties), **images.measured}
        groups = image_groups(images.sensitive, images.metadata, measured, self.parts["train"])
        splits = {part: self._split(rows, groups) for part, rows in self.parts.items()}
        return Data(
            split=self.division.how,
            schema=self._schema(),
            train=splits["train"],
            validation=splits.get("validation"),
            test=splits["test"],
            encoder=encoder,
            treatments=tuple(self.division.treatments(self.parts, images.clusters.names)),
            notes=(
                *images.notes,
                *images.clusters.notes,
                *_absent_notes(images, self.parts),
                *duplicate_notes(self.parts, images.pictures.prints),
            ),
            source=images.source,
        )

    def _split(self, rows: np.ndarray, groups: pd.DataFrame | None) -> Split:
        images = self.images
        return Split(
            inputs=images.pictures.inputs(rows, self.scaling),
            rows=images.rows[rows],
            target=images.target(rows),
            groups=None if groups is None else groups.iloc[rows].reset_index(drop=True),
            raw=None if images.raw is None else images.raw.iloc[rows].reset_index(drop=True),
            clusters=images.clusters.of(rows),
        )

    def _schema(self) -> Schema:
        images = self.images
        named = {*images.conditions, *(name for name in images.sensitive if not in_metadata(name, images.metadata))}
        return Schema(
            modality="image",
            shape=images.pictures.shape,
            target=Target(name=images.name, kind=images.kind, classes=images.classes),
            sensitive=images.sensitive,
            conditions=tuple(name for name in images.sensitive if name in named),
            unit="image",
            facts=ImageFacts(mean=tuple(self.scaling.mean), std=tuple(self.scaling.std)),
        )


def divided(images: AnnotatedImages, division: Division) -> Divided:
    """Divide images and fit the scaling to those for training.

    Raises:
        DataError: There are too few.
    """
    together = kept_together(images.metadata, images.clusters, images.cluster, division, Cells())
    parts = divide(pd.Series(["image"] * len(images.rows)), division, together)
    return Divided(images=images, division=division, parts=parts, scaling=fit_scaling(images.pictures.moments[parts["train"]]))


def _absent_notes(images: AnnotatedImages, parts: dict[Part, np.ndarray]) -> tuple[str, ...]:
    """Return a note for each part without some class: what is said of that class there rests on nothing."""
    notes = []
    for part, rows in parts.items():
        held = images.present(rows)
        absent = [name for code, name in enumerate(images.classes) if code not in held]
        if absent:
            notes.append(
                f"No {images.piece} of the class{'es' if len(absent) > 1 else ''} {', '.join(absent)} is in the {part} part."
            )
    return tuple(notes)
