"""Train a model and audit it in the same run.

`FOR_USERS` are the names of people who train and audit, `FOR_AUTHORS` those of people who write plugins.
`docs/reference/public-names.md` lists both.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":
    raise ImportError("Glassbench runs on Linux and macOS; on Windows, install it in the Windows Subsystem for Linux (WSL 2)")

if TYPE_CHECKING:
    from glassbench.api import audit, load_run, plan, resume, run
    from glassbench.contracts.blueprint import Blueprinted
    from glassbench.contracts.compression import Compressed, Compression, CompressionSource
    from glassbench.contracts.data import (
        Batch,
        Data,
        Encoder,
        Episodes,
        Fingerprinted,
        Lazy,
        Split,
        Streamed,
        Treatment,
    )
    from glassbench.contracts.estimator import EstimatorModule, HeldOutRows, OwnFormat, SelfFitting
    from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method, TextFile
    from glassbench.contracts.exhibits import Case, Chart, Part, Picture, Table, Token
    from glassbench.contracts.facts import (
        AnswerFacts,
        AudioFacts,
        ForecastFacts,
        ImageFacts,
        ObservationFacts,
        SeriesFacts,
        TextFacts,
    )
    from glassbench.contracts.hookspecs import hookimpl
    from glassbench.contracts.launcher import LaunchedStudy, Launcher, Outcome
    from glassbench.contracts.learner import SupervisedLearner
    from glassbench.contracts.metric import Metric
    from glassbench.contracts.mitigation import Mitigation
    from glassbench.contracts.packed import Packed
    from glassbench.contracts.predictions.actions import Actions
    from glassbench.contracts.predictions.answers import Answers
    from glassbench.contracts.predictions.box_lists import encoded_boxes
    from glassbench.contracts.predictions.boxes import Boxes
    from glassbench.contracts.predictions.classes import Classes
    from glassbench.contracts.predictions.clusters import Clusters
    from glassbench.contracts.predictions.flags import Flags
    from glassbench.contracts.predictions.kind import PredictionKind
    from glassbench.contracts.predictions.labels import Labels
    from glassbench.contracts.predictions.mask_counts import mask_columns
    from glassbench.contracts.predictions.masks import Masks
    from glassbench.contracts.predictions.outputs import (
        AnswerOutput,
        BaselinePredictions,
        ClassOutput,
        EpisodeOutput,
        ExplainedOutput,
        IntervalOutput,
        Losses,
        NotableRows,
        RegionOutput,
        RowErrors,
        ValueOutput,
    )
    from glassbench.contracts.predictions.quantiles import Quantiles
    from glassbench.contracts.predictions.tokens import Tokens
    from glassbench.contracts.predictions.values import Values
    from glassbench.contracts.row_change import RowChange
    from glassbench.contracts.schema import Feature, Schema, Target
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
    from glassbench.contracts.subject import Subject
    from glassbench.contracts.task import Generation, Optimization, Predictions, Task, forward_all
    from glassbench.contracts.text_likelihood import Continuation, ScoresTexts, TextLikelihood
    from glassbench.contracts.tracker import Failure, TrackedRun, Tracker
    from glassbench.contracts.trainer import Fitted, Trainer, Workspace
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
    from glassbench.pipeline.run_observer import RunObserver
    from glassbench.registry import Registry
    from glassbench.run_handle import Run
    from glassbench.stats.estimate import Estimate
    from glassbench.stats.sampling import Sampling
    from glassbench.stats.verdict import judge
    from glassbench.storage.files import write_file, write_json, write_text

_USERS = {
    "api": ("audit", "load_run", "plan", "resume", "run"),
    "run_handle": ("Run",),
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
    "registry": ("Registry",),
    "pipeline.run_observer": ("RunObserver",),
    "contracts.task": ("Generation",),
}
_AUTHORS = {
    "contracts.blueprint": ("Blueprinted",),
    "contracts.metric": ("Metric",),
    "contracts.predictions.actions": ("Actions",),
    "contracts.predictions.answers": ("Answers",),
    "contracts.predictions.box_lists": ("encoded_boxes",),
    "contracts.predictions.boxes": ("Boxes",),
    "contracts.predictions.classes": ("Classes",),
    "contracts.predictions.clusters": ("Clusters",),
    "contracts.predictions.flags": ("Flags",),
    "contracts.predictions.kind": ("PredictionKind",),
    "contracts.predictions.labels": ("Labels",),
    "contracts.predictions.mask_counts": ("mask_columns",),
    "contracts.predictions.masks": ("Masks",),
    "contracts.predictions.outputs": (
        "AnswerOutput",
        "BaselinePredictions",
        "ClassOutput",
        "EpisodeOutput",
        "ExplainedOutput",
        "IntervalOutput",
        "Losses",
        "NotableRows",
        "RegionOutput",
        "RowErrors",
        "ValueOutput",
    ),
    "contracts.predictions.quantiles": ("Quantiles",),
    "contracts.predictions.tokens": ("Tokens",),
    "contracts.predictions.values": ("Values",),
    "contracts.compression": ("Compressed", "Compression", "CompressionSource"),
    "contracts.data": (
        "Batch",
        "Data",
        "Encoder",
        "Episodes",
        "Fingerprinted",
        "Lazy",
        "Split",
        "Streamed",
        "Treatment",
    ),
    "contracts.text_pieces": ("AnswerReader", "Piece", "TextReader"),
    "contracts.facts": (
        "AnswerFacts",
        "AudioFacts",
        "ForecastFacts",
        "ImageFacts",
        "ObservationFacts",
        "SeriesFacts",
        "TextFacts",
    ),
    "contracts.schema": ("Feature", "Schema", "Target"),
    "contracts.estimator": ("EstimatorModule", "HeldOutRows", "OwnFormat", "SelfFitting"),
    "contracts.evidence": ("AuditResult", "Finding", "Measure", "Method", "TextFile"),
    "contracts.exhibits": ("Case", "Chart", "Part", "Picture", "Table", "Token"),
    "storage.files": ("write_file", "write_json", "write_text"),
    "contracts.hookspecs": ("hookimpl",),
    "contracts.launcher": ("LaunchedStudy", "Launcher", "Outcome"),
    "contracts.learner": ("SupervisedLearner",),
    "contracts.mitigation": ("Mitigation",),
    "contracts.packed": ("Packed",),
    "contracts.row_change": ("RowChange",),
    "contracts.specs": (
        "AuditSpec",
        "CompressionSpec",
        "DatasetSpec",
        "LauncherSpec",
        "MitigationSpec",
        "ModelSpec",
        "TaskSpec",
        "TrackerSpec",
        "TrainerSpec",
    ),
    "stats.estimate": ("Estimate",),
    "stats.sampling": ("Sampling",),
    "stats.verdict": ("judge",),
    "contracts.subject": ("Subject",),
    "contracts.task": ("Optimization", "Predictions", "Task", "forward_all"),
    "contracts.text_likelihood": ("Continuation", "ScoresTexts", "TextLikelihood"),
    "contracts.tracker": ("Failure", "TrackedRun", "Tracker"),
    "contracts.trainer": ("Fitted", "Trainer", "Workspace"),
}
_HOME = {name: module for modules in (_USERS, _AUTHORS) for module, names in modules.items() for name in names}

FOR_USERS = tuple(sorted(name for names in _USERS.values() for name in names))
"""Names to train and audit with."""

FOR_AUTHORS = tuple(sorted(name for names in _AUTHORS.values() for name in names))
"""Names to write plugins with."""

__all__ = [
    "Actions",
    "AnswerFacts",
    "AnswerOutput",
    "AnswerReader",
    "Answers",
    "AudioFacts",
    "AuditResult",
    "AuditSpec",
    "BaselinePredictions",
    "Batch",
    "Blueprinted",
    "Boxes",
    "Case",
    "Chart",
    "ClassOutput",
    "Classes",
    "Clusters",
    "ComponentError",
    "Compressed",
    "Compression",
    "CompressionSource",
    "CompressionSpec",
    "Continuation",
    "Data",
    "DataError",
    "DatasetSpec",
    "Encoder",
    "EpisodeOutput",
    "Episodes",
    "Estimate",
    "EstimatorModule",
    "ExperimentError",
    "ExplainedOutput",
    "Failure",
    "Feature",
    "Finding",
    "Fingerprinted",
    "FitError",
    "Fitted",
    "Flags",
    "ForecastFacts",
    "Generation",
    "GlassbenchError",
    "HeldOutRows",
    "ImageFacts",
    "IntervalOutput",
    "Labels",
    "LaunchedStudy",
    "Launcher",
    "LauncherSpec",
    "Lazy",
    "Losses",
    "Masks",
    "Measure",
    "Method",
    "Metric",
    "Mitigation",
    "MitigationSpec",
    "ModelSpec",
    "NotableRows",
    "ObservationFacts",
    "Optimization",
    "Outcome",
    "OwnFormat",
    "Packed",
    "Part",
    "Picture",
    "Piece",
    "PluginError",
    "PredictionKind",
    "Predictions",
    "Quantiles",
    "RegionOutput",
    "Registry",
    "RowChange",
    "RowErrors",
    "Run",
    "RunError",
    "RunObserver",
    "Sampling",
    "Schema",
    "ScoresTexts",
    "SelfFitting",
    "SeriesFacts",
    "SettingsError",
    "Split",
    "Streamed",
    "Subject",
    "SupervisedLearner",
    "Table",
    "Target",
    "Task",
    "TaskSpec",
    "TextFacts",
    "TextFile",
    "TextLikelihood",
    "TextReader",
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
    "encoded_boxes",
    "forward_all",
    "hookimpl",
    "judge",
    "load_run",
    "mask_columns",
    "plan",
    "resume",
    "run",
    "write_file",
    "write_json",
    "write_text",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for; importing the package itself costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'glassbench' has no attribute '{name}'")
    return getattr(importlib.import_module(f"glassbench.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
