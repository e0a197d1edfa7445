"""The SQLite index over the run folders; it can be deleted and is built again."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from glassbench.errors import RunError
from glassbench.experiment_file import read_document
from glassbench.files import read_json, storage
from glassbench.runs import PHASES

_NAME = "index.sqlite"
_COLUMNS = ("run", "stamp", "name", "dataset", "model", "state", "verdict", "created", "measures")


def refresh_index(root: Path) -> None:
    """Bring the index up to date with the folders: add, renew and drop what changed."""
    with closing(_connect(root)) as database, database:
        known = dict(database.execute("select run, stamp from runs"))
        present = {path.parent.name: _stamp(path.parent) for path in root.glob("*/status.json")}
        database.executemany("delete from runs where run = ?", [(run,) for run in known if run not in present])
        changed = [root / run for run, stamp in present.items() if known.get(run) != stamp]
        places = ", ".join("?" * len(_COLUMNS))
        database.executemany(f"insert or replace into runs values ({places})", [_row(path) for path in changed])


def list_runs(root: Path, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the runs under a folder, newest first.

    Each has `run`, `name`, `dataset`, `model`, `state` (last phase done), `verdict` (or None), `created` and `measures` (the
    overall ones, `{name: value}`).
    """
    if not root.is_dir():
        return []
    refresh_index(root)
    with closing(_connect(root)) as database:
        shown = [c for c in _COLUMNS if c != "stamp"]
        rows = database.execute(f"select {', '.join(shown)} from runs order by run desc limit ?", (limit or -1,))
        found = [dict(zip(shown, row, strict=True)) for row in rows]
    return [{**run, "measures": json.loads(run["measures"])} for run in found]


def _connect(root: Path) -> sqlite3.Connection:
    with storage(root / _NAME):
        database = _usable(root / _NAME)
    database.execute(f"create table if not exists runs ({', '.join(_COLUMNS)}, primary key (run))")
    return database


def _usable(path: Path) -> sqlite3.Connection:
    """Open the index; one that is damaged or of another shape is thrown away, since the folders are the truth."""
    try:
        database = sqlite3.connect(path, timeout=30)
        columns = [row[1] for row in database.execute("pragma table_info(runs)")]
    except sqlite3.OperationalError as error:
        raise RunError("the index of the runs cannot be opened", where=str(path), got=str(error)) from error
    except sqlite3.DatabaseError:
        path.unlink(missing_ok=True)
        return sqlite3.connect(path, timeout=30)
    if columns and columns != list(_COLUMNS):
        database.execute("drop table runs")
    return database


def _stamp(path: Path) -> str:
    """A run is unchanged while its status and verdict files are."""
    stats = [(path / name).stat() for name in ("status.json", "verdict.json") if (path / name).is_file()]
    return " ".join(f"{s.st_mtime_ns}:{s.st_size}" for s in stats)


def _row(path: Path) -> tuple[Any, ...]:
    try:
        status, resolved = read_json(path / "status.json"), read_document(path / "resolved.yaml").content
        verdict = read_json(path / "verdict.json")["verdict"] if (path / "verdict.json").is_file() else None
        created = read_json(path / "provenance.json").get("created")
        state = [phase for phase in PHASES if phase in status["phases"]][-1:] or ["created"]
        used = [resolved[role]["use"] if role in resolved else None for role in ("dataset", "model")]
        overall = json.dumps(_overall(path))
    except Exception as error:  # a damaged folder is listed as such; it must not hide the others
        return (path.name, _stamp(path), path.name, None, None, f"damaged: {error}".splitlines()[0], None, None, "{}")
    return (path.name, _stamp(path), resolved["name"], *used, state[0], verdict, created, overall)


def _overall(path: Path) -> Mapping[str, float]:
    results = [read_json(found) for found in sorted(path.glob("audits/*/result.json"))]
    measures = [m for result in results for m in result["measures"]]
    return {m["name"]: m["value"] for m in measures if m["by"] is None and m["group"] is None and m["value"] is not None}
