"""Counting equal rows where the data is, without a table in memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import pandas as pd

from glassbench.errors import DataError
from glassbench.storage.data_files import check_streamed
from glassbench.toolkit.reading.tables import PARQUET, column_names
from glassbench_plugins.predictions.duckdb_engine import open_in_duckdb
from glassbench_plugins.predictions.files import Files, check_columns
from glassbench_plugins.predictions.group_by import OpenTable, grouped
from glassbench_plugins.predictions.spark_engine import open_in_spark

Engine = Literal["auto", "memory", "duckdb", "spark"]

LARGE = 64 * 2**20
"""Bytes of files from which rows are counted by DuckDB unless an experiment says otherwise."""


def chosen_engine(engine: Engine, files: Files, *, countable: bool) -> Engine:
    """Return the engine that `auto` stands for: DuckDB for large files whose rows may be counted, else memory."""
    if engine != "auto":
        return engine
    known = all(path.suffix in (*PARQUET, ".csv", ".tsv", ".gz") for path in files.paths)
    size = sum(path.stat().st_size for path in files.paths if path.is_file())
    return "duckdb" if countable and known and size >= LARGE else "memory"


def count_rows(files: Files, columns: Sequence[str], engine: Engine) -> pd.DataFrame:
    """Return the different rows of some columns and how many there are of each, in the column `COUNT`.

    Args:
        files: The files.
        columns: The columns that tell rows apart.
        engine: `duckdb` or `spark`.

    Raises:
        DataError: A file cannot be read, a column is missing, or there are too many different rows.
        ComponentError: The engine is not installed.
    """
    with open_table(files, engine) as opened:
        check_columns(list(opened.names), columns)
        return grouped(opened, list(dict.fromkeys(columns)))


@contextmanager
def open_table(files: Files, engine: Engine) -> Iterator[OpenTable]:
    """Open the table of files where it is, for as long as the context lasts.

    Args:
        files: The files.
        engine: `duckdb` or `spark`.

    Raises:
        DataError: A file cannot be read, or files differ in form or columns.
        ComponentError: The engine is not installed.
    """
    for path in files.paths:
        check_streamed(path)
    mixed = any((path.suffix in PARQUET) != files.parquet for path in files.paths)
    if mixed:
        raise DataError("Parquet and text files cannot be counted together", got=", ".join(path.name for path in files.paths))
    headers = [column_names(path, files.form) for path in files.paths]
    files.check_alike(headers)
    if not headers[0]:
        raise DataError("the table is empty", got="no columns", where="dataset.path")
    with (open_in_spark if engine == "spark" else open_in_duckdb)(files, headers[0]) as opened:
        yield opened
