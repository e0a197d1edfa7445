"""The runs of a study: each candidate with each seed, fold and share of the training rows."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glassbench.errors import ExperimentError
from glassbench.studies.study_file import StudyFile
from glassbench.studies.vary import MOST_RUNS, Vary


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a study.

    Args:
        run: The run's id.
        seed: Its experiment's seed.
        settings: Values of the settings that vary, by dotted name.
        fold: The fold that it is judged on, from 0; None without cross-validation.
        rows: The share of the training rows that it learns from; None where that does not vary.
        inner: The fold of the rows outside its fold that it is judged on in its place, for nested cross-validation; None else.
    """

    run: str
    seed: int
    settings: Mapping[str, Any]
    fold: int | None = None
    rows: float | None = None
    inner: int | None = None

    @property
    def candidate(self) -> str:
        """The settings in words, the same for all seeds."""
        return candidate_words(self.settings)

    @property
    def words(self) -> str:
        """What tells it from the other runs of its candidate."""
        return repetition_words(self.seed, self.fold, self.rows, self.inner)


def repetition_words(seed: int, fold: int | None, rows: float | None, inner: int | None = None) -> str:
    """Return in words what tells the runs of a candidate apart.

    Example:
        >>> repetition_words(3, None, None), repetition_words(0, 1, 0.5)
        ('seed 3', 'seed 0, fold 2, 50 % of the training rows')
    """
    told = [f"seed {seed}", *([] if fold is None else [f"fold {fold + 1}"])]
    told += [] if inner is None else [f"inner fold {inner + 1}"]
    return ", ".join([*told, *([] if rows is None else [f"{100 * rows:g} % of the training rows"])])


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


def check_size(asked: StudyFile, repetitions: int, where: str) -> None:
    """Refuse a study of one run, which is no study, one of more runs than can be meant, and one beyond its own budget.

    Args:
        asked: The study.
        repetitions: Runs of each candidate.
        where: Where it says what varies.

    Raises:
        ExperimentError: It has one run, more than `MOST_RUNS` or than its budget, or a search that nothing ends.
    """
    if asked.vary.search:
        _check_search(asked, repetitions, where)
        return
    if asked.prune:
        raise ExperimentError("only a search prunes runs", where=where, got="prune: true", fix="leave `prune` out")
    runs = repetitions * asked.vary.combinations
    if runs == 1:
        raise ExperimentError("nothing varies in this study", where=where, got="1 run", fix=f"give one of {', '.join(_WAYS)}")
    _check_most(runs, where)
    most = None if asked.budget is None else asked.budget.runs
    if most is not None and runs > most:
        problem = "the study has more runs than its budget"
        raise ExperimentError(problem, where=where, got=f"{runs:,} runs, budget {most:,}", fix="fewer values, or a larger budget")


def _check_search(asked: StudyFile, repetitions: int, where: str) -> None:
    if asked.budget is None:
        problem = "nothing says when the search ends"
        raise ExperimentError(problem, where=where, fix="a `budget` beside `vary`: {runs: 40}, or {minutes: 10}")
    most = asked.candidates(repetitions)
    if most < 2:
        got = f"{asked.budget.runs or MOST_RUNS:,} runs, {repetitions:,} for each candidate"
        raise ExperimentError("the budget is too small for two candidates", where=where, got=got, fix="a larger budget")
    _check_most(repetitions, where)


def _check_most(runs: int, where: str) -> None:
    if runs > MOST_RUNS:
        problem = "the study has too many runs"
        raise ExperimentError(problem, where=where, got=f"{runs:,} runs", fix=f"at most {MOST_RUNS:,}: fewer values or seeds")


_WAYS = tuple(f"`{name}`" for name in Vary.model_fields)
