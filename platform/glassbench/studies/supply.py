"""Which run of a study comes next: those that were planned, or those of the candidates that a search comes to."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from glassbench.errors import GlassbenchError
from glassbench.experiments.experiment import read_experiment
from glassbench.registry import Registry
from glassbench.studies.objectives import estimate, higher_is_better, measures_of
from glassbench.studies.pruning import course, medians
from glassbench.studies.search_space import first_plan, whole_numbers
from glassbench.studies.searching import Result, Search
from glassbench.studies.study_folder import StudyFolder
from glassbench.studies.study_plan import planned_candidate
from glassbench.studies.trials import Trial

Told = Callable[[Trial, str | None], None]


class PlannedRuns:
    """The runs of a study that were planned, those left to do, in order.

    Args:
        folder: The study.
        told: Called with each run that came to its end, and the message of what went wrong, or None.
    """

    def __init__(self, folder: StudyFolder, told: Told | None) -> None:
        self._folder, self._told = folder, told
        self._waiting = [trial for trial in folder.trials if not folder.done(trial)]

    def next(self) -> tuple[Trial, Path] | None:
        """Return the next run and its experiment; None where none is left."""
        if not self._waiting:
            return None
        trial = self._waiting.pop(0)
        return trial, self._folder.experiment(trial)

    def ended(self, trial: Trial, message: str | None) -> None:
        """Record what went wrong, if anything."""
        if message is not None:
            self._folder.note_failure(trial, message)
        if self._told is not None:
            self._told(trial, message)


class SearchedRuns:
    """The runs of the candidates that a search comes to.

    Candidate k is chosen from the results of the candidates 0 to k - `at_once`, and of no other, so that it does not depend on
    how many workers there are, which of them is faster, and whether the study was stopped in between.

    Args:
        folder: The study.
        registry: The plugins.
        told: Called with each run that came to its end, and the message of what went wrong, or None.
    """

    def __init__(self, folder: StudyFolder, registry: Registry, told: Told | None) -> None:
        self._folder, self._registry, self._told = folder, registry, told
        self._base = read_experiment(folder.base)
        asked = folder.asked
        self._repetitions = len(asked.vary.repetitions(0))
        self._most = asked.candidates(self._repetitions)
        plan = first_plan(asked.vary.search, self._base, registry)
        whole = [name for name, one in asked.vary.search.items() if one.choices is None and whole_numbers(name, one, plan)]
        self._search = Search(asked.vary.search, whole, len(asked.objectives), asked.seed, self._most)
        self._failed: set[str] = set()
        self._number = self._told_until = 0
        self._waiting: list[Trial] = []

    def next(self) -> tuple[Trial, Path] | None:
        """Return the next run and its experiment; None where none is left, or none can be named before others end."""
        while not self._waiting:
            if self._number >= self._most or not self._tell_up_to(self._number - self._folder.asked.at_once):
                return None
            self._ask()
        trial = self._waiting.pop(0)
        return trial, self._folder.experiment(trial)

    def ended(self, trial: Trial, message: str | None) -> None:
        """Record what went wrong, if anything."""
        if message is not None:
            self._failed.add(trial.run)
            self._folder.note_failure(trial, message)
        if self._told is not None:
            self._told(trial, message)

    def _ask(self) -> None:
        """Come to the next candidate, one that was asked for before or a new one, and have its runs wait that are left to do."""
        folder = self._folder
        known = folder.searched[self._number][0] if self._number < len(folder.searched) else None
        settings = self._search.ask(known)
        if known is None:
            try:
                runs = planned_candidate(settings, folder.asked, self._base, self._registry)
            except GlassbenchError as error:
                folder.ask(settings, (), {}, refused=str(error))
            else:
                folder.ask(settings, runs, self._bounds())
        trials = folder.searched[self._number][1]
        self._number += 1
        self._waiting = [trial for trial in trials if not folder.done(trial) and not folder.pruned(trial)]

    def _bounds(self) -> dict[int, float]:
        """Return what ends runs early: medians over the runs of the candidates whose results were told."""
        if not self._folder.asked.prune:
            return {}
        told = [trial for _, trials in self._folder.searched[: self._told_until] for trial in trials]
        found = [self._folder.run(trial) for trial in told if self._folder.done(trial)]
        return medians([run.history() for run in found if run is not None])

    def _tell_up_to(self, last: int) -> bool:
        """Tell the results of the candidates up to one, in order; return False where one of them is still at work."""
        while self._told_until <= last:
            _, trials = self._folder.searched[self._told_until]
            if not all(self._ended(trial) for trial in trials):
                return False
            self._search.tell(self._told_until, self._result(trials))
            self._told_until += 1
        return True

    def _ended(self, trial: Trial) -> bool:
        return trial.run in self._failed or self._folder.done(trial) or self._folder.pruned(trial)

    def _result(self, trials: Sequence[Trial]) -> Result:
        pruned = next((trial for trial in trials if self._folder.pruned(trial)), None)
        if pruned is not None:
            run = self._folder.run(pruned)
            return Result(values=None, course=None if run is None else course(run.history()))
        if not trials or not all(self._folder.done(trial) for trial in trials):
            return Result(values=None)
        return self._values(trials)

    def _values(self, trials: Sequence[Trial]) -> Result:
        full = [trial for trial in trials if trial.rows == self._folder.asked.vary.largest_share]
        runs = [measures_of(self._folder, trial, confirmed=False) for trial in full]
        values, violations = list[float](), list[float]()
        for objective in self._folder.asked.objectives:
            up = higher_is_better(objective, runs)
            told = [] if up is None else [estimate(objective, measures, up).value for measures in runs]
            known = [value for value in told if value is not None]
            if len(known) < len(runs):
                return Result(values=None)
            mean = statistics.fmean(known)
            values.append(-mean if up else mean)
            if objective.at_least is not None or objective.at_most is not None:
                violations.append(objective.violation(mean))
        return Result(values=values, violations=violations)
