"""Train a model and audit it in the same run.

`public_names` lists the names for people who train and audit, and those for people who write plugins, as does
`docs/reference/public-names.md`.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from glassbench.public_names import HOMES

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
        CatalogueFacts,
        ForecastFacts,
        ImageFacts,
        ObservationFacts,
        SeriesFacts,
        TextFacts,
    )
    from glassbench.contracts.generating import GeneratesRows
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
    from glassbench.contracts.predictions.generated import Generated
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
        GeneratedOutput,
        IntervalOutput,
        Losses,
        NotableRows,
        RankingOutput,
        RegionOutput,
        RowErrors,
        ValueOutput,
    )
    from glassbench.contracts.predictions.picture_text import encoded_pictures
    from glassbench.contracts.predictions.quantiles import Quantiles
    from glassbench.contracts.predictions.ranked_lists import encoded_items
    from glassbench.contracts.predictions.rankings import Rankings
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
    "CatalogueFacts",
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
    "Generated",
    "GeneratedOutput",
    "GeneratesRows",
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
    "RankingOutput",
    "Rankings",
    "RegionOutput",
    "Registry",
    "RowChange",
    "RowDrawer",
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
    "encoded_items",
    "encoded_pictures",
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
    if name not in HOMES:
        raise AttributeError(f"module 'glassbench' has no attribute '{name}'")
    return getattr(importlib.import_module(f"glassbench.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
