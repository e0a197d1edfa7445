"""What happens in a run, for MLflow."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassbench import AuditResult, Failure, TrackedRun
from glassbench.logged_runs.mlflow_client import mlflow_client
from glassbench_plugins.trackers.legal_names import LegalNames, flat, numbers
from glassbench_plugins.trackers.outcome import gates, model_files, reported_files

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PARAM, _TAG, _METRICS, _PARAMS = 6000, 5000, 1000, 100
"""How long a value may be, and how many go into one request."""


class MlflowTracker:
    """Logs a run to MLflow: settings as params, the training history and the audits' measures with their intervals (`name.low`,
    `name.high`) as metrics, the verdict and each gate as tags, reports, results and the model as artifacts.

    A resumed run goes on in the same MLflow run. The run on MLflow's side is FINISHED where the run ended, whatever its gates
    say, FAILED where an error stopped it, and KILLED where a person did.

    Args:
        uri: A server (`http://...`), a database (`sqlite:///mlflow.db`) or a folder; None for `MLFLOW_TRACKING_URI`, and where
            that is not set, for MLflow's own default.
        experiment: The MLflow experiment that the run belongs to; None for the name of the run's experiment.
        model: Whether the trained model is uploaded.
    """

    def __init__(self, run: TrackedRun, *, uri: str | None = None, experiment: str | None = None, model: bool = True) -> None:
        self._run, self._uri, self._model = run, uri, model
        self._names = LegalNames(run.output / "names.json")
        self._known = run.output / "mlflow.json"
        with mlflow_client(self._uri) as client:
            self._id = self._found(client) or self._created(client, experiment or run.name)

    def metric(self, record: Mapping[str, float | int]) -> None:
        """Log the values at their step."""
        values = self._names.named((name, None, float(value)) for name, value in record.items() if name != "step")
        with mlflow_client(self._uri) as client:
            self._log(client, values, int(record.get("step", 0)))

    def audited(self, result: AuditResult) -> None:
        """Log each measure with its interval, and the result as a file."""
        with mlflow_client(self._uri) as client:
            self._log(client, self._names.named(numbers(result)), 0)
            client.log_text(self._id, json.dumps(result.to_json()), f"audits/{result.audit}/result.json")

    def finished(self, verdict: str, report: Path) -> None:
        """Tag the verdict and each gate, upload the reports and the model, and end the run."""
        judged = enumerate(gates(self._run.folder))
        tags = self._names.named((f"gate {words}", place, told) for place, (words, told) in judged)
        tags["glassbench.verdict"] = verdict
        summary = report.parent / "summary.md"
        if summary.is_file():
            tags["mlflow.note.content"] = summary.read_text(encoding="utf-8")[:_TAG]
        with mlflow_client(self._uri) as client:
            self._tag(client, tags)
            for path in reported_files(self._run.folder):
                client.log_artifact(self._id, str(path))
            client.set_terminated(self._id, "FINISHED")  # before the model, which may be large
            for path in model_files(self._run.folder) if self._model else []:
                client.log_artifact(self._id, str(path), "model")

    def failed(self, error: Failure) -> None:
        """Tag where and why the run stopped, and end it as failed or killed."""
        with mlflow_client(self._uri) as client:
            self._tag(client, {"glassbench.stopped_in": error.phase, "glassbench.error": error.message[:_TAG]})
            client.set_terminated(self._id, "KILLED" if error.interrupted else "FAILED")

    def _found(self, client: "MlflowClient") -> str | None:
        """Return the id of the MLflow run that an earlier process began, which goes on; None where there is none any more."""
        from mlflow.exceptions import MlflowException

        if not self._known.is_file():
            return None
        known: str = json.loads(self._known.read_text(encoding="utf-8"))["run_id"]
        try:
            if client.get_run(known).info.lifecycle_stage != "active":
                return None
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        client.update_run(known, status="RUNNING")
        for tag in client.get_run(known).data.tags.keys() & {"glassbench.stopped_in", "glassbench.error"}:
            client.delete_tag(known, tag)
        return known

    def _created(self, client: "MlflowClient", experiment: str) -> str:
        tags = {"glassbench.run": self._run.id, "glassbench.experiment": self._run.name}
        made: str = client.create_run(_experiment(client, experiment), run_name=self._run.id, tags=tags).info.run_id
        params = list(self._names.named((name, None, value) for name, value in flat(self._run.experiment)).items())
        self._log_params(client, made, params)
        self._known.write_text(json.dumps({"run_id": made}), encoding="utf-8")
        return made

    def _log_params(self, client: "MlflowClient", run_id: str, params: list[tuple[str, str]]) -> None:
        from mlflow.entities import Param

        for start in range(0, len(params), _PARAMS):
            client.log_batch(run_id, params=[Param(name, _cut(value, _PARAM)) for name, value in params[start : start + _PARAMS]])

    def _log(self, client: "MlflowClient", values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        for start in range(0, len(metrics), _METRICS):
            client.log_batch(self._id, metrics=metrics[start : start + _METRICS])

    def _tag(self, client: "MlflowClient", tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        listed = [RunTag(name, value) for name, value in tags.items()]
        for start in range(0, len(listed), _PARAMS):
            client.log_batch(self._id, tags=listed[start : start + _PARAMS])


def _experiment(client: "MlflowClient", name: str) -> Any:
    """Return the id of an MLflow experiment, made where it is not there; another run may be making it at the same time."""
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(name)
    if known is None:
        try:
            return client.create_experiment(name)
        except MlflowException as error:
            known = client.get_experiment_by_name(name)
            if known is None:
                raise error
    return known.experiment_id


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
