"""Optuna's samplers, asked so that the same results lead to the same candidates, whenever they are asked and by whom."""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from glassbench.errors import ComponentError, RunError
from glassbench.studies.trials import candidate_words
from glassbench.studies.vary import Dimension

_POPULATION = 50
_STARTUP = 10


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a candidate of a search came to.

    Args:
        values: Its objectives, each the smaller the better; None where it failed.
        violations: By how much it misses each floor or ceiling; 0 or below where it keeps it.
        course: Of a run that was ended early, the value that was watched by epoch; None where none was.
    """

    values: Sequence[float] | None
    violations: Sequence[float] = ()
    course: Mapping[int, float] | None = None


class Search:
    """Draws candidates: TPE for one objective, NSGA-II for several.

    Optuna's study is kept in memory alone; it is built again by asking and telling in the order of before. The sampler is seeded
    anew for each candidate, so that a candidate depends on the seed, its number and the results told so far.

    Args:
        space: Ranges and choices by dotted setting.
        whole: Settings that take whole numbers alone.
        objectives: How many objectives there are.
        seed: Seed of the search.
        candidates: How many candidates there will be, at most.

    Raises:
        ComponentError: Optuna is not installed.
    """

    def __init__(self, space: Mapping[str, Dimension], whole: Sequence[str], objectives: int, seed: int, candidates: int) -> None:
        check_installed()
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._objectives, self._seed = space, objectives, seed
        self._population = max(4, min(_POPULATION, candidates // 4))
        self._startup = max(4, min(_STARTUP, candidates // 3))
        self._distributions = {name: _distribution(dimension, name in whole) for name, dimension in space.items()}
        self._study = optuna.create_study(directions=["minimize"] * objectives)
        self._asked: list[Any] = []

    def ask(self, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the settings of the next candidate.

        Args:
            known: Its settings, where it was asked for before.

        Raises:
            RunError: They would be others now.
        """
        self._study.sampler = self._sampler(len(self._asked))
        trial = self._study.ask(self._distributions)
        self._asked.append(trial)
        settings = {name: self._setting(name, value) for name, value in trial.params.items()}
        if known is not None and known != settings:
            raise RunError(
                "the installed Optuna draws other candidates than the one that the search was begun with",
                got=f"optuna {version('optuna')}: {candidate_words(settings)}, then {candidate_words(known)}",
                fix="install the version of before, or start a new study",
            )
        return settings

    def tell(self, number: int, result: Result) -> None:
        """Take what a candidate came to.

        Args:
            number: Which candidate, counted from 0 in the order of asking.
            result: What it came to.
        """
        from optuna.trial import TrialState

        trial = self._asked[number]
        for place, violation in enumerate(result.violations if result.values is not None else ()):
            trial.set_constraint(str(place), violation)
        if result.values is not None:
            self._study.tell(trial, list(result.values))
        elif result.course and self._objectives == 1:
            for epoch, value in result.course.items():
                trial.report(value, epoch)
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, state=TrialState.FAIL)

    def _sampler(self, number: int) -> Any:
        from optuna.samplers import NSGAIISampler, TPESampler

        seed = (self._seed * 1_000_003 + number) % 2**32
        if self._objectives > 1:
            return NSGAIISampler(seed=seed, population_size=self._population)
        return TPESampler(seed=seed, n_startup_trials=self._startup)

    def _setting(self, name: str, drawn: float) -> Any:
        """Return the value of a setting: a choice by its place, a number with four digits, so that a person can read it."""
        dimension = self._space[name]
        if dimension.choices is not None:
            return dimension.choices[int(drawn)]
        if isinstance(drawn, int):
            return drawn
        assert dimension.from_ is not None
        assert dimension.to is not None
        return float(min(max(float(f"{drawn:.4g}"), dimension.from_), dimension.to))


def check_installed() -> None:
    """Refuse to search without Optuna.

    Raises:
        ComponentError: It is not installed.
    """
    if importlib.util.find_spec("optuna") is None:
        raise ComponentError(
            "a search needs a package that is not installed", got="no optuna", fix="pip install 'glassbench[search]'"
        )


def _distribution(dimension: Dimension, whole: bool) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.choices is not None:
        return CategoricalDistribution(tuple(range(len(dimension.choices))))
    assert dimension.from_ is not None
    assert dimension.to is not None
    if whole:
        low, high, step = int(dimension.from_), int(dimension.to), int(dimension.step or 1)
        return IntDistribution(low, low + (high - low) // step * step, log=dimension.log, step=step)
    low_, high_ = float(dimension.from_), float(dimension.to)
    if dimension.step is None:
        return FloatDistribution(low_, high_, log=dimension.log)
    return FloatDistribution(low_, low_ + int((high_ - low_) / dimension.step + 1e-9) * dimension.step, step=dimension.step)
