"""The answer to a query as a table: SQL by DuckDB over Parquet, CSV and SQLite."""

import glob
import re
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from glassbench.contracts.data import Data
from glassbench.errors import DataError, said, suggest
from glassbench.stats.settings_types import Count, CountOrZero, Name
from glassbench.storage.data_files import check_data_file
from glassbench.toolkit.cells.cells import MARKS, Strange
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.cells.kinds import Kind
from glassbench.toolkit.cells.value_labels import LabelSettings
from glassbench.toolkit.splits.split_by import SplitBy
from glassbench.toolkit.table.column_roles import Scale, TargetKind
from glassbench_plugins.tabular.files import table

_SQLITE = b"SQLite format 3\x00"
_SERVER = re.compile(r"postgres(?:ql)?:/+")
_ASKS_SERVER = re.compile(r"\bpostgres_\w+\s*\(", re.IGNORECASE)
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "threads": "1",
}
"""Nothing is fetched from a server, no variable of Python is a table; with one thread, rows come in the same order each time."""


def sql(
    seed: int,
    *,
    query: str,
    sources: dict[str, Path],
    target: Name | tuple[Name, ...] | None = None,
    split: SplitBy | None = None,
    kind: TargetKind = "auto",
    positive: Name | None = None,
    favourable: Name | tuple[Name, ...] | None = None,
    sensitive: tuple[str | Band, ...] = (),
    sensitive_as_input: bool = False,
    cluster: str | None = None,
    weight: str | None = None,
    drop: tuple[str, ...] = (),
    types: dict[str, Kind] | None = None,
    missing: tuple[str, ...] = MARKS,
    strange: Strange = "refuse",
    scale: Scale = "standard",
    max_categories: Count = 50,
    labels: LabelSettings | None = None,
    units: dict[str, str] | None = None,
    decimals: dict[str, CountOrZero] | None = None,
    unit: str = "row",
) -> Data:
    """The answer to a query over Parquet, CSV and SQLite files, by DuckDB; one SELECT that sees the named sources alone.

    Args:
        seed: Seed of the split.
        query: One SELECT statement of DuckDB's SQL. It can read no other file, write nothing and load no extension.
        sources: What the query calls each source: a Parquet or CSV file, a folder of Parquet files (partitions named `key=value`
            become columns), a SQLite file, whose tables are `name.table`, or the address of a Postgres database
            (`postgresql://user@host/database`), whose tables are `name.schema.table`.
        target: The column to be predicted, or several that are labels.
        split: How rows are divided, as of the data set `table`.
        kind: Whether the target is a `class` or a `value`.
        positive: The class whose rates a binary audit speaks of.
        favourable: The outcome that is good for a person.
        sensitive: Features to audit by: a column's name, or a number cut into bands.
        sensitive_as_input: Whether the model may see the sensitive columns.
        cluster: A column whose rows with the same value are not independent.
        weight: A column of survey or sample weights.
        drop: Columns to leave out.
        types: Kinds of columns where inference is wrong.
        missing: Texts that mean a value is missing.
        strange: What becomes of a few cells in a column of numbers that are none.
        scale: Whether numbers are standardised or kept in their own units.
        max_categories: Most categories of a column that get an encoded column of their own.
        labels: Names for people of values and columns.
        units: Units of columns, for the report.
        decimals: Digits after the point with which values of columns are shown.
        unit: What one row is, in the singular, for the report.

    Raises:
        DataError: A source is missing, the query fails or is no SELECT, or its answer cannot be used as a table.
    """
    settings = {name: value for name, value in locals().items() if name not in ("seed", "query", "sources")}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.parquet"
        pq.write_table(_answer(query, sources), answer)
        data = table(seed, path=answer, **settings)
    return replace(data, source=f"a query over {', '.join(f'{name} ({_shown(path)})' for name, path in sources.items())}")


def _answer(query: str, sources: Mapping[str, Path]) -> Any:
    """Return the answer to a query as an Arrow table."""
    if not sources:
        raise DataError("the query has no source", where="dataset.sources", fix="sources: {loans: loans.parquet}")
    servers = {name: source for name, source in sources.items() if _SERVER.match(str(source))}
    if servers and _ASKS_SERVER.search(query):
        got = "a function of DuckDB's postgres extension, which could send the server any statement"
        raise DataError("the query reads tables and calls no server", got=got, where="dataset.query")
    with duckdb.connect(config=_CLOSED) as connection:
        for name, source in servers.items():
            _attach_postgres(connection, name, str(source))
        files = {name: Path(source).expanduser() for name, source in sources.items() if name not in servers}
        paths = [path for name, source in files.items() for path in _opened(connection, name, source)]
        allowed = ", ".join(_quoted(str(path)) for path in paths)
        connection.execute(f"SET allowed_paths=[{allowed}]")
        connection.execute("SET enable_external_access=false")
        connection.execute("SET lock_configuration=true")
        try:
            statements = connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                got = ", ".join(str(one.type).rpartition(".")[2] for one in statements) or "nothing"
                raise DataError("query takes one SELECT statement", got=got, where="dataset.query")
            return connection.sql(query).to_arrow_table()
        except duckdb.Error as error:
            names = [name for (name,) in connection.execute("SELECT DISTINCT table_name FROM duckdb_columns()").fetchall()]
            raise DataError("the query failed", got=said(error), available=sorted(names), where="dataset.query") from error


def _attach_postgres(connection: duckdb.DuckDBPyConnection, name: str, source: str) -> None:
    """Let a query read the tables of a Postgres database under a name, by DuckDB's extension where it is installed."""
    where = f"dataset.sources.{name}"
    address = _SERVER.sub("postgresql://", source)
    user, at, _ = address.removeprefix("postgresql://").rpartition("@")
    if at and ":" in user:
        fix = "leave it out; Postgres reads it from the variable PGPASSWORD or from ~/.pgpass"
        raise DataError("a password does not belong into an experiment, which is stored", where=where, fix=fix)
    try:
        connection.execute("LOAD postgres")
    except duckdb.Error as error:
        raise DataError(
            "DuckDB's extension for Postgres is not installed here, and an experiment fetches none",
            where=where,
            got=said(error),
            available=["Parquet", "CSV", "SQLite"],
            fix="with a network: python -c \"import duckdb; duckdb.sql('INSTALL postgres')\"; without: name a Parquet file that "
            "COPY (SELECT ...) TO 'rows.parquet' wrote elsewhere",
        ) from error
    try:
        connection.execute(f"ATTACH {_quoted(address)} AS {_named(name)} (TYPE postgres, READ_ONLY)")
    except duckdb.Error as error:
        raise DataError("the Postgres database cannot be opened", got=said(error), where=where) from error


def _shown(source: Path) -> str:
    """Return a file's name, or that it is a server, whose address may hold what is nobody's business."""
    return "Postgres" if _SERVER.match(str(source)) else Path(source).name


def _opened(connection: duckdb.DuckDBPyConnection, name: str, source: Path) -> list[Path]:
    """Let a query see a source under a name; return the files that it is read from."""
    where, quoted = f"dataset.sources.{name}", _named(name)
    if source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.suffix in (".parquet", ".pq"))
        if not files:
            raise DataError("the folder holds no Parquet files", got=str(source), where=where)
        _view(connection, quoted, f"read_parquet({_listed(files)}, hive_partitioning=true)", where)
        return files
    check_data_file(source, where)
    with source.open("rb") as file:
        head = file.read(len(_SQLITE))
    if head == _SQLITE:
        _copy_sqlite(connection, quoted, source, where)
        return []
    if source.suffix not in (".parquet", ".pq", ".csv", ".tsv", ".txt"):
        fix = suggest(source.suffix, [".parquet", ".csv"])
        raise DataError("a source is a Parquet, CSV or SQLite file, or a folder", got=source.name, where=where, fix=fix)
    reader = "read_parquet" if source.suffix in (".parquet", ".pq") else "read_csv"
    _view(connection, quoted, f"{reader}({_listed([source])}, hive_partitioning=false)", where)
    return [source]


def _view(connection: duckdb.DuckDBPyConnection, quoted: str, reader: str, where: str) -> None:
    try:
        connection.execute(f"CREATE VIEW {quoted} AS SELECT * FROM {reader}")
    except duckdb.Error as error:
        raise DataError("the source cannot be read", got=said(error), where=where) from error


def _copy_sqlite(connection: duckdb.DuckDBPyConnection, quoted: str, source: Path, where: str) -> None:
    """Copy the tables of a SQLite file into a schema; DuckDB's own reader is an extension that would have to be fetched."""
    connection.execute(f"CREATE SCHEMA {quoted}")
    try:
        with sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True) as file:
            found = file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
            for (name,) in found:
                frame = pd.read_sql_query(f"SELECT * FROM {_named(name)}", file)
                connection.register("copied", frame)
                connection.execute(f"CREATE TABLE {quoted}.{_named(name)} AS SELECT * FROM copied")
                connection.unregister("copied")
    except (sqlite3.Error, pd.errors.DatabaseError, duckdb.Error) as error:
        raise DataError("the SQLite file cannot be read", got=said(error), where=where) from error
    finally:
        file.close()


def _listed(paths: list[Path]) -> str:
    return "[" + ", ".join(_quoted(glob.escape(str(path))) for path in paths) + "]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
