"""Train a model and audit it in the same run."""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":
    raise ImportError("Glassbench runs on Linux and macOS; on Windows, install it in the Windows Subsystem for Linux (WSL 2)")

if TYPE_CHECKING:
    from glassbench.api import Run, audit, load_run, plan, run
    from glassbench.contracts.metric import Metric
    from glassbench.contracts.predictions.actions import Actions
    from glassbench.contracts.predictions.answers import Answers
    from glassbench.contracts.predictions.classes import Classes
    from glassbench.contracts.predictions.clusters import Clusters
    from glassbench.contracts.predictions.flags import Flags
    from glassbench.contracts.predictions.kind import PredictionKind
    from glassbench.contracts.predictions.outputs import ClassOutput, EpisodeOutput, NotableRows, RowErrors, ValueOutput
    from glassbench.contracts.predictions.tokens import Tokens
    from glassbench.contracts.predictions.values import Values
    from glassbench.data import Batch, Data, Encoder, Episodes, Feature, Lazy, Schema, Split, Target, Treatment
    from glassbench.errors import (
        ComponentError,
        DataError,
        ExperimentError,
        FitError,
        GlassbenchError,
        PluginError,
        RunError,
        SettingsError,
    )
    from glassbench.estimator import EstimatorModule
    from glassbench.evidence import AuditResult, Case, Chart, Finding, Measure, Method, Part, Picture, Table, TextFile, Token
    from glassbench.hookspecs import hookimpl
    from glassbench.learner import SupervisedLearner
    from glassbench.registry import Registry
    from glassbench.specs import AuditSpec, DatasetSpec, ModelSpec, TaskSpec, TrackerSpec, TrainerSpec
    from glassbench.subject import Subject
    from glassbench.task import Optimization, Predictions, Task
    from glassbench.tracking.contract import Failure, TrackedRun, Tracker
    from glassbench.trainer import Fitted, Trainer, Workspace

_MODULES = {
    "api": ("Run", "audit", "load_run", "plan", "run"),
    "contracts.metric": ("Metric",),
    "contracts.predictions.actions": ("Actions",),
    "contracts.predictions.answers": ("Answers",),
    "contracts.predictions.classes": ("Classes",),
    "contracts.predictions.clusters": ("Clusters",),
    "contracts.predictions.flags": ("Flags",),
    "contracts.predictions.kind": ("PredictionKind",),
    "contracts.predictions.outputs": ("ClassOutput", "EpisodeOutput", "NotableRows", "RowErrors", "ValueOutput"),
    "contracts.predictions.tokens": ("Tokens",),
    "contracts.predictions.values": ("Values",),
    "data": ("Batch", "Data", "Encoder", "Episodes", "Feature", "Lazy", "Schema", "Split", "Target", "Treatment"),
    "errors": (
        "ComponentError",
        "DataError",
        "ExperimentError",
        "FitError",
        "GlassbenchError",
        "PluginError",
        "RunError",
        "SettingsError",
    ),
    "estimator": ("EstimatorModule",),
    "evidence": ("AuditResult", "Case", "Chart", "Finding", "Measure", "Method", "Part", "Picture", "Table", "TextFile", "Token"),
    "hookspecs": ("hookimpl",),
    "learner": ("SupervisedLearner",),
    "registry": ("Registry",),
    "specs": ("AuditSpec", "DatasetSpec", "ModelSpec", "TaskSpec", "TrackerSpec", "TrainerSpec"),
    "subject": ("Subject",),
    "task": ("Optimization", "Predictions", "Task"),
    "tracking.contract": ("Failure", "TrackedRun", "Tracker"),
    "trainer": ("Fitted", "Trainer", "Workspace"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Actions",
    "Answers",
    "AuditResult",
    "AuditSpec",
    "Batch",
    "Case",
    "Chart",
    "ClassOutput",
    "Classes",
    "Clusters",
    "ComponentError",
    "Data",
    "DataError",
    "DatasetSpec",
    "Encoder",
    "EpisodeOutput",
    "Episodes",
    "EstimatorModule",
    "ExperimentError",
    "Failure",
    "Feature",
    "Finding",
    "FitError",
    "Fitted",
    "Flags",
    "GlassbenchError",
    "Lazy",
    "Measure",
    "Method",
    "Metric",
    "ModelSpec",
    "NotableRows",
    "Optimization",
    "Part",
    "Picture",
    "PluginError",
    "PredictionKind",
    "Predictions",
    "Registry",
    "RowErrors",
    "Run",
    "RunError",
    "Schema",
    "SettingsError",
    "Split",
    "Subject",
    "SupervisedLearner",
    "Table",
    "Target",
    "Task",
    "TaskSpec",
    "TextFile",
    "Token",
    "Tokens",
    "TrackedRun",
    "Tracker",
    "TrackerSpec",
    "Trainer",
    "TrainerSpec",
    "Treatment",
    "ValueOutput",
    "Values",
    "Workspace",
    "audit",
    "hookimpl",
    "load_run",
    "plan",
    "run",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for; importing the package itself costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'glassbench' has no attribute '{name}'")
    return getattr(importlib.import_module(f"glassbench.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
