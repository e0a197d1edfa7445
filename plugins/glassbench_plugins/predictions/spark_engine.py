"""Counting rows with Spark, on a cluster or in processes of this machine."""

import importlib.util
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glassbench.errors import ComponentError, DataError
from glassbench_plugins.predictions.files import Files
from glassbench_plugins.predictions.group_by import OpenTable, distinct_values, plain_names, unreadable

MASTER = "GLASSBENCH_SPARK_MASTER"
"""The environment variable that names the cluster: an experiment's file must not choose who is sent the rows."""


@contextmanager
def open_in_spark(files: Files, known: list[str]) -> Iterator[OpenTable]:
    """Open files of `known` columns as a table of Spark; see `open_table`."""
    if importlib.util.find_spec("pyspark") is None:
        raise ComponentError("--engine spark needs PySpark", got="no pyspark", fix="pip install 'glassbench[spark]' (and Java)")
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    try:
        session = running or _session(SparkSession.builder, os.environ.get(MASTER, "local[2]"))
    except Exception as error:  # without Java, or a cluster, PySpark raises errors of many kinds
        raise DataError("Spark cannot be started", got=str(error).splitlines()[0][:200], where=MASTER) from error
    paths = [_literal(path) for path in files.paths]
    names = plain_names(known)
    try:
        table = session.read.parquet(*paths).toDF(*names.values()) if files.parquet else _text(session, files, paths, names)
        yield OpenTable(
            table=table,
            names=names,
            distinct=lambda columns: tuple(table.selectExpr(*distinct_values(columns).split(", ")).collect()[0]),
        )
    except (PySparkException, Py4JError) as error:
        raise unreadable(str(error)) from error
    finally:
        if running is None:
            session.stop()


def _session(builder: Any, cluster: str) -> Any:
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


def _literal(path: Path) -> str:
    """Return a path whose characters are no pattern to Hadoop."""
    return "file://" + re.sub(r"([{}\[\]*?\\])", r"\\\1", str(path.absolute()))


def _text(session: Any, files: Files, paths: list[str], names: Mapping[str, str]) -> Any:
    """Read text files as text; a row of another length stops the reading."""
    from pyspark.sql.types import StringType, StructField, StructType

    quote = '"' if files.form.quotes else ""
    options = {
        "header": not files.form.columns,
        "sep": files.separator,
        "mode": "FAILFAST",
        "encoding": files.form.encoding or "utf-8",
        "quote": quote,
        "escape": quote,
        "multiLine": files.form.quotes,  # a quoted cell may hold line ends
    }
    schema = StructType([StructField(name, StringType()) for name in names.values()])
    return session.read.options(**options).csv(paths, schema=schema)
