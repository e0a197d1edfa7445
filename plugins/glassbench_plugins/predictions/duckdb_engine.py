"""Counting rows with DuckDB, in this process."""

import glob
import tempfile

import pandas as pd

from glassbench_plugins.predictions.files import Files
from glassbench_plugins.predictions.group_by import grouped, plain_names, unreadable

_OFFLINE = {"autoinstall_known_extensions": "false"}
"""DuckDB would fetch an extension, for an uncommon encoding say, from its own server."""


def count_by_duckdb(files: Files, columns: list[str], known: list[str]) -> pd.DataFrame:
    """Count rows by `columns`, of all that are `known`; see `count_rows`."""
    import duckdb  # half a second to import, and only large files need it

    paths = [glob.escape(str(path)) for path in files.paths]  # a name is no pattern
    names = plain_names(columns)
    chosen = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" AS {plain}' for name, plain in names.items())
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
            )
            return grouped(table.project(chosen), names)
        except duckdb.Error as error:
            raise unreadable(str(error)) from error
