"""A folder of images as a data set."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError, SettingsError
from glassbench.stats.settings_types import Count, Name
from glassbench.toolkit.cells.cells import MARKS
from glassbench.toolkit.cells.value_labels import Labels, LabelSettings
from glassbench.toolkit.reading.folder_parts import PART, files_by_class, folder_division
from glassbench.toolkit.reading.labelled_files import label_table, listed_files
from glassbench.toolkit.reading.tables import Format, read_table
from glassbench.toolkit.splits.split_by import SplitBy
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.label_columns import LabelColumns, label_columns, read_labels
from glassbench_plugins.vision.assembly import Collection, Divided, divided, one_class
from glassbench_plugins.vision.encoder import CELLS, FILE, LABEL, ImageEncoder
from glassbench_plugins.vision.files import ENDINGS, Fit, Form
from glassbench_plugins.vision.properties import PROPERTIES
from glassbench_plugins.vision.reading import read_all


def image_folder(
    seed: int,
    *,
    path: str,
    metadata: str | None = None,
    file_column: str = "file",
    label_column: Name | tuple[Name, ...] = "label",
    label_separator: str | None = None,
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
        label_column: Its column of classes. Several columns, `[a, b, c]`, are labels, of which an image has any number: each says
            yes or no, in words, as 1 and 0, or as `positive` says; an empty cell is not known.
        label_separator: What stands between the names in one label column that holds an image's labels, such as `;`. An empty
            cell then is an image without labels.
        split: How images are divided: `{by: random, validation: 0.2, test: 0.2}` unless given; by `date`, `cluster` or `column`
            with columns of the metadata, as in the data set `table`.
        sensitive: Features to audit by: columns of the metadata, or `brightness`, `contrast` and `sharpness`, which are
            measured and cut at the terciles of the training images.
        cluster: A column of the metadata, such as the patient, whose images with the same value are not independent: they go
            into the same split, and audits resample them together.
        weight: A column of the metadata with survey or sample weights, 0 or above: training and audits weigh images.
        positive: The class whose rates a binary audit speaks of; of several labels the value that means yes.
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
    several = label_columns(label_column, label_separator, positive, "auto")
    named = (str(label_column),) if several is None else several.columns
    if metadata is None and (beside := label_table(root, ENDINGS, None if named == ("label",) else named[0])) is not None:
        metadata, file_column, named = str(beside.path), beside.file, (beside.label,) if several is None else named
    _check_purposes(metadata, decides, several, normal)
    own = named[0] if several is None else None
    listed = (
        _Listed(table=files_by_class(root, ENDINGS, "images"))
        if metadata is None
        else _by_table(root, metadata, file_column, own, (*decides, *sensitive, *(named if own is None else ())))
    )
    called = Labels.of({LABEL if name == own else name: label for name, label in (labels or {}).items()}, missing=MARKS)
    said = called.check(listed.table)
    found = read_all(root, listed.files, Form(height=height, width=width, colour=colour, fit=fit), keep)
    kept = listed.take(found.kept)
    division = folder_division(split, kept.table, seed=seed, cluster=cluster)
    table, label = called.apply(kept.table), str(called.title(LABEL))
    images = Collection(
        pictures=found.pictures,
        labels=table[label],
        target=label,
        rows=kept.table[FILE].to_numpy(dtype=object),
        positive=called.label(LABEL, positive) if several is None else None,
        metadata=table.drop(columns=[FILE, label, PART], errors="ignore"),
        sensitive=called.named(sensitive),
        cluster=called.title(cluster),
        weight=called.title(weight),
        raw=pd.DataFrame({FILE: [str(Path(path) / name) for name in kept.table[FILE]]}),
        notes=(*listed.notes, *found.notes),
        source=root.name,
    )
    images = (
        _with_class(images, called.label(LABEL, normal))
        if several is None
        else _with_labels(images, replace(several, columns=called.named(several.columns)), table, division)
    )
    data = _assembled(images, replace(division, together=called.title(division.together)), found.form, called)
    return replace(data, treatments=(*data.treatments, *said, *(() if images.several is None else images.several.treatments)))


def _check_purposes(metadata: str | None, decides: tuple[str, ...], several: LabelColumns | None, normal: str | None) -> None:
    """Refuse columns without a table that has them, and one normal class among several labels."""
    wanted = (*decides, *(() if several is None else several.columns))
    if metadata is None and wanted:
        raise DataError("columns need a table of metadata", got=", ".join(wanted), fix="name its file in dataset.metadata")
    if several is not None and normal is not None:
        fix = "leave dataset.normal out, or name one label_column"
        raise DataError("one normal class is chosen among classes, not labels", got=normal, where="dataset.normal", fix=fix)


def _with_class(images: Collection, normal: str | None) -> Collection:
    """Return images with one class each; with a normal one, all others are unusual."""
    one = one_class(images, normal)
    return replace(one, raw=None if one.raw is None else one.raw.assign(**{LABEL: one.labels.to_numpy()}))


def _with_labels(images: Collection, several: LabelColumns, table: pd.DataFrame, division: Division) -> Collection:
    """Return images with any number of labels each, as the columns of a table say."""
    read = read_labels(several, table, CELLS)
    assert images.raw is not None
    return replace(
        images,
        several=read,
        labels=read.strata(given=division.given is not None),
        raw=images.raw.assign(**{name: table[name].to_numpy() for name in several.columns}),
    )


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
    several = None if collection.several is None else collection.several.columns
    classes = tuple(sorted(collection.labels.astype(str).unique())) if several is None else several.labels
    metadata = () if collection.metadata is None else tuple(map(str, collection.metadata.columns))
    read_from = tuple(name for name in collection.sensitive if name in metadata)
    asked = read_from if read_from == collection.sensitive else ()
    return whole.data(
        ImageEncoder(form=form, scaling=whole.scaling, classes=classes, sensitive=asked, called=called, label_columns=several)
    )


def _by_table(root: Path, metadata: str, file_column: str, label: str | None, further: tuple[str, ...]) -> _Listed:
    """Return the images that a table lists; those without a class are left out and counted.

    Args:
        root: The folder.
        metadata: The table.
        file_column: Its column of files.
        label: Its column of classes; None where images have any number of labels.
        further: Other columns that are wanted, and properties of images, which no column holds.
    """
    table = read_table(metadata, Format(), "dataset.metadata")
    wanted = list(dict.fromkeys(name for name in further if name in table.columns or name not in PROPERTIES))
    listed, said = listed_files(root, ENDINGS, table, file_column, label or file_column, wanted)
    return _Listed(table=listed.reset_index(drop=True), notes=said)
