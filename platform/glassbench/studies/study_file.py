"""The study file: an experiment, what varies, what is aimed at; checked for form."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from glassbench.experiments.budget import seconds_of
from glassbench.experiments.experiment import validated
from glassbench.experiments.experiment_file import Document

MOST_RUNS = 1_000


class Objective(BaseModel):
    """A measure that settings are compared by.

    Args:
        measure: `<audit>.<measure>`.
        by: Sensitive features it is broken down by; of several such measures the worst counts.
        group: One group, `{feature: value}`.
        goal: Which direction is good; without it, the measure's own.
        at_least, at_most: A floor or ceiling that the winner must keep.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: str
    by: tuple[str, ...] | None = None
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

    @field_validator("by", mode="before")
    @classmethod
    def _one_feature_is_a_list_of_one(cls, by: Any) -> Any:
        return [by] if isinstance(by, str) else by

    @property
    def words(self) -> str:
        """The measure with what it is broken down by."""
        part = ", ".join(self.by or [f"{feature} {value}" for feature, value in (self.group or {}).items()])
        return f"{self.measure} by {part}" if self.by else f"{self.measure} of {part}" if part else self.measure


class Vary(BaseModel):
    """What differs between the runs of a study; every setting is tried with every seed.

    Args:
        seeds: Seeds of experiments, or how many (0, 1, ...).
        grid: Values by dotted setting, as in `model.hidden: [[32], [64, 64]]`; all combinations are tried.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seeds: Annotated[int, Field(ge=1, le=MOST_RUNS)] | tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] | None = None
    grid: dict[str, tuple[Any, ...]] = Field(default_factory=dict)

    @field_validator("seeds")
    @classmethod
    def _each_seed_once(cls, seeds: Any) -> Any:
        if isinstance(seeds, tuple) and (not seeds or len(set(seeds)) < len(seeds)):
            raise ValueError("at least one seed, each once")
        return seeds

    @field_validator("grid")
    @classmethod
    def _some_values_each_once(cls, grid: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        for setting, values in grid.items():
            if not values or len({json.dumps(v, sort_keys=True) for v in values}) < len(values):
                raise ValueError(f"{setting}: at least one value, each once")
            if setting == "seed":
                raise ValueError("seeds stand under `seeds`")
        return grid

    def seeds_of(self, experiment_seed: int) -> tuple[int, ...]:
        """Return the seeds to run with; the experiment's own where none are asked for."""
        if self.seeds is None:
            return (experiment_seed,)
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds


class StudyFile(BaseModel):
    """A study as it is asked for.

    Args:
        name: What the study is called.
        experiment: An experiment file, as seen from the study file; or its content.
        vary: What differs between runs.
        objectives: What settings are compared by, the headline first.
        budget: Seconds after which no further run is started, written `20m`; runs at work are finished.
        workers: Runs at work at one time.
        threads: Processor threads of each run; the same numbers come out for any number of workers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=120)
    experiment: str | dict[str, Any]
    vary: Vary
    objectives: tuple[Objective, ...] = Field(min_length=1, max_length=10)
    budget: Annotated[float, BeforeValidator(seconds_of)] | None = None
    workers: int = Field(default=2, ge=1, le=256)
    threads: int = Field(default=1, ge=1, le=256)

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Check the form of a study as written.

        Raises:
            ExperimentError: A key is unknown, missing or of the wrong type; the message names file, line and path.
        """
        return validated(cls, document)


def experiment_path(study: StudyFile, source: str | Path | Mapping[str, Any]) -> Path | None:
    """Return the experiment file that a study names, as seen from the study file; None where the study holds its content."""
    if not isinstance(study.experiment, str):
        return None
    base = Path() if isinstance(source, Mapping) else Path(source).parent
    return base / study.experiment
