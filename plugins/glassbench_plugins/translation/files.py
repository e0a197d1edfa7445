"""Any pairs of texts in files, as a data set."""

from pathlib import Path

import numpy as np
import pandas as pd

from glassbench.data import Data
from glassbench.errors import DataError
from glassbench_plugins.tabular.cells import MARKS
from glassbench_plugins.tabular.columns import require_columns
from glassbench_plugins.tabular.groups import Band
from glassbench_plugins.tabular.reading import Format
from glassbench_plugins.tabular.splits import Division, Part, Positions, named_parts
from glassbench_plugins.text.encoder import as_texts
from glassbench_plugins.text.files import read_lines, read_texts
from glassbench_plugins.text.table import Reading
from glassbench_plugins.text.vocabulary import Kind
from glassbench_plugins.translation.pairs import PairColumns, pair_data

Pairs = str | tuple[str, str]
WORDS = "words"
"""What the number of words of a source is called."""


def text_pairs(
    seed: int,
    *,
    path: Pairs,
    validation_path: Pairs | None = None,
    test_path: Pairs | None = None,
    split_column: str | None = None,
    source: str = "source",
    target: str = "target",
    sensitive: tuple[str | Band, ...] = (),
    missing: tuple[str, ...] = MARKS,
    tokens: Kind = "pieces",
    vocabulary: int = 8000,
    rare: int = 2,
    lowercase: bool = False,
    context: int = 64,
    unit: str = "pair",
    separator: str | None = None,
    columns: tuple[str, ...] = (),
    quotes: bool = True,
    encoding: str = "utf-8",
    validation_share: float = 0.05,
    test_share: float = 0.1,
) -> Data:
    """Two parallel text files, or any CSV, TSV, JSON Lines or Parquet file with two columns of texts.

    Both vocabularies are learnt from the training pairs alone. Pairs with an empty side are left out; of a source longer than the
    context the first tokens are read, and of such an answer the first are learnt; all is counted in the data's notes. Pairs of
    the same source stay in one part. A table without a column `words` gets one, the number of words of the source, to audit by.

    Args:
        seed: Seed of the split.
        path: A table, or two files whose lines belong together, `[source file, target file]`; relative to the current folder,
            `.gz`, `.bz2` and `.xz` are unpacked.
        validation_path: Official validation pairs, given in the same way.
        test_path: Official test pairs; `path` is then for training, and for validation unless that is given too.
        split_column: A column that says `train`, `validation` or `test` for each row, instead of a random split.
        source: The column of what is read, and what the first of two files is called.
        target: The column of what is written, and what the second of two files is called.
        sensitive: Metadata to audit by: a column's name, or a number cut into bands, `{column: words, bins: [10, 20]}`.
        missing: Texts that mean a sensitive value is missing.
        tokens: What a token is: pieces of words (byte-level pair encoding), words or characters; words lose the blanks between.
        vocabulary: Most tokens of each vocabulary.
        rare: A word or a pair of pieces seen fewer times in the training texts gets no token of its own.
        lowercase: Whether capitals are read and written as small letters.
        context: Tokens of a text, at most; of an answer its end is one.
        unit: What one pair is, in the singular, for the report.
        separator: What stands between cells; a tab in `.tsv` files and a comma elsewhere unless given.
        columns: Names of the columns of a file without a header.
        quotes: Whether cells may stand in double quotes; without, a quote is a character like any other.
        encoding: Character encoding of text files.
        validation_share: Share of the pairs for validation, of the training pairs where the test pairs are given.
        test_share: Share of the pairs for testing, where they are not given.
    """
    form = Format(separator=separator, columns=columns, encoding=encoding, quotes=quotes)
    paths: dict[Part, Pairs | None] = {"train": path, "validation": validation_path, "test": test_path}
    given = {part: each for part, each in paths.items() if each is not None}
    frame, positions = _read(given, split_column, form, (source, target))
    reading = Reading(tokens=tokens, size=vocabulary, rare=rare, lowercase=lowercase, context=context)
    meaning = PairColumns(source=source, target=target, sensitive=sensitive, missing=missing, reading=reading, writing=reading)
    return pair_data(
        _counted(frame, source),
        meaning,
        Division(seed=seed, validation=validation_share, test=test_share, given=positions),
        unit=unit,
        source="; ".join(_named(each) for each in given.values()),
    )


def _read(
    paths: dict[Part, Pairs], split_column: str | None, form: Format, names: tuple[str, str]
) -> tuple[pd.DataFrame, Positions | None]:
    """Return all pairs, and which are of which part where that is given."""
    if "validation" in paths and "test" not in paths:
        raise DataError("validation pairs are given, but no test pairs", where="dataset.validation_path", fix="give test_path")
    if split_column is not None and len(paths) > 1:
        raise DataError("other files and split_column both say which pairs are for testing", where="dataset", fix="remove one")
    settings = {"train": "path", "validation": "validation_path", "test": "test_path"}
    frames = {part: read_pairs(each, form, names, f"dataset.{settings[part]}") for part, each in paths.items()}
    whole = pd.concat(frames.values(), ignore_index=True)
    if split_column is not None:
        require_columns(whole.columns, [split_column], "dataset.split_column")
        return whole, named_parts(whole[split_column])
    if len(frames) == 1:
        return whole, None
    ends = np.cumsum([len(frame) for frame in frames.values()])
    return whole, {part: np.arange(end - len(frames[part]), end) for part, end in zip(frames, ends, strict=True)}


def read_pairs(path: Pairs, form: Format, names: tuple[str, str], where: str) -> pd.DataFrame:
    """Read pairs from a table, or from two files whose lines belong together.

    Raises:
        DataError: A file isn't there or is damaged, or the two are of different length.
    """
    if isinstance(path, str):
        return read_texts(path, form, where)
    lines = [read_lines(each, form.encoding, where) for each in path]
    counts = [len(each) for each in lines]
    if counts[0] != counts[1]:
        raise DataError(
            "the two files are not aligned: each line of the one must belong to the same line of the other",
            got=" and ".join(f"{Path(each).name}: {count} lines" for each, count in zip(path, counts, strict=True)),
            where=where,
            fix="restore the missing lines; an empty line keeps the place of a text that is absent",
        )
    if not counts[0]:
        raise DataError("the files are empty", got=_named(path), where=where)
    return pd.DataFrame(dict(zip(names, lines, strict=True)))


def _counted(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    if WORDS in frame.columns or source not in frame.columns:
        return frame
    return frame.assign(**{WORDS: [len(text.split()) for text in as_texts(frame[source])]})


def _named(path: Pairs) -> str:
    return Path(path).name if isinstance(path, str) else " and ".join(Path(each).name for each in path)
