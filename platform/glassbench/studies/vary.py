"""What differs between the runs of a study: seeds, folds, shares of the training rows, a grid, or a search; checked for form."""

import json
import math
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MOST_RUNS = 1_000
_OWN = {
    "seed": "seeds stand under `vary.seeds`",
    "training_share": "shares of the training rows stand under `vary.rows`",
    "name": "a name changes nothing",
}
Number = Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Repetition(NamedTuple):
    """What tells the runs of one candidate apart.

    Args:
        seed: The experiment's seed.
        fold: The fold that is judged, from 0; None without cross-validation.
        inner: The fold of the rows outside that fold that is judged in its place; None for the fold itself.
        rows: The share of the training rows; None where that does not vary.
    """

    seed: int
    fold: int | None
    inner: int | None
    rows: float | None


class Dimension(BaseModel):
    """Values that a search may give to a setting: a range, or choices.

    Args:
        from_: The smallest value of a range, written `from`.
        to: Its largest.
        log: Whether the logarithm is searched evenly.
        step: Distance between values of a range; without it, any number, or any whole number where the setting takes whole ones.
        choices: The values, at least two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: Number | None = Field(default=None, alias="from")
    to: Number | None = None
    log: bool = False
    step: Number | None = None
    choices: tuple[Any, ...] | None = None

    @model_validator(mode="after")
    def _range_or_choices(self) -> Self:
        if self.choices is not None:
            if self.model_fields_set - {"choices"}:
                raise ValueError("`choices` alone, or a range with `from` and `to`")
            if len(self.choices) < 2 or not _distinct(self.choices):
                raise ValueError("at least two choices, each once")
            return self
        if self.from_ is None or self.to is None:
            raise ValueError("`from` and `to`, or `choices`")
        if not self.from_ < self.to:
            raise ValueError(f"`from` below `to`, not from {self.from_:g} to {self.to:g}")
        if self.log and self.from_ <= 0:
            raise ValueError(f"`from` above 0 where `log` is true, not {self.from_:g}")
        if self.step is not None and (self.log or not 0 < self.step <= self.to - self.from_):
            raise ValueError("a `step` above 0 that fits between `from` and `to`, without `log`")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that show whether a setting takes all: both ends of a range, or every choice."""
        return (self.from_, self.to) if self.choices is None else self.choices


def _distinct(values: tuple[Any, ...]) -> bool:
    return len({json.dumps(v, sort_keys=True) for v in values}) == len(values)


class Vary(BaseModel):
    """What differs between the runs of a study; every combination of settings is tried with every seed, fold and share of rows.

    Args:
        seeds: Seeds of experiments, or how many (0, 1, ...).
        folds: How many folds of cross-validation; each candidate is judged once on each.
        inner_folds: How many folds the rows outside each fold are divided into, for nested cross-validation: each candidate
            learns anew for every pair of an outer and an inner fold, and the winner is chosen by inner folds alone.
        repeats: How often the rows are divided into folds anew, each time with another seed; in place of `seeds`.
        rows: Shares of the training rows to learn from; candidates are compared at the largest.
        grid: Values by dotted setting, as in `model.hidden: [[32], [64, 64]]`; all combinations are tried.
        search: Ranges and choices by dotted setting, of which a search tries as many combinations as the budget allows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seeds: Annotated[int, Field(ge=1, le=MOST_RUNS)] | tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] | None = None
    folds: int | None = Field(default=None, ge=2, le=MOST_RUNS)
    inner_folds: int | None = Field(default=None, ge=2, le=MOST_RUNS)
    repeats: int | None = Field(default=None, ge=1, le=MOST_RUNS)
    rows: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    grid: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    search: dict[str, Dimension] = Field(default_factory=dict)

    @field_validator("seeds")
    @classmethod
    def _each_seed_once(cls, seeds: Any) -> Any:
        if isinstance(seeds, tuple) and (not seeds or len(set(seeds)) < len(seeds)):
            raise ValueError("at least one seed, each once")
        return seeds

    @field_validator("rows")
    @classmethod
    def _each_share_once(cls, rows: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(rows)) < len(rows):
            raise ValueError("each share of the training rows once")
        return tuple(sorted(rows))

    @field_validator("grid")
    @classmethod
    def _some_values_each_once(cls, grid: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        for setting, values in grid.items():
            if not values or not _distinct(values):
                raise ValueError(f"{setting}: at least one value, each once")
        return grid

    @field_validator("grid", "search")
    @classmethod
    def _settings_alone(cls, settings: dict[str, Any]) -> dict[str, Any]:
        for setting in settings:
            if setting in _OWN:
                raise ValueError(_OWN[setting])
        return settings

    @model_validator(mode="after")
    def _one_way_each(self) -> Self:
        if self.grid and self.search:
            raise ValueError("`grid` or `search`; a value of the grid is a choice of a search, as in `{choices: [16, 32]}`")
        if self.repeats is not None and self.folds is None:
            raise ValueError("`repeats` beside `folds`")
        if self.inner_folds is not None and self.folds is None:
            raise ValueError("`inner_folds` beside `folds`")
        if self.inner_folds is not None and self.combinations < 2:
            raise ValueError(
                "`inner_folds` beside a `grid` of two candidates or more: a search proposes candidates from every fold"
            )
        if self.repeats is not None and self.seeds is not None:
            raise ValueError("`repeats` or `seeds`: each seed divides the rows into folds anew")
        return self

    def seeds_of(self, experiment_seed: int) -> tuple[int, ...]:
        """Return the seeds to run with; the experiment's own where none are asked for."""
        seeds = self.repeats if self.seeds is None else self.seeds
        if seeds is None:
            return (experiment_seed,)
        return tuple(range(seeds)) if isinstance(seeds, int) else seeds

    def repetitions(self, experiment_seed: int) -> list[Repetition]:
        """Return what each run of a candidate is made with; inner folds with the largest share of the training rows alone."""
        folds = (None,) if self.folds is None else tuple(range(self.folds))
        rows: tuple[float | None, ...] = self.rows or (None,)
        seeds, inner = self.seeds_of(experiment_seed), range(self.inner_folds or 0)
        plain = [Repetition(seed, fold, None, share) for share in rows for seed in seeds for fold in folds]
        return plain + [Repetition(seed, fold, one, self.largest_share) for seed in seeds for fold in folds for one in inner]

    @property
    def largest_share(self) -> float | None:
        """The share of the training rows that candidates are compared at; None where it does not vary."""
        return max(self.rows, default=None)

    @property
    def combinations(self) -> int:
        """How many combinations the grid has."""
        return math.prod(len(values) for values in self.grid.values())
