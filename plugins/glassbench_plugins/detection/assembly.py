"""From images with boxes to a data set ready for training."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data, Encoder, Split
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.schema import MISSING, Schema, Target
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.splits.clusters import Clusters, clusters_of, kept_together
from glassbench.toolkit.splits.splits import Division, Part, divide
from glassbench_plugins.detection.targets import box_target
from glassbench_plugins.vision.duplicates import duplicate_notes
from glassbench_plugins.vision.pictures import InMemory
from glassbench_plugins.vision.properties import PROPERTIES, terciles
from glassbench_plugins.vision.scaling import Scaling, fit_scaling

OBJECT_COUNT = "object_count"
"""The feature that tells how many objects an image truly has."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BoxedImages:
    """Images with their boxes, not yet divided.

    Args:
        pictures: The images.
        boxes: Of each image left, top, right and bottom edge in its pixels and the class number, float `(k, 5)`.
        classes: Names of the classes by number.
        rows: What each image is called `(n,)`, unique.
        metadata: Further columns to audit by, a row per image, or None.
        sensitive: Features to audit by: columns of the metadata, measured properties, or `object_count`.
        conditions: Those of them that nobody belongs to, such as a camera; measured properties are.
        cluster: The column of the metadata that names what each image belongs to, or None.
        raw: The rows as a person can give them again, or None.
        notes: What was done to them.
        source: Where they come from.
        name: What the boxes are around.
    """

    pictures: InMemory
    boxes: tuple[np.ndarray, ...]
    classes: tuple[str, ...]
    rows: np.ndarray
    metadata: pd.DataFrame | None = None
    sensitive: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    cluster: str | None = None
    raw: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    source: str = ""
    name: str = "object"

    @property
    def clusters(self) -> Clusters:
        """What each image belongs to."""
        return clusters_of(self.metadata, self.cluster, Cells())


@dataclass(frozen=True, eq=False, kw_only=True)
class Divided:
    """Images with boxes, divided: the position of each image, and the scaling fitted to those for training.

    Args:
        images: The images.
        division: How they were divided.
        parts: Row positions per part.
        scaling: What makes numbers of bytes.
    """

    images: BoxedImages
    division: Division
    parts: dict[Part, np.ndarray] = field(repr=False)
    scaling: Scaling

    def data(self, encoder: Encoder | None = None) -> Data:
        """Return the data set."""
        images = self.images
        groups = _groups(images, self.parts["train"])
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
            target=box_target([images.boxes[row] for row in rows]),
            groups=None if groups is None else groups.iloc[rows].reset_index(drop=True),
            raw=None if images.raw is None else images.raw.iloc[rows].reset_index(drop=True),
            clusters=images.clusters.of(rows),
        )

    def _schema(self) -> Schema:
        images = self.images
        return Schema(
            modality="image",
            shape=images.pictures.shape,
            target=Target(name=images.name, kind="boxes", classes=images.classes),
            sensitive=images.sensitive,
            conditions=tuple(name for name in images.sensitive if name in images.conditions or not _in_metadata(images, name)),
            unit="image",
            facts=ImageFacts(mean=tuple(self.scaling.mean), std=tuple(self.scaling.std)),
        )


def divided(images: BoxedImages, division: Division) -> Divided:
    """Divide images and fit the scaling to those for training.

    Raises:
        DataError: There are too few.
    """
    together = kept_together(images.metadata, images.clusters, images.cluster, division, Cells())
    parts = divide(pd.Series(["image"] * len(images.rows)), division, together)
    return Divided(images=images, division=division, parts=parts, scaling=fit_scaling(images.pictures.moments[parts["train"]]))


def _groups(images: BoxedImages, train: np.ndarray) -> pd.DataFrame | None:
    if not images.sensitive:
        return None
    return pd.DataFrame({name: _group(images, name, train) for name in images.sensitive}, dtype=object)


def _group(images: BoxedImages, name: str, train: np.ndarray) -> np.ndarray:
    """Return the group of each image: what the metadata say, else the tercile of a measured property."""
    metadata = images.metadata
    if metadata is not None and _in_metadata(images, name):
        return np.asarray(metadata[name].astype("string").fillna(MISSING).astype(object))
    if name == OBJECT_COUNT:
        return terciles(np.array([len(boxes) for boxes in images.boxes], dtype=np.float64), train)
    if name in PROPERTIES:
        return terciles(images.pictures.properties[name].to_numpy(), train)
    columns = [] if metadata is None else list(map(str, metadata.columns))
    available = [*columns, *PROPERTIES, OBJECT_COUNT]
    raise DataError("there is no such feature to audit by", got=name, available=available, where="dataset.sensitive")


def _in_metadata(images: BoxedImages, name: str) -> bool:
    """Whether the metadata say the group; else it is a property of the image."""
    return images.metadata is not None and name in images.metadata


def _absent_notes(images: BoxedImages, parts: dict[Part, np.ndarray]) -> tuple[str, ...]:
    """Return a note for each part without a box of some class: what is said of that class there rests on nothing."""
    notes = []
    for part, rows in parts.items():
        held = {int(kind) for row in rows for kind in images.boxes[row][:, 4]}
        absent = [name for code, name in enumerate(images.classes) if code not in held]
        if absent:
            notes.append(f"No box of the class{'es' if len(absent) > 1 else ''} {', '.join(absent)} is in the {part} part.")
    return tuple(notes)
