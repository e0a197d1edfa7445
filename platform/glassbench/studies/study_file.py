"""The study file: an experiment, what varies, what is aimed at; checked for form."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from glassbench.experiments.budget import seconds_of
from glassbench.experiments.experiment import Use, validated
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.gates import Features
from glassbench.studies.vary import MOST_RUNS, Vary


class Objective(BaseModel):
    """A measure that settings are compared by.

    Args:
        measure: `<audit>.<measure>`.
        by: Sensitive features it is broken down by; of several such measures the worst counts.
        group: One group, `{feature: value}`.
        goal: Which direction is good; without it, the measure's own.
        at_least, at_most: A floor or ceiling that the winner must keep; a search looks for settings that keep it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: str
    by: Features | None = None
    group: dict[str, str] | None = None
    goal: Literal["maximize", "minimize"] | None = None
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)

    @field_validator("measure")
    @classmethod
    def _one_measure(cls, measure: str) -> str:
        if "*" in measure:
            raise ValueError("one measure, without *")
        return measure

    @property
    def words(self) -> str:
        """The measure with what it is broken down by."""
        part = ", ".join(self.by or [f"{feature} {value}" for feature, value in (self.group or {}).items()])
        return f"{self.measure} by {part}" if self.by else f"{self.measure} of {part}" if part else self.measure

    def violation(self, value: float) -> float:
        """Return by how much a value misses the floor or the ceiling; 0 or below where it keeps both."""
        floor = -float("inf") if self.at_least is None else self.at_least - value
        return max(floor, -float("inf") if self.at_most is None else value - self.at_most)


class Budget(BaseModel):
    """How much a study may do.

    Args:
        runs: Runs, at most.
        minutes: Minutes after which no further run is started; runs at work are finished.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    runs: int | None = Field(default=None, ge=1, le=MOST_RUNS)
    minutes: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.runs is None and self.minutes is None:
            raise ValueError("`runs`, `minutes` or both")
        return self

    @property
    def seconds(self) -> float | None:
        """The time in seconds; None where none is set."""
        return None if self.minutes is None else self.minutes * 60


def _budget(given: Any) -> Any:
    """Take a time alone (`20m`) as a budget of that time."""
    return {"minutes": seconds_of(given) / 60} if isinstance(given, str | int | float) else given


class StudyFile(BaseModel):
    """A study as it is asked for.

    Args:
        name: What the study is called.
        experiment: An experiment file, as seen from the study file; or its content.
        vary: What differs between runs.
        objectives: What settings are compared by, the headline first.
        budget: `{runs: 40}`, `{minutes: 10}`, or a time alone, `20m`.
        launcher: What starts the runs; processes of this machine where none is named.
        workers: Runs at work at one time.
        threads: Processor threads of each run; the same numbers come out for any number of workers.
        seed: Seed of the search.
        at_once: Candidates that a search may have at work at one time: each is chosen without the results of so many before it.
        prune: Whether a search ends runs whose validation loss is worse than the median of earlier ones at the same epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=120)
    experiment: str | dict[str, Any]
    vary: Vary
    objectives: tuple[Objective, ...] = Field(min_length=1, max_length=10)
    budget: Annotated[Budget, BeforeValidator(_budget)] | None = None
    launcher: Use | None = None
    workers: int = Field(default=2, ge=1, le=256)
    threads: int = Field(default=1, ge=1, le=256)
    seed: int = Field(default=0, ge=0, lt=2**31)
    at_once: int = Field(default=4, ge=1, le=256)
    prune: bool = False

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Check the form of a study as written.

        Raises:
            ExperimentError: A key is unknown, missing or of the wrong type; the message names file, line and path.
        """
        return validated(cls, document)

    @property
    def seconds(self) -> float | None:
        """Seconds after which no further run is started; None for no end."""
        return None if self.budget is None else self.budget.seconds

    def candidates(self, repetitions: int) -> int:
        """Return how many candidates a search may try, given the runs of each."""
        runs = MOST_RUNS if self.budget is None or self.budget.runs is None else self.budget.runs
        return runs // repetitions

    def to_json(self) -> dict[str, Any]:
        """Return the study as plain values that the form reads again."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def experiment_path(study: StudyFile, source: str | Path | Mapping[str, Any]) -> Path | None:
    """Return the experiment file that a study names, as seen from the study file; None where the study holds its content."""
    if not isinstance(study.experiment, str):
        return None
    base = Path() if isinstance(source, Mapping) else Path(source).parent
    return base / study.experiment
