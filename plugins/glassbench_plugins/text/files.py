"""Any table of labelled texts, as a data set."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, CountOrZero, Name
from glassbench.storage.data_files import read_data_file
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.cells.value_labels import Labels, LabelSettings
from glassbench.toolkit.reading.folder_parts import folder_division
from glassbench.toolkit.reading.tables import Format, read_table
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.split_by import SplitBy, division_of, one_file
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.text.encoder import TextEncoder
from glassbench_plugins.text.folder import folder_texts
from glassbench_plugins.text.table import Reading, Repeated, TextColumns, text_data
from glassbench_plugins.text.vocabulary import Kind

_LINES = {".jsonl", ".ndjson"}


def text_table(
    seed: int,
    *,
    path: str,
    text: str,
    target: str,
    split: SplitBy | None = None,
    fold: Fold | None = None,
    positive: Name | None = None,
    sensitive: tuple[str | Band, ...] = (),
    cluster: str | None = None,
    labels: LabelSettings | None = None,
    missing: tuple[str, ...] = MARKS,
    repeated: Repeated = "together",
    tokens: Kind = "words",
    vocabulary: Count = 8000,
    rare: Count = 2,
    lowercase: bool = True,
    tokenizer: str | None = None,
    context: Count = 64,
    decimals: dict[str, CountOrZero] | None = None,
    unit: str = "text",
    separator: str | None = None,
    columns: tuple[str, ...] = (),
    quotes: bool = True,
    encoding: str | None = None,
) -> Data:
    """Any CSV, TSV, JSON Lines or Parquet file with a column of texts and a column of classes, or a folder of texts.

    In a folder a text's class is the folder it lies in, `path/praise/1.txt`: the columns are `text`, `label` and `file`; where
    `path` has folders `train` and `test` the classes lie in those. A table beside the texts, such as `labels.csv`, may name each
    file and its class instead; its columns stand in place of `label`.
    The vocabulary is learnt from the training texts alone. An empty text reads as one unknown token; of a text longer than the
    context the first tokens are read; both are counted in the data's notes.

    Args:
        seed: Seed of the split.
        path: The file, relative to the current folder: Parquet or JSON Lines by its ending, else text with a header; `.gz`,
            `.bz2` and `.xz` are unpacked.
        text: The column of texts.
        target: The column of classes.
        fold: The fold of cross-validation that is for testing; a study sets it. For tables, at random and by cluster.
        split: How rows are divided: `{by: random, validation: 0.1, test: 0.1}` unless given; by `date`, `cluster` (a column whose
            rows stay together), `column` (which names the part of each row) or `file`, as in the data set `table`.
        positive: The class whose rates a binary audit speaks of; of two the one that is no plain no, else the last in order.
        sensitive: Metadata to audit by: a column's name, or a number cut into bands, `{column: age, bins: [30, 50]}`.
        cluster: A column, such as the author, whose texts with the same value are not independent: they go into the same split,
            and audits resample them together.
        labels: Names for people, of values and of columns, as in the data set `table`; the column of texts keeps its name.
        missing: Texts that mean a target or a sensitive value is missing.
        repeated: What becomes of texts that are the same to the letter: they stay `together` in one split, all but the first
            are left out (`drop`), or they are divided like any others (`scatter`), and some are learnt from and judged by.
        tokens: What a token is: words, pieces of words (byte-level pair encoding) or characters.
        vocabulary: Most tokens of the vocabulary.
        rare: A word seen fewer times in the training texts is unknown.
        lowercase: Whether capitals are read as small letters.
        tokenizer: A tokenizer that others trained, instead of a vocabulary of the training texts: a folder with a
            `tokenizer.json`, that file, or a name on the hub; `tokens`, `vocabulary`, `rare` and `lowercase` then say nothing.
        context: Tokens read of a text, at most.
        decimals: Digits after the point with which the bounds of bands are shown, as in the data set `table`.
        unit: What one text is, in the singular, for the report.
        separator: What stands between cells; what cuts the first lines alike unless given.
        columns: Names of the columns of a file without a header.
        quotes: Whether cells may stand in double quotes; without, a quote is a character like any other.
        encoding: Character encoding of a text file.
    """
    form = Format(separator=separator, columns=columns, encoding=encoding, quotes=quotes)
    frame, division, notes = _divided(path, form, split, seed, Cells(missing=missing), cluster, target, fold)
    called = Labels.of({name: label for name, label in (labels or {}).items() if name != text}, missing=missing)
    said = called.check(frame)
    meaning = TextColumns(
        text=text,
        target=str(called.title(target)),
        positive=called.label(target, positive),
        sensitive=tuple(map(called.feature, sensitive)),
        cluster=called.title(cluster),
        missing=missing,
        repeated=repeated,
        decimals=called.keyed(decimals),
    )
    data = text_data(
        called.apply(frame),
        meaning,
        replace(division, together=called.title(division.together)),
        reading=Reading(tokens=tokens, size=vocabulary, rare=rare, lowercase=lowercase, context=context, tokenizer=tokenizer),
        unit=unit,
        source=Path(path).name,
        notes=notes,
    )
    encoder = replace(cast(TextEncoder, data.encoder), called=called)
    return replace(data, encoder=encoder, treatments=(*data.treatments, *said))


def _divided(
    path: str,
    form: Format,
    split: SplitBy | None,
    seed: int,
    cells: Cells,
    cluster: str | None,
    target: str,
    fold: Fold | None,
) -> tuple[pd.DataFrame, Division, tuple[str, ...]]:
    """Return all texts with what is known of them, how they are to be divided, and what was left out."""
    folder, shares = Path(path).expanduser(), (0.1, 0.1)
    if folder.is_dir():
        if fold is not None:
            raise DataError("a folder of texts is not divided into folds", where="dataset.fold", fix="name the texts in a table")
        frame, said = folder_texts(folder, form.encoding, target)
        return frame, folder_division(split, frame, seed=seed, cluster=cluster, shares=shares), said
    frame, division = division_of(
        split,
        read_texts(path, form),
        seed=seed,
        cells=cells,
        cluster=cluster,
        shares=shares,
        read=lambda further, where: read_texts(str(one_file(further, where)), form, where),
        fold=fold,
    )
    return frame, division, ()


def read_texts(path: str, form: Format, where: str = "dataset.path") -> pd.DataFrame:
    """Read a table of texts.

    Raises:
        DataError: The file isn't there, is damaged, or has no row.
    """
    file = Path(path).expanduser()
    if not _LINES & set(file.suffixes):
        return read_table(path, form, where)
    lines = read_lines(path, form.encoding or "utf-8", where)
    records = [_record(line, f"{where}: {file.name}, line {i}") for i, line in enumerate(lines, 1) if line.strip()]
    if not records:
        raise DataError("the table is empty", got=f"{path}: 0 rows", where=where)
    return pd.DataFrame(records)


def read_lines(path: str, encoding: str, where: str) -> list[str]:
    """Read the lines of a text file, unpacked by its ending (`.gz`, `.bz2`, `.xz`).

    Only a line feed ends a line: what else Unicode calls a line's end may stand within a text.

    Raises:
        DataError: The file isn't there or is damaged.
    """
    file = Path(path).expanduser()
    try:
        content = read_data_file(file, where).decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        fix = "set dataset.encoding, for example to latin-1"
        raise DataError("the file cannot be read", got=f"{path}: {error}", where=where, fix=fix) from error
    return [line.removesuffix("\r") for line in content.removesuffix("\n").split("\n")] if content else []


def _record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise DataError("a line is no JSON", got=line[:80], where=where) from error
    if not isinstance(record, dict):
        raise DataError("a line is no JSON object", got=line[:80], where=where)
    return record
