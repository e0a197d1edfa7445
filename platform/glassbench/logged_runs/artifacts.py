"""What an MLflow run logged: its files and the models that came of it, listed and fetched."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from glassbench.errors import ComponentError, GlassbenchError, said
from glassbench.logged_runs.mlflow_client import mlflow_client

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MOST = 2000
"""How many files of a run are listed."""


@dataclass(frozen=True, kw_only=True)
class LoggedFile:
    """A file that a run logged.

    Args:
        path: Where it is below the run's artifacts, or below those of a model.
        model: The id of the model that it belongs to; None for the run's own files.
        size: Bytes.
    """

    path: str
    model: str | None
    size: int

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.path if self.model is None else f"{self.model}/{self.path}"


@dataclass(frozen=True, kw_only=True)
class LoggedRun:
    """A run as MLflow knows it.

    Args:
        id: Its id.
        name: What it was called.
        uri: The store it is in, as it was named; None for MLflow's default.
        tags: Its tags.
        files: What it logged.
    """

    id: str
    name: str
    uri: str | None
    tags: dict[str, str]
    files: tuple[LoggedFile, ...]

    def fetched(self, file: LoggedFile, folder: Path) -> Path:
        """Bring a file here and return where it is.

        Args:
            file: The file.
            folder: An empty folder.

        Raises:
            GlassbenchError: MLflow does not give it.
        """
        try:
            with mlflow_client(self.uri) as client:
                return Path(_repository(client, self.id, file.model).download_artifacts(file.path, str(folder)))
        except Exception as error:  # stores raise many kinds of error
            raise GlassbenchError("MLflow does not give the file", got=f"{file.name}: {said(error)}") from error


def logged_run(run_id: str, uri: str | None) -> LoggedRun:
    """Return a run and what it logged.

    Args:
        run_id: Its id.
        uri: A server, a database or a folder; None for MLflow's default.

    Raises:
        ComponentError: MLflow is not installed.
        GlassbenchError: The store does not answer, or has no such run.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise ComponentError("a logged run needs MLflow's client", got="no mlflow", fix="pip install 'glassbench[mlflow]'")
    try:
        with mlflow_client(uri) as client:
            found = client.get_run(run_id)
            models = [output.model_id for output in getattr(found.outputs, "model_outputs", None) or ()]
            listed = [file for model in (None, *models) for file in _listed(client, run_id, model)]
            where = str(client.tracking_uri)
    except Exception as error:  # stores raise many kinds of error
        raise GlassbenchError(
            "MLflow does not give the run",
            got=f"{run_id}: {said(error)}",
            where=uri or "the store of MLFLOW_TRACKING_URI, or MLflow's default",
            fix="check the run's id, and name the store: --mlflow-uri http://HOST:PORT, sqlite:///FILE or a folder",
        ) from error
    tags, name = dict(found.data.tags), found.info.run_name or run_id
    return LoggedRun(id=run_id, name=str(name), uri=uri or where, tags=tags, files=tuple(listed[:_MOST]))


def _listed(client: "MlflowClient", run_id: str, model: str | None) -> Iterator[LoggedFile]:
    repository, folders = _repository(client, run_id, model), [""]
    while folders:
        for entry in repository.list_artifacts(folders.pop() or None):
            if entry.is_dir:
                folders.append(entry.path)
            else:
                yield LoggedFile(path=entry.path, model=model, size=int(entry.file_size or 0))


def _repository(client: "MlflowClient", run_id: str, model: str | None) -> Any:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    location = client.get_run(run_id).info.artifact_uri if model is None else client.get_logged_model(model).artifact_location
    return get_artifact_repository(location, tracking_uri=client.tracking_uri)


def flavors(description: Path) -> dict[str, Any]:
    """Return the content of an `MLmodel` file, read as plain YAML; empty where it is none.

    Args:
        description: The file.
    """
    try:
        content = yaml.safe_load(description.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def beside(file: LoggedFile, files: tuple[LoggedFile, ...]) -> LoggedFile | None:
    """Return the `MLmodel` file of the model that a file belongs to: in its folder, or the one above.

    Args:
        file: The file.
        files: All that the run logged.
    """
    folders = [str(PurePosixPath(file.path).parent), str(PurePosixPath(file.path).parent.parent)]
    names = {str(PurePosixPath(folder) / "MLmodel") for folder in folders}
    return next((one for one in files if one.model == file.model and one.path in names), None)
