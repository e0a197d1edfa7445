"""Any pairs of texts in files, as a data set."""

from pathlib import Path

import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.reading.tables import Format
from glassbench.toolkit.splits.split_by import SplitBy, division_of
from glassbench_plugins.text.encoder import as_texts
from glassbench_plugins.text.files import read_lines, read_texts
from glassbench_plugins.text.table import Reading
from glassbench_plugins.text.vocabulary import Kind
from glassbench_plugins.translation.pairs import PairColumns, pair_data

Pairs = str | Path | tuple[str | Path, str | Path]
WORDS = "words"
"""What the number of words of a source is called."""


def text_pairs(
    seed: int,
    *,
    path: Path | tuple[Path, Path],
    split: SplitBy | None = None,
    source: str = "source",
    target: str = "target",
    sensitive: tuple[str | Band, ...] = (),
    missing: tuple[str, ...] = MARKS,
    tokens: Kind = "pieces",
    vocabulary: Count = 8000,
    rare: Count = 2,
    lowercase: bool = False,
    context: Count = 64,
    unit: str = "pair",
    separator: str | None = None,
    columns: tuple[str, ...] = (),
    quotes: bool = True,
    encoding: str | None = None,
) -> Data:
    """Two parallel text files, or any CSV, TSV, JSON Lines or Parquet file with two columns of texts.

    Both vocabularies are learnt from the training pairs alone. Pairs with an empty side are left out; of a source longer than the
    context the first tokens are read, and of such an answer the first are learnt; all is counted in the data's notes. Pairs of
    the same source stay in one part. A table without a column `words` gets one, the number of words of the source, to audit by.

    Args:
        seed: Seed of the split.
        path: A table, or two files whose lines belong together, `[source file, target file]`; relative to the current folder,
            `.gz`, `.bz2` and `.xz` are unpacked.
        split: How pairs are divided: `{by: random, validation: 0.05, test: 0.1}` unless given;
            `{by: file, test: [test.en, test.fr]}` takes the test pairs, and the validation pairs likewise, from other files; by
            `date`, `cluster` or `column` of a table, as in the data set `table`.
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
        separator: What stands between cells; what cuts the first lines alike unless given.
        columns: Names of the columns of a file without a header.
        quotes: Whether cells may stand in double quotes; without, a quote is a character like any other.
        encoding: Character encoding of text files.
    """
    form = Format(separator=separator, columns=columns, encoding=encoding, quotes=quotes)
    frame, division = division_of(
        split,
        read_pairs(path, form, (source, target), "dataset.path"),
        seed=seed,
        cells=Cells(missing=missing),
        shares=(0.05, 0.1),
        read=lambda further, where: read_pairs(further, form, (source, target), where),
    )
    reading = Reading(tokens=tokens, size=vocabulary, rare=rare, lowercase=lowercase, context=context)
    meaning = PairColumns(source=source, target=target, sensitive=sensitive, missing=missing, reading=reading, writing=reading)
    return pair_data(
        _counted(frame, source),
        meaning,
        division,
        unit=unit,
        source=_named(path),
    )


def read_pairs(path: Pairs, form: Format, names: tuple[str, str], where: str) -> pd.DataFrame:
    """Read pairs from a table, or from two files whose lines belong together.

    Raises:
        DataError: A file isn't there or is damaged, or the two are of different length.
    """
    if isinstance(path, str | Path):
        return read_texts(str(path), form, where)
    lines = [read_lines(str(each), form.encoding or "utf-8", where) for each in path]
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
    return Path(path).name if isinstance(path, str | Path) else " and ".join(Path(each).name for each in path)
