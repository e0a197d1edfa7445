"""Data frames given to a run from Python: kept in the run's folder as Parquet, and read from there like any file."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from glassbench.errors import DataError, ExperimentError
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.plan import Plan
from glassbench.rows.foreign_frames import as_pandas
from glassbench.runs.drafts import draft_folder
from glassbench.storage.files import storage

FRAME = "data.parquet"
"""The file of a run's folder that holds the frame it was given."""


@dataclass(frozen=True, kw_only=True)
class KeptFrame:
    """A frame that was written down for a run which does not exist yet.

    Args:
        path: The Parquet file.
        source: Where the rows come from, for the report.
        notes: What a reader must know of them.
    """

    path: Path
    source: str
    notes: tuple[str, ...] = ()


@contextlib.contextmanager
def kept(data: Any, root: Path) -> Iterator[KeptFrame]:
    """Write a frame beside the runs until its run has a folder of its own; what is not taken into one is removed.

    Args:
        data: A pandas DataFrame, or a frame of a library that narwhals knows.
        root: The folder of all runs.

    Raises:
        DataError: It is no frame, has no rows, or Parquet cannot hold a column.
        RunError: It cannot be written.
    """
    frame = _frame(data)
    with storage(root):
        root.mkdir(parents=True, exist_ok=True)
        with draft_folder(root / f".frame-{secrets.token_hex(6)}") as folder:
            path = folder / FRAME
            _write(frame.reset_index(drop=True), path)
            kind = f"{type(data).__module__.partition('.')[0]} {type(data).__name__}"
            yield KeptFrame(path=path, source=f"{kind} of {len(frame):,} rows, kept as {FRAME}", notes=_index_notes(frame))


def with_table(document: Document, setting: str | None, path: Path) -> Document:
    """Return an experiment whose data set reads the table of a file.

    Args:
        document: The experiment.
        setting: The data set's setting that names a table's file; None where it has none.
        path: The file.

    Raises:
        ExperimentError: The data set reads no table, or the experiment names a file already.
    """
    given = document.content.get("dataset")
    dataset = {"use": given} if isinstance(given, str) else dict(given or {})
    if setting is None:
        raise ExperimentError(
            f"the data set '{dataset.get('use')}' reads no table, so it takes no data frame",
            where=document.where("dataset.use"),
            fix="dataset.use=table, or leave data out",
        )
    if dataset.get(setting) is not None:
        raise ExperimentError(
            "the experiment names a file, and a data frame was given too",
            where=document.where(f"dataset.{setting}"),
            got=str(dataset[setting])[:200],
            fix=f"leave dataset.{setting} out, or data",
        )
    return replace(document, content={**document.content, "dataset": {**dataset, setting: str(path)}})


def reading(plan: Plan, path: Path) -> Plan:
    """Return a plan whose data set reads the table of another file."""
    setting = plan.table_setting
    if setting is None:
        return plan
    settings = plan.dataset.settings.model_copy(update={setting: path})
    return replace(plan, dataset=replace(plan.dataset, settings=settings))


def _frame(data: Any) -> pd.DataFrame:
    frame = as_pandas(data)
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            "data takes one DataFrame that holds the target and the sensitive columns too",
            got=type(data).__name__,
            fix="join what belongs together by index first: data=X.join(y).join(sensitive)",
        )
    if frame.empty:
        raise DataError("the table is empty", got=f"{len(frame)} rows, {frame.shape[1]} columns")
    if frame.columns.nlevels > 1:
        raise DataError("the columns have several levels", got=str(frame.columns[0])[:200], fix="give each column one name")
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError(f"two columns are called '{twice[0]}'", fix="rename one of them")
    return frame


def _write(frame: pd.DataFrame, path: Path) -> None:
    for name in frame.columns:
        try:
            pa.Array.from_pandas(frame[name])
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            kinds = sorted({type(value).__name__ for value in frame[name].dropna()})
            raise DataError(
                f"column '{name}' holds values of several kinds, or of one that no table file holds",
                got=", ".join(kinds[:5]),
                fix=f"make them one kind: frame['{name}'] = frame['{name}'].astype(str)",
            ) from error
    frame.to_parquet(path, index=False)


def _index_notes(frame: pd.DataFrame) -> tuple[str, ...]:
    if frame.index.equals(pd.RangeIndex(len(frame))):
        return ()
    named = [str(name) for name in frame.index.names if name is not None]
    called = f" ({', '.join(named)})" if named else ""
    return (f"The index of the DataFrame{called} was not used: rows are numbered from 0 in its order.",)
