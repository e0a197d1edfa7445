"""MLflow's client, as it is used here: no usage statistics, and soon done with a server that does not answer."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from glassbench.system.library_environment import library_environment

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
}


@contextlib.contextmanager
def mlflow_client(uri: str | None) -> Iterator["MlflowClient"]:
    """Give a client; afterwards the environment is as it was.

    Args:
        uri: A server, a database or a folder; None for `MLFLOW_TRACKING_URI`, and where that is not set for MLflow's default.
    """
    files = {"MLFLOW_ALLOW_FILE_STORE": "true"} if _is_folder(uri) else {}
    with library_environment(_ENVIRONMENT | files):
        from mlflow import MlflowClient  # seconds to import, and an extra

        yield MlflowClient(uri)


def _is_folder(uri: str | None) -> bool:
    given = uri or os.environ.get("MLFLOW_TRACKING_URI") or ""
    return bool(given) and ("://" not in given or given.startswith("file:"))
