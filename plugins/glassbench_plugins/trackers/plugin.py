"""What the trackers plugin brings."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import TrackerSpec


@hookimpl
def glassbench_trackers() -> Iterable[TrackerSpec]:
    """Yield the built-in trackers."""
    yield TrackerSpec(
        name="csv",
        summary="Writes the training history, the measures of the audits and the outcome as CSV files",
        target="glassbench_plugins.trackers.csv_files:CsvTracker",
    )
    yield TrackerSpec(
        name="tensorboard",
        summary="Writes the training history and the measures of the audits for TensorBoard",
        target="glassbench_plugins.trackers.tensorboard:TensorBoardTracker",
        extra="tensorboard",
        requires=("tensorboard",),
    )
    yield TrackerSpec(
        name="mlflow",
        summary="Logs settings, history, measures with their intervals, verdict, reports and the model to MLflow",
        target="glassbench_plugins.trackers.mlflow_runs:MlflowTracker",
        extra="mlflow",
        requires=("mlflow",),
    )
    yield TrackerSpec(
        name="wandb",
        summary="Logs settings, history, measures with their intervals, verdict, reports and the model to Weights & Biases",
        target="glassbench_plugins.trackers.wandb_runs:WandbTracker",
        extra="wandb",
        requires=("wandb",),
    )
