"""Every hook a plugin may implement."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from glassbench.contracts.specs import (
    AuditSpec,
    CompressionSpec,
    DatasetSpec,
    LauncherSpec,
    MitigationSpec,
    ModelSpec,
    TaskSpec,
    TrackerSpec,
    TrainerSpec,
)

if TYPE_CHECKING:
    from glassbench.contracts.evidence import AuditResult

GROUP = "glassbench"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def glassbench_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Yield the data sets this plugin brings."""


@hookspec
def glassbench_tasks() -> Iterable[TaskSpec]:  # type: ignore[empty-body]
    """Yield the tasks this plugin brings."""


@hookspec
def glassbench_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Yield the models this plugin brings."""


@hookspec
def glassbench_trainers() -> Iterable[TrainerSpec]:  # type: ignore[empty-body]
    """Yield the trainers this plugin brings."""


@hookspec
def glassbench_audits() -> Iterable[AuditSpec]:  # type: ignore[empty-body]
    """Yield the audits this plugin brings."""


@hookspec
def glassbench_trackers() -> Iterable[TrackerSpec]:  # type: ignore[empty-body]
    """Yield the trackers this plugin brings."""


@hookspec
def glassbench_mitigations() -> Iterable[MitigationSpec]:  # type: ignore[empty-body]
    """Yield the mitigations this plugin brings."""


@hookspec
def glassbench_compressions() -> Iterable[CompressionSpec]:  # type: ignore[empty-body]
    """Yield the compressions this plugin brings."""


@hookspec
def glassbench_launchers() -> Iterable[LauncherSpec]:  # type: ignore[empty-body]
    """Yield the launchers this plugin brings."""


@hookspec
def glassbench_plan(resolved: Mapping[str, Any]) -> str | None:
    """Look at the resolved experiment before anything is written; return a reason to veto the run, or None."""


@hookspec
def glassbench_run_start(folder: str) -> None:
    """Called once when a run's folder exists and before its first phase; again on resume."""


@hookspec
def glassbench_metric(folder: str, record: Mapping[str, float | int]) -> None:
    """Called for each line of the training history: `epoch`, `step` and the values measured then; once for each step."""


@hookspec
def glassbench_phase_done(folder: str, phase: str) -> None:
    """Called after a phase's completion record is on disk."""


@hookspec
def glassbench_audit_done(folder: str, result: "AuditResult") -> None:
    """Called after one audit's result is on disk."""


@hookspec
def glassbench_run_end(folder: str, verdict: str, report: str) -> None:
    """Called after the report is on disk, with the path of the HTML report; again whenever it is rendered again."""


@hookspec
def glassbench_run_failed(folder: str, phase: str, error: str) -> None:
    """Called when a run stops in a phase before its end, by an error or by a person; it may be resumed later."""
