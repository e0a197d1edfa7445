"""The predictions plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, TaskSpec


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield the data set of someone else's decisions."""
    yield DatasetSpec(
        name="predictions",
        summary="Decisions made elsewhere, with the truth and the groups, from CSV or Parquet files",
        target="glassbench_plugins.predictions.dataset:predictions",
        targets=("class", "value"),
        target_setting="kind",
        table_setting="path",
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield the tasks that take decisions as they are."""
    yield TaskSpec(
        name="given-classes",
        summary="Take classes as they were decided elsewhere; nothing is trained",
        target="glassbench_plugins.predictions.tasks:GivenClasses",
        learnt=False,
        predicts="class",
    )
    yield TaskSpec(
        name="given-values",
        summary="Take numbers as they were predicted elsewhere; nothing is trained",
        target="glassbench_plugins.predictions.tasks:GivenValues",
        learnt=False,
        predicts="value",
    )
