"""A study's folder: what was asked, the experiment of each run, the runs, and what came of them."""

import contextlib
import datetime
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from glassbench.errors import RunError, suggest
from glassbench.runs.all_runs import new_run_id
from glassbench.runs.run_folder import RunFolder, append_line, read_lines
from glassbench.runs.seals import STATUS
from glassbench.storage.files import read_object, storage, write_json, write_text
from glassbench.storage.plain_files import open_plain, readable, refuse_strange
from glassbench.studies.study_file import StudyFile
from glassbench.studies.trials import Trial

FORMAT = 1
_PLAN, _LOCK, _FAILURES = "study.json", "study.lock", "failures.jsonl"


class _Trial(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]

    run: Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{6}Z-[0-9a-f]{6}$")]
    seed: int
    settings: dict[str, Any]


class _Planned(TypedDict):
    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    study: str
    format: Literal[1]
    created: str
    asked: StudyFile
    trials: list[_Trial]


_FORM = TypeAdapter(_Planned)


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
        try:
            planned = _FORM.validate_python(content)
        except ValidationError as error:
            got = f"{'.'.join(map(str, error.errors()[0]['loc']))[:80]}: {error.errors()[0]['msg']}"
            fix = "restore it, or start a new study"
            raise RunError("the study's plan is damaged", where=str(path / _PLAN), got=got, fix=fix) from error
        self.asked = planned["asked"]
        self.created = planned["created"]
        self.trials = tuple(
            Trial(run=trial["run"], seed=trial["seed"], settings=trial["settings"]) for trial in planned["trials"]
        )

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

    def done(self, trial: Trial) -> bool:
        """Whether a run came to its end."""
        found = self.run(trial)
        return found is not None and bool(found.status["sealed"])

    @property
    def finished(self) -> tuple[Trial, ...]:
        """The runs that came to their end, in the order of the plan."""
        return tuple(trial for trial in self.trials if self.done(trial))

    def note_failure(self, trial: Trial, message: str) -> None:
        """Record why a run failed; the next `resume` tries it again."""
        append_line(self.path / _FAILURES, {"run": trial.run, "message": message})

    @property
    def failures(self) -> dict[str, str]:
        """The last failure of each run that is not done, by its id."""
        told = {str(line.get("run")): str(line.get("message")) for line in read_lines(self.path / _FAILURES)}
        return {trial.run: told[trial.run] for trial in self.trials if trial.run in told and not self.done(trial)}

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


def create_study(
    root: Path, asked: StudyFile, text: str, experiments: Sequence[tuple[int, Mapping[str, Any], str]]
) -> StudyFolder:
    """Create a study's folder with the experiment of each run; it appears complete or not at all.

    Args:
        root: The folder of all studies.
        asked: The study as asked for.
        text: The study file as it was written.
        experiments: Of each run the seed, the settings that vary and the text of its resolved experiment.
    """
    trials = [Trial(run=new_run_id(), seed=seed, settings=settings) for seed, settings, _ in experiments]
    study = new_run_id()
    draft = root / f".{study}"
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    plan = {
        "study": study,
        "format": FORMAT,
        "created": now,
        "asked": asked.model_dump(mode="json"),
        "trials": [{"run": t.run, "seed": t.seed, "settings": dict(t.settings)} for t in trials],
    }
    with storage(root):
        (draft / "trials").mkdir(parents=True)
        try:
            (draft / "runs").mkdir()
            for trial, (_, _, experiment) in zip(trials, experiments, strict=True):
                write_text(draft / "trials" / f"{trial.run}.yaml", experiment)
            write_text(draft / "study.yaml", text)
            write_json(draft / _PLAN, plan)
            os.replace(draft, root / study)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return StudyFolder(root / study)


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
