"""Counting equal rows where the data is: one group-by, written once, run by DuckDB in this process or by Spark on a cluster."""

import glob
import importlib.util
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import narwhals as nw
import pandas as pd

from glassbench.errors import ComponentError, DataError, suggest
from glassbench_plugins.tabular.reading import Format

Engine = Literal["auto", "memory", "duckdb", "spark"]

COUNT = "glassbench count"
"""The column of counts; a data set's own column of this name is refused by the engines."""

LARGE = 64 * 2**20
"""Bytes of files from which rows are counted by DuckDB unless an experiment says otherwise."""

MOST = 1_000_000
"""The most different rows; beyond, they are no counts any more."""

_PARQUET = (".parquet", ".pq")
_OFFLINE = {"autoinstall_known_extensions": "false"}
"""DuckDB would fetch an extension, for an uncommon encoding say, from its own server."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of one table.

    Args:
        paths: The files, all Parquet or all text.
        form: How text files hold the table.
        cluster: Where Spark runs.
    """

    paths: tuple[Path, ...]
    form: Format
    cluster: str = "local[2]"

    @property
    def parquet(self) -> bool:
        """Whether they are Parquet files."""
        return all(path.suffix in _PARQUET for path in self.paths)

    @property
    def separator(self) -> str:
        """What stands between the cells of text files."""
        return self.form.separator or ("\t" if ".tsv" in self.paths[0].suffixes else ",")


def chosen_engine(engine: Engine, files: Files, *, countable: bool) -> Engine:
    """Return the engine that `auto` stands for: DuckDB for large files whose rows may be counted, else memory."""
    if engine != "auto":
        return engine
    known = all(path.suffix in (*_PARQUET, ".csv", ".tsv", ".gz") for path in files.paths)
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
    for path in files.paths:
        if not path.exists():
            raise DataError("there is no such file", got=str(path), where="dataset.path")
    mixed = any((path.suffix in _PARQUET) != files.parquet for path in files.paths)
    if mixed:
        raise DataError("Parquet and text files cannot be counted together", got=", ".join(path.name for path in files.paths))
    return (_by_spark if engine == "spark" else _by_duckdb)(files, list(dict.fromkeys(columns)))


def _grouped(table: Any, columns: list[str]) -> pd.DataFrame:
    """Run the group-by on a native lazy table."""
    rows = nw.from_native(table)
    known = rows.collect_schema().names()
    for name in columns:
        if name not in known:
            raise DataError(f"there is no column '{name}'", got=name, available=known, fix=suggest(name, known))
    counted = rows.group_by(*columns).agg(nw.len().alias(COUNT)).sort(*columns).head(MOST + 1)
    frame: pd.DataFrame = counted.collect(backend="pyarrow").to_native().to_pandas()
    if len(frame) > MOST:
        raise DataError(
            f"more than {MOST:,} rows are different: these are no groups to count",
            got=", ".join(columns),
            fix="cut numbers into bands in the file, or leave a column out",
        )
    if frame.empty:
        raise DataError("the table is empty", got="0 rows", where="dataset.path")
    return frame


def _by_duckdb(files: Files, columns: list[str]) -> pd.DataFrame:
    import duckdb  # half a second to import, and only large files need it

    names = [glob.escape(str(path)) for path in files.paths]  # a name is no pattern
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(config={**_OFFLINE, "temp_directory": spill}) as connection:
        try:
            table = (
                connection.read_parquet(names, hive_partitioning=False)
                if files.parquet
                else connection.read_csv(
                    names,  # type: ignore[arg-type]  # the stubs know one path only
                    header=not files.form.columns,
                    sep=files.separator,
                    all_varchar=True,
                    hive_partitioning=False,  # a folder's name says nothing of the rows
                    quotechar='"' if files.form.quotes else "",
                    encoding=files.form.encoding,
                )
            )
            return _grouped(table, columns)
        except duckdb.Error as error:
            raise _unreadable(str(error)) from error


def _by_spark(files: Files, columns: list[str]) -> pd.DataFrame:
    if importlib.util.find_spec("pyspark") is None:
        raise ComponentError("--engine spark needs PySpark", got="no pyspark", fix="pip install 'glassbench[spark]' (and Java)")
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    try:
        session = running or _spark(SparkSession.builder, files.cluster)
    except Exception as error:  # without Java, or a cluster, PySpark raises errors of many kinds
        raise DataError("Spark cannot be started", got=str(error).splitlines()[0][:200], where="dataset.cluster") from error
    paths = [str(path) if "://" in str(path) else path.absolute().as_uri() for path in files.paths]
    try:
        return _grouped(session.read.parquet(*paths) if files.parquet else _text(session, files, paths), columns)
    except (PySparkException, Py4JError) as error:
        raise _unreadable(str(error)) from error
    finally:
        if running is None:
            session.stop()


def _spark(builder: Any, cluster: str) -> Any:
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.csv.parser.columnPruning.enabled": "false",
    }
    if cluster.startswith("local"):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # no other machine need listen
    made = builder.master(cluster).appName("glassbench")
    for name, value in settings.items():
        made = made.config(name, value)
    session = made.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def _text(session: Any, files: Files, paths: list[str]) -> Any:
    """Read text files as text; a row of another length stops the reading."""
    options = {"header": True, "sep": files.separator, "mode": "FAILFAST", "encoding": files.form.encoding}
    return session.read.options(**options).csv(paths)


def _unreadable(said: str) -> DataError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = next((m.group(1) for text in lines if (m := re.search(r"CSV Error on Line: (\d+)", text))), None)
    telling = (text for text in lines if re.search("Expected Number|[Mm]alformed", text))
    wrong = next(telling, lines[0] if lines else "")
    return DataError(
        "the file cannot be read" if line is None else "a row has another number of cells than there are columns",
        got=wrong[:200],
        where="dataset.path" if line is None else f"dataset.path, line {line}",
    )
