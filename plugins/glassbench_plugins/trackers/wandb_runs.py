"""What happens in a run, for Weights & Biases."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from glassbench import AuditResult, Failure, TrackedRun
from glassbench.system.library_environment import library_environment
from glassbench_plugins.trackers.legal_names import LegalNames, numbers
from glassbench_plugins.trackers.outcome import gates, model_files, reported_files

_SECONDS = 20.0
"""How long W&B may take to begin and to end a run before it gives up."""


class WandbTracker:
    """Logs a run to Weights & Biases: settings as config, the training history at its steps, the audits' measures with their
    intervals (`name.low`, `name.high`), the verdict and each gate in the summary, reports and the model as artifacts.

    Without `mode: online` nothing leaves the machine: `wandb sync` uploads the files later. A resumed run goes on under the same
    id; offline it writes a second folder, for `wandb sync --append`.

    Args:
        project: The project; None for the name of the run's experiment.
        entity: The user or team that the project belongs to; None for W&B's default.
        mode: Whether what happens is sent at once or only written to files.
        folder: Where W&B writes its files; None for the run's own folder, under `trackers/wandb`.
        model: Whether the trained model is logged.
    """

    def __init__(
        self,
        run: TrackedRun,
        *,
        project: str | None = None,
        entity: str | None = None,
        mode: Literal["offline", "online"] = "offline",
        folder: Path | None = None,
        model: bool = True,
    ) -> None:
        self._run, self._model = run, model
        self._names = LegalNames(run.output / "names.json")
        self._folder = folder or run.output
        with self._library() as wandb:
            self._followed = wandb.init(
                project=_plain(project or run.name),
                entity=entity,
                id=_plain(run.id),
                name=run.id,
                config=dict(run.experiment),
                resume="allow" if mode == "online" else None,
                settings=wandb.Settings(mode=mode, root_dir=str(self._folder), **_SETTINGS),
            )

    def metric(self, record: Mapping[str, float | int]) -> None:
        """Log the values at their step."""
        values = self._names.named((name, None, value) for name, value in record.items() if name != "step")
        with self._library():
            self._followed.log(values, step=record.get("step"), commit=True)

    def audited(self, result: AuditResult) -> None:
        """Write each measure with its interval into the summary."""
        with self._library():
            self._followed.summary.update(self._names.named(numbers(result)))

    def finished(self, verdict: str, report: Path) -> None:
        """Write the verdict and each gate, log the reports and the model, and end the run."""
        judged = enumerate(gates(self._run.folder))
        told = self._names.named((f"gate {words}", place, said) for place, (words, said) in judged)
        with self._library() as wandb:
            self._followed.summary.update({"glassbench.verdict": verdict, **told})
            self._followed.tags = (*(self._followed.tags or ()), verdict)
            self._log_files(wandb, "report", reported_files(self._run.folder))
            self._log_files(wandb, "model", model_files(self._run.folder) if self._model else [])
            self._followed.finish(exit_code=0)
            wandb.teardown()

    def failed(self, error: Failure) -> None:
        """Write where and why the run stopped, and end it as failed."""
        with self._library() as wandb:
            self._followed.summary.update({"glassbench.stopped_in": error.phase, "glassbench.error": error.message})
            self._followed.tags = (*(self._followed.tags or ()), "interrupted" if error.interrupted else "failed")
            self._followed.finish(exit_code=1)
            wandb.teardown()

    def _log_files(self, wandb: Any, kind: str, paths: Sequence[Path]) -> None:
        if not paths:
            return
        artifact = wandb.Artifact(_plain(f"{self._run.id}-{kind}"), type=kind)
        for path in paths:
            artifact.add_file(str(path), policy="immutable", skip_cache=True)
        self._followed.log_artifact(artifact)

    @contextlib.contextmanager
    def _library(self) -> Iterator[Any]:
        """Give W&B, which sends no crash reports and writes nothing outside the folder."""
        places = {f"WANDB_{name}_DIR": str(self._folder / "wandb" / name.lower()) for name in ("CACHE", "DATA", "ARTIFACT")}
        with library_environment({"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true", **places}):
            import wandb  # seconds to import, and plans need none of it

            yield wandb


_SETTINGS: dict[str, Any] = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "disable_job_creation": True,
    "finish_timeout": _SECONDS,
    "init_timeout": _SECONDS,
    "save_code": False,
    "silent": True,
    "symlink": False,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
"""W&B logs what it is told and nothing else: no code, no packages, no hardware, no output."""


def _plain(text: str) -> str:
    """Return a text as a name of a project, run or artifact."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text)[:120] or "-"
