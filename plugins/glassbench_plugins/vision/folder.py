"""A folder of images as a data set."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError, SettingsError
from glassbench.stats.settings_types import Count, Name
from glassbench_plugins.tabular.cells import MARKS
from glassbench_plugins.tabular.folder_parts import PART, files_by_class, folder_division
from glassbench_plugins.tabular.labelled_files import label_table, listed_files
from glassbench_plugins.tabular.reading import Format, read_table
from glassbench_plugins.tabular.split_by import SplitBy
from glassbench_plugins.tabular.splits import Division
from glassbench_plugins.tabular.value_labels import Labels, LabelSettings
from glassbench_plugins.vision.assembly import Collection, Divided, divided, one_class
from glassbench_plugins.vision.encoder import FILE, LABEL, ImageEncoder
from glassbench_plugins.vision.files import ENDINGS, Fit, Form
from glassbench_plugins.vision.properties import PROPERTIES
from glassbench_plugins.vision.reading import read_all


def image_folder(
    seed: int,
    *,
    path: str,
    metadata: str | None = None,
    file_column: str = "file",
    label_column: str = "label",
    split: SplitBy | None = None,
    sensitive: tuple[str, ...] = (),
    cluster: str | None = None,
    weight: str | None = None,
    positive: Name | None = None,
    labels: LabelSettings | None = None,
    normal: Name | None = None,
    size: Count | tuple[Count, Count] = 64,
    fit: Fit = "crop",
    colour: bool = True,
    keep: Literal["memory", "disk"] = "memory",
) -> Data:
    """A folder of images, by class or with a table of metadata.

    Without metadata, an image's class is the folder it lies in: `path/cat/1.jpg`; where `path` has folders `train` and `test`
    (and `validation` or `val`) the classes lie in those. Where all images lie beside each other, a table among them, such as
    `labels.csv`, may name each file and its class: it is then the metadata. Any format that Pillow reads.
    Each image is decoded once beforehand: those that cannot be are named in the report, counted and skipped.

    Args:
        seed: Seed of the split.
        path: The folder.
        metadata: A CSV or Parquet file with a row per image, relative to the current folder.
        file_column: Its column of files, relative to `path`.
        label_column: Its column of classes.
        split: How images are divided: `{by: random, validation: 0.2, test: 0.2}` unless given; by `date`, `cluster` or `column`
            with columns of the metadata, as in the data set `table`.
        sensitive: Features to audit by: columns of the metadata, or `brightness`, `contrast` and `sharpness`, which are
            measured and cut at the terciles of the training images.
        cluster: A column of the metadata, such as the patient, whose images with the same value are not independent: they go
            into the same split, and audits resample them together.
        weight: A column of the metadata with survey or sample weights, 0 or above: training and audits weigh images.
        positive: The class whose rates a binary audit speaks of.
        labels: Names for people, of values and of columns of the metadata, as in the data set `table`;
            without metadata `label` is the class.
        normal: A class to learn alone, so that all others are told apart from it as "unusual"; None for all.
        size: Pixels that every image is brought to: a side, or height and width.
        fit: How another aspect is met: `crop` keeps the middle, `squeeze` distorts.
        colour: Whether images keep their colours; else they become shades of grey.
        keep: Where images are while training: in `memory`, or on `disk`, for folders larger than memory; `trainer.workers`
            processes then read them.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise DataError("there is no such folder", got=path, where="dataset.path", fix="paths are relative to the current folder")
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise SettingsError("an image needs a pixel at least", got=str(size), where="dataset.size")
    decides = tuple(dict.fromkeys(name for name in ((split or {}).get("column"), cluster, weight) if name))
    if metadata is None and (beside := label_table(root, ENDINGS, None if label_column == "label" else label_column)) is not None:
        metadata, file_column, label_column = str(beside.path), beside.file, beside.label
    if metadata is None and decides:
        raise DataError("columns need a table of metadata", got=", ".join(decides), fix="name its file in dataset.metadata")
    listed = (
        _Listed(table=files_by_class(root, ENDINGS, "images"))
        if metadata is None
        else _by_table(root, metadata, file_column, label_column, decides, sensitive)
    )
    called = Labels.of({LABEL if name == label_column else name: label for name, label in (labels or {}).items()}, missing=MARKS)
    said = called.check(listed.table)
    found = read_all(root, listed.files, Form(height=height, width=width, colour=colour, fit=fit), keep)
    kept = listed.take(found.kept)
    division = folder_division(split, kept.table, seed=seed, cluster=cluster)
    table, label = called.apply(kept.table), str(called.title(LABEL))
    images = one_class(
        Collection(
            pictures=found.pictures,
            labels=table[label],
            target=label,
            rows=kept.table[FILE].to_numpy(dtype=object),
            positive=called.label(LABEL, positive),
            metadata=table.drop(columns=[FILE, label, PART], errors="ignore"),
            sensitive=called.named(sensitive),
            cluster=called.title(cluster),
            weight=called.title(weight),
            raw=pd.DataFrame({FILE: [str(Path(path) / name) for name in kept.table[FILE]], LABEL: table[label]}),
            notes=(*listed.notes, *found.notes),
            source=root.name,
        ),
        called.label(LABEL, normal),
    )
    raw = None if images.raw is None else images.raw.assign(**{LABEL: images.labels.to_numpy()})
    data = _assembled(replace(images, raw=raw), replace(division, together=called.title(division.together)), found.form, called)
    return replace(data, treatments=(*data.treatments, *said))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Listed:
    """The images there should be.

    Args:
        table: Columns `file`, `label`, `part` where it is decided already, and those of the metadata.
        notes: What was left out.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> list[str]:
        """The files, relative to the folder."""
        return [str(name) for name in self.table[FILE]]

    def take(self, rows: np.ndarray) -> "_Listed":
        """Return some of them."""
        return _Listed(table=self.table.iloc[rows].reset_index(drop=True), notes=self.notes)


def _assembled(collection: Collection, division: Division, form: Form, called: Labels) -> Data:
    whole: Divided = divided(collection, division)
    classes = tuple(sorted(collection.labels.astype(str).unique()))
    metadata = () if collection.metadata is None else tuple(map(str, collection.metadata.columns))
    read_from = tuple(name for name in collection.sensitive if name in metadata)
    asked = read_from if read_from == collection.sensitive else ()
    return whole.data(ImageEncoder(form=form, scaling=whole.scaling, classes=classes, sensitive=asked, called=called))


def _by_table(
    root: Path, metadata: str, file_column: str, label_column: str, decides: tuple[str, ...], sensitive: tuple[str, ...]
) -> _Listed:
    """Return the images that a table lists; those without a label are left out and counted."""
    table = read_table(metadata, Format(), "dataset.metadata")
    further = [name for name in sensitive if name in table.columns or name not in PROPERTIES]
    further += [name for name in decides if name not in further]
    listed, said = listed_files(root, ENDINGS, table, file_column, label_column, further)
    return _Listed(table=listed.reset_index(drop=True), notes=said)
