"""A folder of sound files as a data set."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import AudioFacts
from glassbench.contracts.positive_class import checked_positive
from glassbench.contracts.schema import MISSING, Schema, Target
from glassbench.errors import DataError, SettingsError
from glassbench.stats.settings_types import Count, Name, PositiveNumber
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.value_labels import Labels, LabelSettings
from glassbench.toolkit.reading.folder_parts import files_by_class, folder_division
from glassbench.toolkit.reading.labelled_files import label_table, listed_files
from glassbench.toolkit.reading.tables import Format as TableFormat
from glassbench.toolkit.reading.tables import read_table
from glassbench.toolkit.splits.absent import absent_notes
from glassbench.toolkit.splits.clusters import clusters_of, kept_together
from glassbench.toolkit.splits.split_by import SplitBy
from glassbench.toolkit.splits.splits import divide
from glassbench_plugins.audio.clips import Format
from glassbench_plugins.audio.endings import ENDINGS
from glassbench_plugins.audio.listed_clips import ReadFiles, read_files, taken


def wav_folder(
    seed: int,
    *,
    path: str,
    metadata: str | None = None,
    file_column: str = "file",
    label_column: str = "label",
    sensitive: tuple[str, ...] = (),
    cluster: str | None = None,
    split: SplitBy | None = None,
    positive: Name | None = None,
    labels: LabelSettings | None = None,
    rate: Count = 16_000,
    seconds: PositiveNumber = 1.0,
    keep: Literal["memory", "disk"] = "memory",
) -> Data:
    """A folder of sound files (WAV, FLAC, OGG), by class or with a table of metadata.

    Without metadata, a file's class is the folder it lies in: `path/dog/bark1.wav`; where `path` has folders `train` and `test`
    (and `validation` or `val`) the classes lie in those. Where all files lie beside each other, a table among them, such as
    `labels.csv`, may name each file and its class: it is then the metadata. Files of other rates are resampled, the
    channels of stereo are averaged, longer files are cut to their middle and shorter ones followed by silence; files that
    cannot be read are named and skipped, and all of this is counted in the report.

    Args:
        seed: Seed of the split.
        path: The folder.
        metadata: A CSV file with a row per sound file, relative to the current folder.
        file_column: Its column of files, relative to `path`.
        label_column: Its column of classes.
        sensitive: Its columns to audit by, such as speaker or device.
        cluster: Its column, such as the speaker, whose files with the same value are not independent: they go into the same
            split, and audits resample them together.
        split: How files are divided: `{by: random, validation: 0.2, test: 0.2}` unless given; by `date`, `cluster` or `column`
            with columns of the metadata, as in the data set `table`.
        positive: The class whose rates a binary audit speaks of.
        labels: Names for people, of values and of columns of the metadata, as in the data set `table`;
            without metadata `label` is the class.
        rate: Samples per second that every clip is brought to.
        seconds: Length that every clip is brought to.
        keep: Where clips are while training: in `memory`, or on `disk`, for folders larger than memory; then files are only
            opened at first, and one that breaks off later stops the training with its name.
    """
    if rate < 1 or round(rate * seconds) < 1:
        raise SettingsError("a clip needs a sample at least", got=f"rate {rate}, seconds {seconds:g}", where="dataset")
    root = Path(path).expanduser()
    if not root.is_dir():
        raise DataError("there is no such folder", got=path, where="dataset.path", fix="paths are relative to the current folder")
    columns = tuple(dict.fromkeys((*sensitive, *(name for name in (cluster, (split or {}).get("column")) if name))))
    if metadata is None and (beside := label_table(root, ENDINGS, None if label_column == "label" else label_column)) is not None:
        metadata, file_column, label_column = str(beside.path), beside.file, beside.label
    if metadata is None and columns:
        raise DataError("columns need a table of metadata", got=", ".join(columns), fix="name its file in dataset.metadata")
    left_out: tuple[str, ...] = ()
    if metadata is None:
        listed = files_by_class(root, ENDINGS, "sound files")
    else:
        rows = read_table(metadata, TableFormat(), "dataset.metadata")
        listed, left_out = listed_files(root, ENDINGS, rows, file_column, label_column, columns)
    called = Labels.of(
        {"label" if name == label_column else name: label for name, label in (labels or {}).items()}, missing=MARKS
    )
    said = called.check(listed)
    form = Format(rate=rate, samples=round(rate * seconds))
    read = read_files(root, listed, form, keep)
    read = replace(read, files=called.apply(read.files), notes=(*left_out, *read.notes))
    kept = _Kept(
        read=read,
        sensitive=called.named(sensitive),
        cluster=called.title(cluster),
        label=str(called.title("label")),
        positive=called.label("label", positive),
    )
    given: SplitBy | None = (
        split if split is None or "column" not in split else {**split, "column": str(called.title(split["column"]))}
    )
    data = _data(kept, seed, form, given, root.name)
    return replace(data, treatments=(*data.treatments, *said))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Kept:
    """Files that can be read, and what their columns mean.

    Args:
        read: The files.
        sensitive: Columns to audit by.
        cluster: The column of what belongs together, or None.
        label: The column of classes.
        positive: The class whose rates a binary audit speaks of, or None.
    """

    read: ReadFiles
    sensitive: tuple[str, ...]
    cluster: str | None
    label: str
    positive: str | None


def _data(kept: _Kept, seed: int, form: Format, split: SplitBy | None, source: str) -> Data:
    read, sensitive, positive = kept.read, kept.sensitive, kept.positive
    files, labels = read.files, read.files[kept.label].astype(str)
    classes = tuple(sorted(labels.unique()))
    division = folder_division(split, files, seed=seed, cluster=kept.cluster)
    clusters = clusters_of(files, kept.cluster, Cells())
    parts = divide(labels, division, kept_together(files, clusters, kept.cluster, division, Cells()))
    groups = files[list(sensitive)].fillna(MISSING).astype(object) if sensitive else None
    codes = torch.as_tensor(np.asarray(pd.Index(classes).get_indexer(pd.Index(labels)), dtype=np.int64))
    splits = {
        name: Split(
            inputs=taken(read.inputs, rows),
            rows=files["file"].to_numpy(dtype=object)[rows],
            target=codes[rows],
            groups=None if groups is None else groups.iloc[rows].reset_index(drop=True),
            clusters=clusters.of(rows),
        )
        for name, rows in parts.items()
    }
    target = Target(name=kept.label, kind="class", classes=classes, positive=checked_positive(positive, classes))
    schema = Schema(
        modality="audio",
        shape=(form.samples,),
        target=target,
        sensitive=sensitive,
        unit="clip",
        facts=AudioFacts(rate=form.rate),
    )

    return Data(
        split=division.how,
        schema=schema,
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        treatments=tuple(division.treatments(parts, clusters.names)),
        notes=(
            *read.notes,
            *([] if division.words else [division.sentence(parts)]),
            *clusters.notes,
            *absent_notes(splits, classes, schema.unit),
        ),
        source=source,
    )
