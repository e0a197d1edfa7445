"""Counting rows with DuckDB, in this process."""

import glob
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from glassbench_plugins.predictions.files import Files
from glassbench_plugins.predictions.group_by import OpenTable, distinct_values, plain_names, unreadable

_OFFLINE = {"autoinstall_known_extensions": "false"}
"""DuckDB would fetch an extension, for an uncommon encoding say, from its own server."""


@contextmanager
def open_in_duckdb(files: Files, known: list[str]) -> Iterator[OpenTable]:
    """Open files of `known` columns as a table of DuckDB; see `open_table`."""
    import duckdb  # half a second to import, and only large files need it

    paths = [glob.escape(str(path)) for path in files.paths]  # a name is no pattern
    names = plain_names(known)
    renamed = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" AS {plain}' for name, plain in names.items())
    quote = '"' if files.form.quotes else ""
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(config={**_OFFLINE, "temp_directory": spill}) as connection:
        try:
            table = (
                connection.read_parquet(paths, hive_partitioning=False)
                if files.parquet
                else connection.read_csv(
                    paths,  # type: ignore[arg-type]  # the stubs know one path only
                    header=not files.form.columns,
                    names=known,
                    sep=files.separator,
                    all_varchar=True,
                    hive_partitioning=False,  # a folder's name says nothing of the rows
                    quotechar=quote,
                    escapechar=quote,
                    encoding=files.form.encoding or "utf-8",
                )
            ).project(renamed)
            yield OpenTable(
                table=table, names=names, distinct=lambda columns: table.aggregate(distinct_values(columns)).fetchall()[0]
            )
        except duckdb.Error as error:
            raise unreadable(str(error)) from error
