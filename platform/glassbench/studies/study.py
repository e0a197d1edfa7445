"""A study from Python: plan it, run it, go on with it, and read what it found."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassbench.errors import Interrupted, RunError
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.experiment_file import Document, dump, override
from glassbench.experiments.planning import Plan, check_measured, make_plan
from glassbench.pipeline.phases import resolved_plan
from glassbench.registry import Registry
from glassbench.report import render_study
from glassbench.storage.files import write_json, write_text
from glassbench.studies.answer import answer
from glassbench.studies.pool import Pool, check_workers
from glassbench.studies.study_file import StudyFile, experiment_path
from glassbench.studies.study_folder import StudyFolder, create_study, find_study
from glassbench.studies.trials import Trial, check_size, combinations, overrides

Told = Callable[[Trial, str | None], None]


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """What a study will do.

    Args:
        asked: The study as asked for.
        document: The study as written.
        runs: Of each run its seed, the settings that vary, and the plan of its experiment.
    """

    asked: StudyFile
    document: Document
    runs: tuple[tuple[int, Mapping[str, Any], Plan], ...]


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

    def resume(self, *, workers: int | None = None, told: Told | None = None) -> "Study":
        """Do every run that is not done, or failed, then write the report.

        Args:
            workers: Runs at work at one time; None for what the study says.
            told: Called with each run that came to its end, and the message of what went wrong, or None.

        Raises:
            RunError: Another process works on this study, or no run came to its end.
            Interrupted: Ctrl-C; the study can be gone on with.
        """
        asked = self._folder.asked
        check_workers(workers or asked.workers)
        trials = {self._folder.experiment(trial): trial for trial in self.trials if not self._folder.done(trial)}

        def done(experiment: Path, message: str | None) -> None:
            if message is not None:
                self._folder.note_failure(trials[experiment], message)
            if told is not None:
                told(trials[experiment], message)

        until = None if asked.budget is None else time.monotonic() + asked.budget
        with self._folder.locked():
            try:
                pool = Pool(workers or asked.workers, asked.threads, self._modules(), self._registry.blocked)
                pool.work(list(trials), done, until)
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

    def _modules(self) -> list[str]:
        """Return the modules of the first run's components, which all processes of the pool share."""
        plan = resolved_plan(self._folder.experiment(self.trials[0]), self._registry)
        choices = [plan.dataset, plan.task, plan.model, plan.trainer, *plan.audits.values()]
        return sorted({choice.component.spec.target.partition(":")[0] for choice in choices if choice is not None})


def plan_study(
    source: str | Path | Mapping[str, Any], *, changes: Sequence[str] = (), registry: Registry | None = None
) -> StudyPlan:
    """Resolve and validate all of a study, each of its experiments included; nothing is written.

    Args:
        source: A YAML file, or its content as a mapping.
        changes: Dotted overrides of the study, `"vary.seeds=3"`.
        registry: The plugins; None finds the installed ones.

    Raises:
        GlassbenchError: Something in the study or one of its experiments is wrong.
    """
    registry = registry or Registry()
    document = read_experiment(source, changes)
    asked = StudyFile.from_document(document)
    check_workers(asked.workers)
    path = experiment_path(asked, source)
    experiment = read_experiment(path if path is not None else dict(asked.experiment))  # type: ignore[arg-type]
    seed = experiment.content.get("seed", 0)
    seeds = asked.vary.seeds_of(seed if isinstance(seed, int) else 0)
    check_size(asked.vary, seeds, document.where("vary"))
    runs = []
    for settings in combinations(asked.vary.grid):
        varied = override(experiment, overrides(settings))
        runs += [(each, settings, make_plan(override(varied, [f"seed={each}"]), registry)) for each in seeds]
    for place, objective in enumerate(asked.objectives):
        check_measured(objective.measure, runs[0][2], document.where(f"objectives.{place}.measure"), by="an objective")
    return StudyPlan(asked=asked, document=document, runs=tuple(runs))


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
    experiments = [(seed, settings, dump(made.resolved)) for seed, settings, made in plan.runs]
    text = plan.document.text or dump(plan.document.content)
    folder = create_study(Path(studies).absolute(), plan.asked, text, experiments)
    return Study(folder, registry).resume(workers=workers, told=told)


def load_study(name: str | Path, *, studies: str | Path = "studies", registry: Registry | None = None) -> Study:
    """Open a study by its folder, its id, the start of an id, or `latest`.

    Raises:
        RunError: There is none, there are several, or it is damaged.
    """
    return Study(find_study(str(name), Path(studies)), registry)
