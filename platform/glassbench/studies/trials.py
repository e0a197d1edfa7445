"""The runs of a study: each combination of settings with each seed."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassbench.errors import ExperimentError
from glassbench.studies.study_file import MOST_RUNS, Vary


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a study.

    Args:
        run: The run's id.
        seed: Its experiment's seed.
        settings: Values of the settings that vary, by dotted name.
    """

    run: str
    seed: int
    settings: Mapping[str, Any]

    @property
    def overrides(self) -> tuple[str, ...]:
        """What makes the study's experiment this run's."""
        return (*overrides(self.settings), f"seed={self.seed}")

    @property
    def candidate(self) -> str:
        """The settings in words, the same for all seeds."""
        return candidate_words(self.settings)


def overrides(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return settings as overrides; JSON is YAML."""
    return tuple(f"{name}={json.dumps(value)}" for name, value in settings.items())


def candidate_words(settings: Mapping[str, Any]) -> str:
    """Return settings in words.

    Example:
        >>> candidate_words({"model.hidden": [32, 32], "trainer.lr": 0.01})
        'model.hidden=[32, 32], trainer.lr=0.01'
        >>> candidate_words({})
        'the experiment as it is'
    """
    return ", ".join(overrides(settings)) or "the experiment as it is"


def combinations(grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return all combinations of a grid's values, the last setting varying fastest; one without settings where it is empty."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def check_size(vary: Vary, seeds: Sequence[int], where: str) -> None:
    """Refuse a study of one run, which is no study, and one of more runs than can be meant.

    Raises:
        ExperimentError: It has one run, or more than `MOST_RUNS`.
    """
    runs = len(seeds)
    for values in vary.grid.values():
        runs *= len(values)
    if runs == 1:
        raise ExperimentError("nothing varies in this study", where=where, got="1 run", fix="give `seeds: 5` or a `grid`")
    if runs > MOST_RUNS:
        problem = "the study has too many runs"
        raise ExperimentError(problem, where=where, got=f"{runs:,} runs", fix=f"at most {MOST_RUNS:,}: fewer values or seeds")
