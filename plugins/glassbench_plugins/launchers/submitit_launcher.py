"""Runs of a study as jobs of Slurm, submitted by submitit; its local executor behaves alike on one machine."""

import contextlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import submitit
from pydantic import Field
from submitit.helpers import DelayedSubmission

from glassbench.contracts.launcher import LaunchedStudy, Outcome
from glassbench.errors import RunError
from glassbench_plugins.launchers.worker_command import execute, outcome

_PAUSE = 0.1
_ENDED = 20.0


@dataclass(frozen=True)
class Job:
    """What a job does: a run of a study, whose outcome it leaves as a JSON file.

    Args:
        command: Does the run, or goes on with it.
        answer: The file of the outcome.
    """

    command: tuple[str, ...]
    answer: str

    def __call__(self) -> None:
        """Do the run."""
        code, said = execute(self.command)
        draft = Path(f"{self.answer}.draft")
        draft.write_text(json.dumps({"code": code, "said": said}), encoding="utf-8")
        draft.replace(self.answer)

    def checkpoint(self) -> DelayedSubmission:
        """Go on with the run when the job was pre-empted or its time is over: the same command does it."""
        return DelayedSubmission(self)


class SubmititLauncher:
    """Submits each run as a job.

    submitit hands jobs over as pickles, in the folder `launcher` of the study, which only its owner can enter. What a job came to
    is read from JSON.

    Args:
        cluster: `slurm`, or `local` for jobs of this machine; without it, Slurm where there is one.
        minutes: Time of a job; one that is over is submitted again and goes on.
        partition: Partition of Slurm.
        memory: Memory of a job, GiB; None leaves it to the cluster.
        parameters: Further parameters of `sbatch`, as in `{account: lab}`.
    """

    def __init__(
        self,
        *,
        cluster: Literal["slurm", "local"] | None = None,
        minutes: Annotated[int, Field(ge=1)] = 60,
        partition: str | None = None,
        memory: Annotated[float, Field(gt=0)] | None = None,
        parameters: dict[str, str | int | float | bool] | None = None,
    ) -> None:
        self._cluster, self._minutes, self._partition = cluster, minutes, partition
        self._memory, self._parameters = memory, parameters
        self._jobs: dict[Path, Any] = {}
        self._ending: list[Any] = []  # jobs that have answered and are about to be gone
        self._folder: Path | None = None

    def open(self, study: LaunchedStudy) -> None:
        """Get ready to submit.

        Raises:
            RunError: There is no Slurm here.
        """
        if self._cluster == "slurm" and shutil.which("sbatch") is None:
            fix = "start the study on a machine that submits jobs, or `cluster: local`"
            raise RunError("there is no Slurm on this machine", where="launcher.cluster", got="no command `sbatch`", fix=fix)
        self._study = study
        self._folder = study.folder / "launcher"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._executor = submitit.AutoExecutor(self._folder, cluster=self._cluster)
        self._executor.update_parameters(**self._asked(study.threads))

    def submit(self, experiment: Path) -> None:
        """Submit a run."""
        self._answer(experiment).unlink(missing_ok=True)
        job = Job(tuple(self._study.command(experiment)), str(self._answer(experiment)))
        self._jobs[experiment] = self._executor.submit(job)

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """Look after the jobs until one has ended."""
        until = time.monotonic() + seconds
        self._ending = [job for job in self._ending if not job.done()]
        while True:
            ended = [experiment for experiment, job in self._jobs.items() if self._answer(experiment).is_file() or job.done()]
            if ended or time.monotonic() > until:
                return [self._outcome(experiment) for experiment in ended]
            time.sleep(_PAUSE)

    def close(self) -> None:
        """Cancel all jobs, and wait until they are gone."""
        for job in self._jobs.values():
            with contextlib.suppress(Exception):
                job.cancel(check=False)
        until = time.monotonic() + _ENDED
        while any(not job.done() for job in (*self._jobs.values(), *self._ending)) and time.monotonic() < until:
            time.sleep(_PAUSE)
        self._jobs.clear()
        self._ending.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _outcome(self, experiment: Path) -> Outcome:
        job = self._jobs.pop(experiment)
        self._ending.append(job)
        answer = self._answer(experiment)
        if not answer.is_file():
            message = f"its job {job.job_id} ended in the state {job.state}, without a word"
            return Outcome(experiment=experiment, message=message, died=True)
        found = json.loads(answer.read_text(encoding="utf-8"))
        return outcome(experiment, int(found["code"]), str(found["said"]))

    def _answer(self, experiment: Path) -> Path:
        assert self._folder is not None
        return self._folder / f"{experiment.stem}.json"

    def _asked(self, threads: int) -> Mapping[str, Any]:
        asked: dict[str, Any] = {"timeout_min": self._minutes, "cpus_per_task": threads, "name": "glassbench"}
        if self._memory is not None:
            asked["mem_gb"] = self._memory
        if self._partition is not None:
            asked["slurm_partition"] = self._partition
        if self._parameters:
            asked["slurm_additional_parameters"] = dict(self._parameters)
        return asked
