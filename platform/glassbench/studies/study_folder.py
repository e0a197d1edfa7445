"""A study's folder: what was asked, the experiment of each run, the runs, and what came of them."""

import contextlib
import datetime
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from glassbench.errors import RunError, suggest
from glassbench.experiments.experiment_file import dump
from glassbench.runs.all_runs import new_run_id
from glassbench.runs.run_folder import RunFolder, append_line, read_lines
from glassbench.runs.seals import STATUS
from glassbench.storage.files import read_object, storage, write_json, write_text
from glassbench.storage.plain_files import open_plain, readable, refuse_strange
from glassbench.studies.pruning import pruned_path, write_bounds
from glassbench.studies.study_file import StudyFile
from glassbench.studies.study_plan import PlannedRun, StudyPlan
from glassbench.studies.trials import Trial

FORMAT = 2
_PLAN, _LOCK, _FAILURES, _ASKED, _BASE = "study.json", "study.lock", "failures.jsonl", "asked.jsonl", "experiment.yaml"


class _Trial(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]

    run: Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{6}Z-[0-9a-f]{6}$")]
    seed: int
    settings: dict[str, Any]
    fold: int | None
    rows: float | None
    inner: NotRequired[int | None]


class _Planned(TypedDict):
    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    study: str
    format: Literal[2]
    created: str
    asked: StudyFile
    trials: list[_Trial]


class _Asked(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]

    settings: dict[str, Any]
    trials: list[_Trial]
    refused: str | None


_FORM, _ASKED_FORM = TypeAdapter(_Planned), TypeAdapter(list[_Asked])


class StudyFolder:
    """One study's files, by what they hold.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = read_object(path / _PLAN)
        if isinstance(content.get("format"), int) and content["format"] != FORMAT:
            got = f"format {content['format']}"
            raise RunError("the study was written by another version", where=str(path), got=got, available=[f"format {FORMAT}"])
        planned = _checked(_FORM, content, path / _PLAN)
        self.asked: StudyFile = planned["asked"]
        self.created: str = planned["created"]
        self._planned = tuple(Trial(**trial) for trial in planned["trials"])
        searched = _checked(_ASKED_FORM, read_lines(path / _ASKED), path / _ASKED)
        self._searched = [(one["settings"], tuple(Trial(**trial) for trial in one["trials"])) for one in searched]
        self.refused = [(one["settings"], one["refused"]) for one in searched if one["refused"] is not None]

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Every run that was planned, or that a search asked for until now, in order."""
        return (*self._planned, *(trial for _, trials in self._searched for trial in trials))

    @property
    def searched(self) -> Sequence[tuple[dict[str, Any], tuple[Trial, ...]]]:
        """The candidates that a search asked for, in order: settings and runs."""
        return self._searched

    @property
    def study(self) -> str:
        """The study's id, the folder's name."""
        return self.path.name

    @property
    def runs(self) -> Path:
        """The folder of its runs."""
        return self.path / "runs"

    def experiment(self, trial: Trial) -> Path:
        """The resolved experiment of one run, an experiment file."""
        return self.path / "trials" / f"{trial.run}.yaml"

    def run(self, trial: Trial) -> RunFolder | None:
        """The folder of one run; None where it was not begun."""
        return RunFolder(self.runs / trial.run) if (self.runs / trial.run / STATUS).is_file() else None

    @property
    def base(self) -> Path:
        """The experiment that all runs vary."""
        return self.path / _BASE

    def pruned(self, trial: Trial) -> bool:
        """Whether a run was ended early because it looked hopeless."""
        return pruned_path(self.experiment(trial)).is_file()

    def done(self, trial: Trial) -> bool:
        """Whether a run came to its end."""
        found = self.run(trial)
        return found is not None and bool(found.status["sealed"])

    @property
    def finished(self) -> tuple[Trial, ...]:
        """The runs that came to their end, in the order of the plan."""
        return tuple(trial for trial in self.trials if self.done(trial))

    def ask(
        self,
        settings: dict[str, Any],
        runs: Sequence[PlannedRun],
        bounds: Mapping[int, float],
        refused: str | None = None,
    ) -> None:
        """Record the candidate that a search came to, and freeze the experiments of its runs.

        Args:
            settings: Its settings.
            runs: Its runs.
            bounds: What ends them early, by epoch.
            refused: Why its settings do not go together, so that it has no runs.
        """
        trials = tuple(_trial(run) for run in runs)
        for trial, run in zip(trials, runs, strict=True):
            if bounds:
                write_bounds(self.experiment(trial), bounds)
            write_text(self.experiment(trial), dump(dict(run.experiment)))
        line = {"settings": settings, "trials": [asdict(trial) for trial in trials], "refused": refused}
        append_line(self.path / _ASKED, line)
        self._searched.append((settings, trials))
        if refused is not None:
            self.refused.append((settings, refused))

    def note_failure(self, trial: Trial, message: str) -> None:
        """Record why a run failed; the next `resume` tries it again."""
        append_line(self.path / _FAILURES, {"run": trial.run, "message": message})

    @property
    def failures(self) -> dict[str, str]:
        """The last failure of each run that is not done, by its id."""
        told = {str(line.get("run")): str(line.get("message")) for line in read_lines(self.path / _FAILURES)}
        left = [trial for trial in self.trials if not self.done(trial) and not self.pruned(trial)]
        return {trial.run: told[trial.run] for trial in left if trial.run in told}

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the study alone; the lock falls with the process, however it ends.

        Raises:
            RunError: Another process works on it, or something in its folder is no plain file.
        """
        refuse_strange(self.path)
        with storage(self.path / _LOCK), open_plain(self.path / _LOCK, os.O_RDWR | os.O_CREAT) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                problem = "another process works on this study"
                raise RunError(problem, where=str(self.path), fix="wait until it is done") from error
            yield


def create_study(root: Path, plan: StudyPlan) -> StudyFolder:
    """Create a study's folder with the experiment of each run; it appears complete or not at all.

    Args:
        root: The folder of all studies.
        plan: What the study will do.
    """
    trials = [_trial(run) for run in plan.runs]
    study = new_run_id()
    draft = root / f".{study}"
    content = {
        "study": study,
        "format": FORMAT,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "asked": plan.asked.to_json(),
        "trials": [asdict(trial) for trial in trials],
    }
    with storage(root):
        (draft / "trials").mkdir(parents=True)
        try:
            (draft / "runs").mkdir()
            for trial, run in zip(trials, plan.runs, strict=True):
                write_text(draft / "trials" / f"{trial.run}.yaml", dump(dict(run.experiment)))
            write_text(draft / "study.yaml", plan.document.text or dump(plan.document.content))
            write_text(draft / _BASE, dump(dict(plan.base)))
            write_json(draft / _PLAN, content)
            os.replace(draft, root / study)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return StudyFolder(root / study)


def _trial(run: PlannedRun) -> Trial:
    return Trial(run=new_run_id(), seed=run.seed, settings=dict(run.settings), fold=run.fold, rows=run.rows, inner=run.inner)


def _checked(form: TypeAdapter[Any], content: Any, path: Path) -> Any:
    try:
        return form.validate_python(content)
    except ValidationError as error:
        got = f"{'.'.join(map(str, error.errors()[0]['loc']))[:80]}: {error.errors()[0]['msg']}"
        fix = "restore it, or start a new study"
        raise RunError("the study's plan is damaged", where=str(path), got=got, fix=fix) from error


def study_names(root: Path) -> list[str]:
    """Return the names of the study folders under a folder, in order."""
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if not path.name.startswith(".") and (path / _PLAN).is_file())


def find_study(name: str, root: Path) -> StudyFolder:
    """Open the study that a folder, an id, the start of an id, or `latest` means.

    Raises:
        RunError: There is none, there are several, or it is damaged.
    """
    if (Path(name) / _PLAN).is_file():
        return StudyFolder(Path(name).absolute())
    known = study_names(root)
    matches = known[-1:] if name == "latest" else [study for study in known if study.startswith(name)]
    if len(matches) == 1:
        return StudyFolder((root / matches[0]).absolute())
    problem = "several studies start so" if matches else f"there is no such study under {readable(str(root))}"
    raise RunError(problem, got=readable(name), available=matches or known[-10:], fix=suggest(name, known))
