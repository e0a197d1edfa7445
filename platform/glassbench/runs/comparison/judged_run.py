"""A run whose audits are done, with its measures as functions of the weights of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd

from glassbench.contracts.evidence import AuditResult, Measure
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.recomputed import MeasureKey, Recomputed, joined
from glassbench.contracts.specs import AuditSpec
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import FOREIGN, GlassbenchError, RunError
from glassbench.experiments.choice import choose
from glassbench.experiments.experiment import Experiment, read_experiment
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.mitigated_task import MitigatedTask
from glassbench.registry import Registry, load_target
from glassbench.rows.survey_weights import weighing
from glassbench.runs.artifacts import read_schema
from glassbench.storage.files import read_object, understood


class Judged(Protocol):
    """Predictions with their measures, which can be computed again."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its data, empty where it is not known."""

    @property
    def measures(self) -> dict[MeasureKey, Measure]:
        """Every measure of its audits that says something of the model."""

    @property
    def frame(self) -> pd.DataFrame | None:
        """The predictions; None where there are none."""

    def by_clock(self, measure: str) -> bool:
        """Whether a measure is of an audit whose figures depend on the moment, such as times."""

    def recomputed(self, rows: np.ndarray | None = None) -> Recomputed:
        """Return its measures of predictions under weights of some rows, by position, or of all."""


@dataclass(frozen=True, eq=False, kw_only=True)
class JudgedRun:
    """A run whose audits are done.

    Args:
        path: Its folder.
        results: What its audits found.
        registry: The plugins, whose audits compute their measures again.
    """

    path: Path
    results: Sequence[AuditResult]
    registry: Registry

    @property
    def name(self) -> str:
        """The run's id."""
        return self.path.name

    @cached_property
    def experiment(self) -> Experiment | None:
        """The experiment with every setting in full; None where it is of another version."""
        document = read_experiment(self.path / "resolved.yaml")
        content = {key: value for key, value in document.content.items() if key not in ("overrides", "gates", "trackers")}
        try:
            return Experiment.from_document(replace(document, content=content))
        except GlassbenchError:
            return None

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of its data, empty where the folder does not say."""
        path = self.path / "data.json"
        if not path.is_file():
            return ""
        with understood(path):
            return str(read_object(path).get("fingerprint", ""))

    @cached_property
    def measures(self) -> dict[MeasureKey, Measure]:
        """Every measure of its audits that says something of the model."""
        found = {key_of(measure): measure for result in self.results for measure in result.measures}
        return {key: measure for key, measure in found.items() if not self._of_reference(measure.name)}

    def _of_reference(self, name: str) -> bool:
        audit, _, rest = name.partition(".")
        spec = self._specs.get(audit)
        return spec is not None and any(fnmatchcase(rest, pattern) for pattern in spec.references)

    def by_clock(self, measure: str) -> bool:
        """Whether a measure is of an audit whose figures depend on the moment; False where the audit is not installed."""
        spec = self._specs.get(measure.partition(".")[0])
        return spec is not None and not spec.deterministic

    @cached_property
    def _specs(self) -> dict[str, AuditSpec]:
        return {name: spec for name, (spec, _) in self._audits.items()}

    @cached_property
    def _audits(self) -> dict[str, tuple[AuditSpec, Mapping[str, Any]]]:
        """The audits of the run that are installed, with their settings."""
        found: dict[str, tuple[AuditSpec, Mapping[str, Any]]] = {}
        for name, settings in ((self.experiment and self.experiment.audits) or {}).items():
            try:
                spec = cast(AuditSpec, self.registry.find("audit", name).spec)
            except GlassbenchError:
                continue
            found[spec.name] = (spec, settings)
        return found

    @cached_property
    def frame(self) -> pd.DataFrame | None:
        """The predictions, without rows that weigh nothing; None where there are none."""
        path = self.path / "predictions.parquet"
        if not path.is_file():
            return None
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise RunError("the predictions cannot be read", where=str(path), got=str(error).splitlines()[0]) from error
        if len(frame) == 0 or "row" not in frame:
            return None
        return frame[frame["weight"] > 0].reset_index(drop=True) if "weight" in frame else frame

    @cached_property
    def _subject(self) -> Subject | None:
        if self.frame is None or self.experiment is None:
            return None
        try:
            document = read_experiment(self.path / "resolved.yaml")
            schema = read_schema(self.path / "schema.json")
            task = cast(Task, choose("task", self.experiment.task, document, self.registry).make())
            task.check(schema)
            task.kind.check(self.frame, schema)
            task = self._measured(task, document)
        except FOREIGN:
            return None  # a task that is not installed computes nothing again
        return weighing(Subject(schema=schema, predictions=Predictions(frame=self.frame), task=task, seed=self.experiment.seed))

    def _measured(self, task: Task, document: Document) -> Task:
        """Return the task with the metrics of the run's mitigations, where its predictions have what these read."""
        assert self.experiment is not None
        assert self.frame is not None
        uses = enumerate(self.experiment.mitigations)
        choices = [choose("mitigation", use, document, self.registry, f"mitigations.{place}") for place, use in uses]
        mitigated = MitigatedTask(task, [cast(Mitigation, choice.make()) for choice in choices])
        own = mitigated.metrics[len(task.metrics) :]
        try:
            for metric in own:
                metric.compute(self.frame, np.ones((1, len(self.frame))))
        except FOREIGN:
            return task
        return mitigated if own else task

    def recomputed(self, rows: np.ndarray | None = None) -> Recomputed:
        """Return its measures of predictions under weights of some rows, by position, or of all; what fails is left out."""
        if self._subject is None:
            return joined(())
        subject = self._subject
        if rows is not None:
            frame = subject.predictions.frame.iloc[rows].reset_index(drop=True)
            subject = replace(subject, predictions=Predictions(frame=frame))
        parts = []
        for name, (spec, settings) in self._audits.items():
            if spec.recomputed is None:
                continue
            try:
                part = load_target(spec.recomputed, f"what the audit '{name}' computes again")(subject, settings)
                assert isinstance(part, Recomputed)
                part.compute(subject.predictions.sampling.weight[None])
                parts.append(part)
            except FOREIGN:
                continue  # its measures are compared by their intervals instead, which is said of each
        return joined(parts)


def key_of(measure: Measure) -> MeasureKey:
    """Return what tells a measure from others."""
    group = None if measure.group is None else tuple(measure.group.items())
    return measure.name, measure.by, group
