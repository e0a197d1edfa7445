"""A study from Python: plan it, run it, go on with it, and read what it found."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd

from glassbench.contracts.launcher import LaunchedStudy, Launcher
from glassbench.errors import Interrupted, RunError
from glassbench.experiments.choice import choose
from glassbench.experiments.experiment import read_experiment
from glassbench.pipeline.phases import resolved_plan
from glassbench.registry import Registry
from glassbench.report import render_study
from glassbench.runs.artifacts import read_predictions
from glassbench.storage.files import write_json, write_text
from glassbench.studies.answer import answer
from glassbench.studies.local_launcher import LocalLauncher, check_workers
from glassbench.studies.search_space import first_plan
from glassbench.studies.study_folder import StudyFolder, create_study, find_study
from glassbench.studies.study_plan import plan_study
from glassbench.studies.supply import PlannedRuns, SearchedRuns, Told
from glassbench.studies.trials import Trial, candidate_words
from glassbench.studies.working import work


class Study:
    """A study and what it found.

    Args:
        folder: The study's folder.
        registry: The plugins; None finds the installed ones.
    """

    def __init__(self, folder: StudyFolder, registry: Registry | None = None) -> None:
        self._folder = folder
        self._registry = registry or Registry()

    @property
    def folder(self) -> Path:
        """Where the study's files are; its runs are in `runs/`."""
        return self._folder.path

    @property
    def report(self) -> Path:
        """The HTML report of the study."""
        return self.folder / "report.html"

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The runs that the study asks for, in order."""
        return self._folder.trials

    @property
    def failures(self) -> dict[str, str]:
        """Why runs failed, by their id."""
        return self._folder.failures

    @property
    def answer(self) -> dict[str, Any]:
        """What the study found so far, plain JSON values; see `glassbench.studies.answer.answer`."""
        return answer(self._folder)

    def out_of_fold(self, settings: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return the predictions of a candidate of cross-validation, each row as the model decides it that did not learn from it.

        Args:
            settings: The candidate's settings; None for the winner.

        Returns:
            The predictions of all folds below each other, with `fold` (from 1) and `seed`; each row once for each seed.

        Raises:
            RunError: The study has no folds, or no run of such a candidate came to its end.
        """
        found = self.answer
        if settings is None and found["winner"] is not None:
            settings = found["candidates"][found["winner"]["candidate"]]["settings"]
        largest = self._folder.asked.vary.largest_share
        wanted = [t for t in self._folder.finished if t.settings == settings and t.rows == largest and t.inner is None]
        if found["folds"] is None or not wanted:
            problem = "there are no predictions out of fold"
            available = [candidate["words"] for candidate in found["candidates"]] if found["folds"] else []
            raise RunError(problem, where=str(self.folder), got=candidate_words(settings or {}), available=available)
        frames = [read_predictions(self.folder / "runs" / t.run).assign(fold=(t.fold or 0) + 1, seed=t.seed) for t in wanted]
        return pd.concat(frames, ignore_index=True)

    def resume(self, *, workers: int | None = None, told: Told | None = None) -> "Study":
        """Do every run that is not done, or failed, then write the report.

        Args:
            workers: Runs at work at one time; None for what the study says.
            told: Called with each run that came to its end, and the message of what went wrong, or None.

        Raises:
            RunError: Another process works on this study, or no run came to its end.
            Interrupted: Ctrl-C; the study can be gone on with.
        """
        asked, folder = self._folder.asked, self._folder
        launched = LaunchedStudy(
            folder=self.folder,
            workers=workers or asked.workers,
            threads=asked.threads,
            modules=self._modules(),
            blocked=self._registry.blocked,
        )
        until = None if asked.seconds is None else time.monotonic() + asked.seconds
        with folder.locked():
            supply = SearchedRuns(folder, self._registry, told) if asked.vary.search else PlannedRuns(folder, told)
            try:
                work(self._launcher(), launched, supply, until)
            except KeyboardInterrupt as error:
                raise Interrupted(self.folder, command="glassbench study resume", option="--studies") from error
            self.render()
        return self

    def render(self) -> Path:
        """Write `answer.json` and the report from the runs; return the report's path.

        Raises:
            RunError: No run came to its end.
        """
        if not self._folder.finished:
            said = next(iter(self.failures.values()), "no run was begun")
            fix = f"glassbench study resume {self._folder.study}"
            raise RunError("no run of the study came to its end", where=str(self.folder), got=said, fix=fix)
        found = self.answer
        write_json(self.folder / "answer.json", found)
        write_text(self.report, render_study(found))
        return self.report

    def _launcher(self) -> Launcher:
        use = self._folder.asked.launcher
        if use is None:
            return LocalLauncher()
        return cast(Launcher, choose("launcher", use, read_experiment(self.folder / "study.yaml"), self._registry).make())

    def _modules(self) -> list[str]:
        """Return the modules of the first run's components, which all processes of the local launcher share."""
        search = self._folder.asked.vary.search
        if search:
            plan = first_plan(search, read_experiment(self._folder.base), self._registry)
        else:
            plan = resolved_plan(self._folder.experiment(self.trials[0]), self._registry)
        choices = [plan.dataset, plan.task, plan.model, plan.trainer, *plan.audits.values()]
        return sorted({choice.component.spec.target.partition(":")[0] for choice in choices if choice is not None})


def run_study(
    source: str | Path | Mapping[str, Any],
    *,
    changes: Sequence[str] = (),
    studies: str | Path = "studies",
    workers: int | None = None,
    registry: Registry | None = None,
    told: Told | None = None,
) -> Study:
    """Run a study: every combination of settings with every seed, each an ordinary run with its own report.

    Args:
        source: A YAML file, or its content as a mapping.
        changes: Dotted overrides of the study, `"vary.seeds=3"`.
        studies: The folder of all studies; the study gets one of its own in it.
        workers: Runs at work at one time; None for what the study says.
        registry: The plugins; None finds the installed ones.
        told: Called with each run that came to its end, and the message of what went wrong, or None.

    Raises:
        GlassbenchError: The study is wrong, or no run came to its end; what was done until then can be resumed.
    """
    registry = registry or Registry()
    plan = plan_study(source, changes=changes, registry=registry)
    if plan.launcher is None:
        check_workers(workers or plan.asked.workers)
    return Study(create_study(Path(studies).absolute(), plan), registry).resume(workers=workers, told=told)


def load_study(name: str | Path, *, studies: str | Path = "studies", registry: Registry | None = None) -> Study:
    """Open a study by its folder, its id, the start of an id, or `latest`.

    Raises:
        RunError: There is none, there are several, or it is damaged.
    """
    return Study(find_study(str(name), Path(studies)), registry)
