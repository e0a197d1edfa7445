"""Files in the form of CrowS-Pairs: a table with a sentence that stereotypes more and one that does less."""

from pathlib import Path

import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.reading.tables import Format, read_table
from glassbench_audits.stereotypes.pairs import Pair, shared_words

COLUMNS = ("sent_more", "sent_less", "bias_type")
TEMPLATE = "template"


def crows_pairs(path: Path, where: str) -> list[Pair]:
    """Return the pairs of a CSV, TSV or Parquet file (Nangia et al. 2020).

    Pairs are of one template where the column `template` says so, else where their sentences share all words but those that
    differ.

    Raises:
        DataError: The file cannot be read, a column is missing, or a sentence is.
    """
    table = read_table(path, Format(), where)
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise DataError(
            f"the file lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            got=f"{path.name}: {', '.join(map(str, table.columns))}"[:300],
            where=where,
            fix=f"give a table with the columns {', '.join(COLUMNS)}, or say which format the file has",
        )
    texts = {name: table[name].astype("string").fillna("").str.strip() for name in (*COLUMNS, *_named(table))}
    for name, column in texts.items():
        if (column == "").any():
            row = int((column == "").to_numpy().argmax())
            fix = "fill the cell, or leave the pair out"
            raise DataError(f"a pair has no '{name}'", got=f"{path.name}, row {row + 1}", where=where, fix=fix)
    names = texts.get(TEMPLATE, [None] * len(table))
    return [
        Pair(kind=str(kind), more=str(more), less=str(less), template=str(name or shared_words(str(more), str(less))))
        for more, less, kind, name in zip(*(texts[column] for column in COLUMNS), names, strict=True)
    ]


def _named(table: pd.DataFrame) -> tuple[str, ...]:
    return (TEMPLATE,) if TEMPLATE in table.columns else ()
