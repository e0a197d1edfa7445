"""The series plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.series"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield generated series and the way to any other."""
    yield DatasetSpec(
        name="seasonal",
        summary="Hourly channels with trend, daily and weekly seasons and noise, generated",
        target=f"{_HERE}.seasonal:seasonal",
    )
    yield DatasetSpec(
        name="series-table",
        summary="Any CSV or Parquet file with a time column, split in the order of time",
        target=f"{_HERE}.files:series_table",
    )
    yield DatasetSpec(
        name="series-classes",
        summary="Series that are told apart by the shape of a hump somewhere in them, generated",
        target=f"{_HERE}.shapes:series_classes",
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield forecasting."""
    yield TaskSpec(
        name="forecasting",
        summary="Predict the next steps of every channel",
        target=f"{_HERE}.forecasting:Forecasting",
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks for series."""
    yield ModelSpec(
        name="dlinear",
        summary="A linear map of the trend and one of the rest (Zeng et al. 2023)",
        target=f"{_HERE}.dlinear:DLinear",
        tasks=("forecasting",),
    )
    yield ModelSpec(
        name="patchtst",
        summary="A transformer over patches of each channel (Nie et al. 2023)",
        target=f"{_HERE}.patchtst:PatchTST",
        tasks=("forecasting",),
    )
    yield ModelSpec(
        name="series-lstm",
        summary="Recurrent layers over the steps; forecasts or classes",
        target=f"{_HERE}.lstm:SeriesLstm",
        tasks=("forecasting", "classification"),
    )
    yield ModelSpec(
        name="series-cnn",
        summary="Convolutions over the steps; classes or forecasts",
        target=f"{_HERE}.cnn:SeriesCnn",
        tasks=("classification", "forecasting"),
    )
