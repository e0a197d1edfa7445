"""The SQLite index over the run folders; it can be deleted and is built again.

It is read into memory and written whole, so that a received index can do nothing: no lock to wait for, no journal to be played
back, no trigger to run, no link to be followed. The folders are the truth; whatever is wrong with the index, it is built again.
"""

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from glassbench.errors import RunError
from glassbench.experiments.experiment_file import read_document
from glassbench.runs.all_runs import run_names
from glassbench.runs.run_folder import RunFolder
from glassbench.runs.status import PHASES
from glassbench.runs.verdict_form import read_verdict
from glassbench.storage.files import read_object, understood, write_file
from glassbench.storage.plain_files import read_plain, readable, refuse_strange

_NAME = "index.sqlite"
_COLUMNS = ("run", "stamp", "name", "dataset", "model", "state", "verdict", "created", "measures")
_TABLE = f"CREATE TABLE runs ({', '.join(_COLUMNS)}, primary key (run))"
_WATCHED = ("status.json", "verdict.json", "manifest.json")

Row = tuple[Any, ...]


def refresh_index(root: Path) -> list[Row]:
    """Bring the index up to date with the folders: add, renew and drop what changed; return its rows, newest run first.

    Raises:
        RunError: The index cannot be written.
    """
    known = _read(root / _NAME)
    rows = [_row_of(root / run, known.get(run)) for run in run_names(root)]
    if {row[0]: row for row in rows} != known:
        write_file(root / _NAME, lambda path: path.write_bytes(_database(rows)))
    return sorted(rows, key=lambda row: str(row[0]), reverse=True)


def list_runs(root: Path, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the runs under a folder, newest first.

    Each has `run`, `name`, `dataset`, `model`, `state` (last phase done), `verdict` (or None), `created` and `measures` (the
    overall ones, `{name: value}`). Runs in a folder that cannot be written are listed without an index.
    """
    if not root.is_dir():
        return []
    try:
        rows = refresh_index(root)
    except RunError:
        rows = sorted((_row_of(root / run, None) for run in run_names(root)), key=lambda row: str(row[0]), reverse=True)
    listed = [dict(zip(_COLUMNS, row, strict=True)) for row in rows[: limit if limit is None else max(limit, 0)]]
    return [
        {key: json.loads(run[key]) if key == "measures" else run[key] for key in _COLUMNS if key != "stamp"} for run in listed
    ]


def _read(path: Path) -> dict[str, Row]:
    """Return the rows of the index by run; nothing where it is missing, damaged or of another shape."""
    try:
        content = read_plain(path)
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(content)
            database.execute("pragma trusted_schema = off")
            if [sql for (sql,) in database.execute("select sql from sqlite_master where sql is not null")] != [_TABLE]:
                return {}
            rows = database.execute(f"select {', '.join(_COLUMNS)} from runs").fetchall()
        return {row[0]: row for row in rows if _plain(row)}
    except (RunError, OSError, sqlite3.Error, ValueError, RecursionError, MemoryError, OverflowError):
        return {}


def _plain(row: Sequence[Any]) -> bool:
    """Whether a row has the form that is written here."""
    texts = all(isinstance(value, str) for value in (row[0], row[1], row[2], row[5], row[8]))
    return texts and all(value is None or isinstance(value, str) for value in row) and isinstance(json.loads(row[8]), dict)


def _database(rows: Sequence[Row]) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(_TABLE)
        database.executemany(f"insert into runs values ({', '.join('?' * len(_COLUMNS))})", rows)
        database.commit()
        return database.serialize()


def _row_of(path: Path, known: Row | None) -> Row:
    """Return a run's row, read again where its files changed."""
    stamp = _stamp(path)
    return known if known is not None and known[1] == stamp else _row(path, stamp)


def _stamp(path: Path) -> str:
    """A run is unchanged while these files of it are."""
    stats = [os.lstat(path / name) for name in _WATCHED if os.path.lexists(path / name)]
    return " ".join(f"{s.st_mtime_ns}:{s.st_size}" for s in stats)


def _row(path: Path, stamp: str) -> Row:
    try:
        refuse_strange(path)
        status, resolved = RunFolder(path).status, read_document(path / "resolved.yaml").content
        verdict = read_verdict(path / "verdict.json")["verdict"] if (path / "verdict.json").is_file() else None
        created = read_object(path / "provenance.json").get("created")
        state = [phase for phase in PHASES if phase in status["phases"]][-1:] or ["created"]
        with understood(path / "resolved.yaml"):
            used = [resolved[role]["use"] if role in resolved else None for role in ("dataset", "model")]
            row = (path.name, stamp, resolved["name"], *used, state[0], verdict, created, json.dumps(_overall(path)))
            if not _plain(row):
                raise TypeError("a name is no text")
    except Exception as error:  # a damaged folder is listed as such; it must not hide the others
        said = readable(str(error).splitlines()[0] if str(error) else type(error).__name__)
        return (readable(path.name), stamp, readable(path.name), None, None, f"damaged: {said}", None, None, "{}")
    return row


def _overall(path: Path) -> Mapping[str, float]:
    measures = [measure for result in RunFolder(path).results() for measure in result.measures]
    return {m.name: m.value for m in measures if m.by is None and m.group is None and m.value is not None}
