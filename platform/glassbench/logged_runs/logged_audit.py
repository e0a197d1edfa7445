"""Audit what an MLflow run logged: its evaluation table, or its model on rows that are given."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import pandas as pd

from glassbench import api
from glassbench.errors import DataError, GlassbenchError
from glassbench.logged_runs.artifacts import LoggedFile, LoggedRun, beside, flavors, logged_run
from glassbench.logged_runs.logged_table import TABLES, decision_and_truth, read_logged_table
from glassbench.logged_runs.stored_models import READERS, REFUSED, read_model
from glassbench.pipeline.run_observer import RunObserver
from glassbench.registry import Registry
from glassbench.run_handle import Run
from glassbench.toolkit.reading.tables import Format, read_table

_SMALL = (
    "input_example",
    "serving_input",
    "requirements",
    "conda",
    "python_env",
    "verdict.json",
    "result.json",
    "registered_model",
)
"""Files that MLflow and Glassbench write beside models, which are no evaluation tables."""


def audit_logged(
    run_id: str,
    *,
    uri: str | None = None,
    rows: Path | None = None,
    artifact: str | None = None,
    columns: Mapping[str, Any],
    overrides: Sequence[str] = (),
    runs: Path = Path("runs"),
    registry: Registry | None = None,
    observer: RunObserver | None = None,
) -> Run:
    """Audit an MLflow run: with `rows` its model on these rows, without them its evaluation table.

    Nothing that the run logged is executed: models in files that may carry code are refused.

    Args:
        run_id: The MLflow run's id.
        uri: A server, a database or a folder; None for MLflow's default.
        rows: A file of rows for the model, with the truth and the columns to audit by.
        artifact: Which of the logged files to take; None where one alone can be meant.
        columns: Settings of the data set `predictions`, which name columns: decision, truth, sensitive and so on.
        overrides: Dotted overrides of the experiment.
        runs: The folder of all runs.
        registry: The plugins; None finds the installed ones.
        observer: Is told of the run's progress.

    Raises:
        GlassbenchError: The run is not there, has nothing that can be audited, or its files cannot be read.
    """
    run = logged_run(run_id, uri)
    with tempfile.TemporaryDirectory() as folder:
        given = {"runs": runs, "registry": registry, "observer": observer}
        if rows is None:
            return _audit_table(run, artifact, columns, overrides, Path(folder), given)
        if overrides:
            raise DataError("overrides go with a logged table, not with a model", got=" ".join(overrides))
        return _audit_model(run, artifact, columns, rows, Path(folder), given)


def _audit_table(
    run: LoggedRun,
    artifact: str | None,
    columns: Mapping[str, Any],
    overrides: Sequence[str],
    folder: Path,
    given: Mapping[str, Any],
) -> Run:
    frame = _table(run, artifact, columns.get("decision"), folder)
    decision, truth = decision_and_truth(frame, columns.get("decision"), columns.get("truth"))
    dataset = {"use": "predictions", **columns, "decision": decision, **({} if truth is None else {"truth": truth})}
    task = "given-values" if columns.get("kind") == "value" else "given-classes"
    experiment = {"name": f"{run.name} ({run.id[:8]})"[:120], "dataset": dataset, "task": task}
    return api.run(experiment, data=frame, overrides=overrides, **given)


def _table(run: LoggedRun, artifact: str | None, decision: str | None, folder: Path) -> pd.DataFrame:
    """Return the evaluation table: the file that is named, or the only one that holds a column of decisions."""
    files = _chosen(run, artifact) if artifact else [f for f in run.files if _is_table(f)]
    read = {file.name: _read(run, file, folder / str(place)) for place, file in enumerate(files)}
    tables = {name: frame for name, frame in read.items() if frame is not None}
    fitting = {name: frame for name, frame in tables.items() if decision is None or decision in frame.columns} or tables
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    if fitting:
        raise DataError("the run logged several tables", available=list(fitting), fix="add --artifact PATH")
    _refuse_nothing(run, "the MLflow run logged no evaluation table", bool(_models(run)))


def _read(run: LoggedRun, file: LoggedFile, folder: Path) -> pd.DataFrame | None:
    folder.mkdir()
    return read_logged_table(run.fetched(file, folder))


def _audit_model(
    run: LoggedRun, artifact: str | None, columns: Mapping[str, Any], rows: Path, folder: Path, given: Mapping[str, Any]
) -> Run:
    files = _chosen(run, artifact) if artifact else _models(run)
    if len(files) > 1:
        raise DataError("the run logged several models", available=[file.name for file in files], fix="add --artifact PATH")
    if not files or (artifact is None and _OWN in run.tags):
        _refuse_nothing(run, "the MLflow run logged no model that can be read without running code", False)
    ending = PurePosixPath(files[0].path).suffix.lower()
    if ending not in READERS:
        reason = REFUSED.get(ending, f"a file {ending or 'without an ending'} is of no format that is read")
        raise DataError(reason, got=files[0].name, available=[f"*{known}" for known in READERS], fix=_BY_HAND)
    frame, truth = _typed(read_table(rows, Format(), "rows")), columns.get("truth")
    sensitive, beside_x = columns.get("sensitive") or [], [columns.get(key) for key in ("truth", "cluster", "weight")]
    absent = [name for name in [*sensitive, *beside_x] if name is not None and name not in frame.columns]
    if absent:
        raise DataError(f"the rows have no column '{absent[0]}'", got=str(rows), available=list(map(str, frame.columns)))
    model = read_model(run.fetched(files[0], folder))
    return api.audit(
        model,
        _inputs(run, files[0], model, frame.drop(columns=[n for n in beside_x if n]), folder),
        None if truth is None else frame[truth],
        sensitive=frame[sensitive] if sensitive else None,
        **{key: frame[columns[key]] for key in ("cluster", "weight") if columns.get(key)},
        **{key: columns[key] for key in ("positive", "favourable") if columns.get(key)},
        name=f"{run.name} ({run.id[:8]})"[:120],
        **given,
    )


def _inputs(run: LoggedRun, file: LoggedFile, model: Any, frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return the columns that the model reads, in its order: by the signature, by its own names, else all that are left.

    Raises:
        DataError: The rows lack some of them.
    """
    names = _signature(run, file, folder) or [str(name) for name in getattr(model, "feature_names_in_", ())]
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise DataError(
            "the rows lack columns that the model reads", got=", ".join(absent[:10]), available=list(map(str, frame.columns))
        )
    return frame[names] if names else frame


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns of numbers are numbers, as files of text hold them as text."""
    typed = {}
    for name in frame.columns:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        typed[name] = numbers if numbers.notna().sum() == frame[name].notna().sum() else frame[name]
    return pd.DataFrame(typed)


def _signature(run: LoggedRun, file: LoggedFile, folder: Path) -> list[str]:
    description = beside(file, run.files)
    if description is None:
        return []
    place = folder / "description"
    place.mkdir()
    inputs = (flavors(run.fetched(description, place)).get("signature") or {}).get("inputs")
    listed = json.loads(inputs) if isinstance(inputs, str) else []
    return [str(entry["name"]) for entry in listed if isinstance(entry, dict) and "name" in entry]


def _chosen(run: LoggedRun, artifact: str) -> list[LoggedFile]:
    found = [file for file in run.files if artifact in (file.name, file.path)]
    if not found:
        raise DataError(f"the run logged no '{artifact}'", got=artifact, available=[file.name for file in run.files])
    return found[:1]


def _models(run: LoggedRun) -> list[LoggedFile]:
    """Return the files that hold models; of endings that other files have too, those that are called `model`."""
    paths = [(file, PurePosixPath(file.path)) for file in run.files]
    return [
        file for file, path in paths if path.suffix.lower() in READERS and (path.suffix not in _COMMON or path.stem == "model")
    ]


def _is_table(file: LoggedFile) -> bool:
    path = PurePosixPath(file.path)
    return (
        path.suffix.lower() in TABLES
        and path.name != "model.json"
        and not path.name.startswith(_SMALL)
        and path.name not in _SMALL
    )


_OWN = "glassbench.run"
_COMMON = (".json", ".txt")
_BY_HAND = "load it yourself, if you trust it, and give the model: glassbench.audit(model, X, y)"


def _refuse_nothing(run: LoggedRun, problem: str, model: bool) -> NoReturn:
    """Say that there is nothing to audit, what there is, and why that does not do.

    Raises:
        GlassbenchError: Always.
    """
    refused = sorted({f"{f.name} ({reason})" for f in run.files if (reason := REFUSED.get(PurePosixPath(f.path).suffix.lower()))})
    fix = "give rows for its model: glassbench audit --mlflow RUN_ID rows.csv --truth COL" if model else _BY_HAND
    if _OWN in run.tags:
        fix = f"it followed a run of Glassbench, whose folder is audited: glassbench audit {run.tags[_OWN]}"
    accepted = [*(f"*{ending}" for ending in TABLES), *(f"*{ending}" for ending in READERS)]
    got = "; ".join(refused) or ", ".join(file.name for file in run.files[:10]) or "no files"
    raise GlassbenchError(problem, got=got, available=accepted, where=f"MLflow run {run.id}", fix=fix)
