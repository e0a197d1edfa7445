"""The same from Python: plan, run, resume and load runs, and audit what was trained elsewhere."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

import pandas as pd
import torch
from torch import nn

from glassbench.contracts.data import Encoder
from glassbench.contracts.evidence import AuditResult, Measure
from glassbench.contracts.specs import DatasetSpec, TaskSpec
from glassbench.contracts.task import Generation
from glassbench.errors import RunError
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.planning import Plan, make_plan, task_for
from glassbench.experiments.trackers import everyones_trackers
from glassbench.external.components import MODEL, ROWS
from glassbench.external.output_format import Outputs
from glassbench.external.wrapping import wrap_model
from glassbench.pipeline import phases
from glassbench.pipeline.frames import KeptFrame, kept, with_table
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_observer import RunObserver, SilentObserver
from glassbench.registry import Registry
from glassbench.rows.new_rows import Unusual, raw_rows, refuse_unusual, unusual
from glassbench.runs.run_folder import RunFolder, open_run
from glassbench.runs.verdict_form import read_verdict
from glassbench.storage.files import read_object, understood


class Run:
    """One run and everything it found.

    Args:
        folder: The run's folder.
        registry: The plugins; None finds the installed ones.
        observer: Is told of what is done to the run.
        accept_changes: Whether files that were changed after the run wrote them are taken as they are; what is done with the run
            then records that in `provenance.json` and in the report.
    """

    def __init__(
        self,
        folder: RunFolder,
        registry: Registry | None = None,
        observer: RunObserver | None = None,
        *,
        accept_changes: bool = False,
    ) -> None:
        self._folder = folder
        self._registry = registry or Registry()
        self._observer = observer or SilentObserver()
        self._accept_changes = accept_changes

    @property
    def folder(self) -> Path:
        """Where the run's files are."""
        return self._folder.path

    @property
    def verdict(self) -> str:
        """pass, fail, insufficient evidence, or not applicable when no gate is set."""
        return str(self._judged["verdict"])

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 insufficient evidence."""
        return int(self._judged["exit_code"])

    @property
    def gates(self) -> list[dict[str, Any]]:
        """Each gate with its verdict and what it compared."""
        return list(self._judged["gates"])

    @property
    def _judged(self) -> dict[str, Any]:
        return read_verdict(self.folder / "verdict.json")

    @property
    def audits(self) -> list[AuditResult]:
        """What each audit found."""
        return self._folder.results()

    @property
    def measures(self) -> list[Measure]:
        """Every measure of every audit."""
        return [measure for result in self.audits for measure in result.measures]

    @property
    def treatments(self) -> list[dict[str, Any]]:
        """What was left out, converted or detected while the data were read."""
        path = self.folder / "data.json"
        with understood(path):
            return list(read_object(path).get("treatments", []))

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    @property
    def model(self) -> nn.Module:
        """The trained model, in evaluation mode on the CPU; an estimator comes wrapped as a network (`EstimatorModule`).

        It takes inputs as `encoder` makes them: `run.model(*run.encoder.encode(frame).batch(slice(None)).inputs)`.

        Raises:
            RunError: The run has none yet, its task is not learnt, or the model is external and was not stored.
        """
        self._folder.require("fit")
        model = self._decider.model
        if model is None:
            raise RunError("the run has no model", where=str(self.folder), fix="its decisions are in predictions.parquet")
        return model

    @property
    def encoder(self) -> Encoder:
        """What turns raw rows, a DataFrame, into the inputs of the model; fitted on the training rows.

        Raises:
            RunError: The run's data set does not encode raw rows.
        """
        return self._decider.encoder

    def predict(self, frame: Any, *, strict: bool = False) -> pd.DataFrame:
        """Decide raw rows, in the columns and units of the data set.

        Args:
            frame: Raw rows, a DataFrame; the target and the sensitive columns may be there or not.
            strict: Whether rows are refused that hold what the training rows did not; `unusual` says what that is.

        Returns:
            One row per decision, as in `predictions.parquet`.

        Raises:
            DataError: A column is missing, a value cannot be read, or `strict` refuses the rows.
            RunError: The run has no model yet, or its data set cannot encode raw rows.
        """
        self._folder.require("fit")
        rows, context = raw_rows(frame), self._decider
        if strict:
            refuse_unusual(unusual(context.encoder, rows))
        return context.task.predict(context.model, context.encoder.encode(rows)).frame

    def unusual(self, frame: Any) -> tuple[Unusual, ...]:
        """Return missing cells, categories and values of raw rows that the training rows did not have, counted per column.

        Raises:
            DataError: A column is missing or a value cannot be read.
        """
        return unusual(self._decider.encoder, raw_rows(frame))

    def read_rows(self, path: str | Path) -> pd.DataFrame:
        """Read raw rows from a CSV or Parquet file, as they were read for training.

        Raises:
            DataError: The file is missing, empty or not a table.
        """
        return self._decider.read_rows(Path(path))

    def generate(self, prompt: str, how: Generation | None = None) -> str:
        """Return what the model writes: a prompt and what follows it, or its answer; the task decides.

        Args:
            prompt: What to go on from, or what to answer.
            how: How to write; None for the usual.

        Raises:
            GlassbenchError: The run's task writes no text.
            DataError: The prompt is empty or cannot be read.
            RunError: The run has no model yet, or its data set cannot read raw text.
        """
        context = self._decider
        with torch.inference_mode():
            return context.task.generate(self.model, context.encoder, prompt, how or Generation())

    def resume(self) -> "Run":
        """Go on where the run stopped, to its end."""
        phases.work(self._context)
        return self

    def audit(self, names: Sequence[str] = ()) -> "Run":
        """Audit again (all audits, or those named) and render the report; nothing is retrained."""
        phases.audit_again(self._context, names)
        return self

    def render(self) -> Path:
        """Render the report again from the run's files; return its path."""
        phases.report_again(self._context)
        return self.report

    def confirm(self) -> None:
        """Make sure that the run's files are as they were written, or record them as they are where changes are accepted.

        Raises:
            RunError: A file changed, is missing, was added or is no plain file; the message names it.
        """
        if self._accept_changes:
            with self._folder.locked():
                self._folder.accept_changes()
        self._folder.confirm()

    @cached_property
    def _context(self) -> RunContext:
        return self._opened(audited=True)

    @cached_property
    def _decider(self) -> RunContext:
        """The run as it decides new rows, which needs none of its audits."""
        return self._opened(audited=False)

    def _opened(self, *, audited: bool) -> RunContext:
        self.confirm()
        made = partial(phases.replan, self._folder, self._registry, audited=audited)
        return RunContext(self._folder, made, self._registry, self._observer)


def plan(experiment: str | Path | Mapping[str, Any], *, overrides: Sequence[str] = (), registry: Registry | None = None) -> Plan:
    """Resolve and validate all of an experiment; nothing is written and no data is read.

    Args:
        experiment: A YAML file, or its content as a mapping.
        overrides: Dotted overrides, `"model.hidden=[64,64]"`.
        registry: The plugins; None finds the installed ones.

    Raises:
        GlassbenchError: Something in the experiment is wrong; the message says what, where and how to mend it.
    """
    registry = registry or Registry()
    everyones_trackers(registry)  # what is wrong with them is said before anything is trained
    return make_plan(read_experiment(experiment, overrides), registry)


def run(
    experiment: str | Path | Mapping[str, Any],
    *,
    data: Any = None,
    overrides: Sequence[str] = (),
    runs: str | Path = "runs",
    registry: Registry | None = None,
    observer: RunObserver | None = None,
) -> Run:
    """Train, audit and report an experiment.

    Args:
        experiment: A YAML file, or its content as a mapping.
        data: A DataFrame with the rows to learn from and to be judged by; the experiment's data set then names the target, the
            sensitive columns and so on, and no file. It is stored in the run's folder as `data.parquet`, so that the run can be
            resumed and audited again; its index is not used.
        overrides: Dotted overrides, `"model.hidden=[64,64]"`.
        runs: The folder of all runs; the run gets one of its own in it.
        registry: The plugins; None finds the installed ones.
        observer: Is told of the run's progress; None for silence.

    Raises:
        GlassbenchError: The experiment is wrong, or the data, a plugin or the storage failed; what was done until then can
            be resumed.
    """
    registry = registry or Registry()
    observer, root = observer or SilentObserver(), Path(runs).absolute()
    if data is None:
        settled = plan(experiment, overrides=overrides, registry=registry)
        context = phases.start(settled, registry, observer, root, _command())
    else:
        document = read_experiment(experiment, overrides)
        with kept(data, root) as frame:
            settled = replace(make_plan(_reading_frame(document, frame, registry), registry), document=document)
            context = phases.start(settled, registry, observer, root, _command(), frame=frame)
    phases.work(context)
    return Run(context.folder, registry, observer)


def _reading_frame(document: Document, frame: KeptFrame, registry: Registry) -> Document:
    """Return the experiment with its data set reading the frame; an incomplete one is left for the plan to complain about."""
    dataset = document.content.get("dataset")
    name = dataset.get("use") if isinstance(dataset, Mapping) else dataset
    if not isinstance(name, str):
        return document
    spec = cast(DatasetSpec, registry.find("dataset", name, document.where("dataset.use")).spec)
    return with_table(document, spec.table_setting, frame.path)


def audit(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    sensitive: Any = None,
    cluster: Any = None,
    task: str | Mapping[str, Any] | None = None,
    audits: Sequence[str] | Mapping[str, Any] | None = None,
    gates: Sequence[Mapping[str, Any]] = (),
    classes: Sequence[Any] = (),
    positive: Any = None,
    favourable: Any = None,
    outputs: Outputs = "auto",
    background: Any = None,
    held_out: bool | None = None,
    name: str | None = None,
    unit: str = "row",
    seed: int = 0,
    runs: str | Path = "runs",
    registry: Registry | None = None,
    observer: RunObserver | None = None,
) -> Run:
    """Audit a model that was trained elsewhere, with every audit that it allows; the run's folder and report are as of any run.

    The model and the rows are external: they stay in this process. The run stores the decisions on the rows and what audits
    show of single ones, and neither the model nor the table.

    Args:
        model: A `torch.nn.Module`, a `torch.export` program, an estimator with `predict`, the path of an ONNX file, a
            transformers pipeline that classifies, or any callable from rows to labels, probabilities or values.
        X: The rows, in the form the model reads: a data frame, an array, a tensor `(n, ...)`, or a list of texts or pictures.
        y: What was true `(n,)`, labels or values; None where it is not known.
        sensitive: What to audit by: names of columns of X, or a frame or mapping of columns `(n,)`.
        cluster: What each row belongs to, such as a person with several rows: the name of a column of X, or a column `(n,)`. Such
            rows are not independent; audits resample whole clusters.
        task: A task by name, with its settings if need be; None for the one that fits what the model predicts.
        audits: As in an experiment; None for every installed audit that is on by default.
        gates: Thresholds, as in an experiment.
        classes: Names of the classes in the order of the model's scores, where neither model nor truth tells.
        positive: The class that rates speak of; of two, the last.
        favourable: The outcome that is good for a person: a class or several, or `"higher"` or `"lower"` of a value. Selection
            rates and parity speak of it; names such as granted and refused tell by themselves.
        outputs: What the model answers, where looking at it does not tell.
        background: Rows like those it was trained on, for explanations to compare with; None takes the audited rows.
        held_out: True where the model was not trained on X, False where it was; None where that is not known. Only rows that
            are known to be held out can show that the model has learnt something, so explanations are graded "reliable" only
            with True and a truth.
        name: What the report is called; None for what the model is.
        unit: What one row is, in the singular.
        seed: Seed of everything random.
        runs: The folder of all runs; the run gets one of its own in it.
        registry: The plugins; None finds the installed ones.
        observer: Is told of the run's progress; None for silence.

    Raises:
        GlassbenchError: The model, the rows or what was asked of them cannot be used.
    """
    registry = registry or Registry()
    named = task.get("use") if isinstance(task, Mapping) else task
    predicted = None if named is None else cast(TaskSpec, registry.find("task", str(named)).spec).predicts
    external = wrap_model(
        model,
        X,
        y,
        sensitive=sensitive,
        cluster=cluster,
        kind=cast(Any, predicted),
        classes=classes,
        positive=positive,
        favourable=favourable,
        outputs=outputs,
        background=background,
        held_out=held_out,
        unit=unit,
    )
    content = {
        "name": name or str(external.facts["model"]["kind"])[:120],
        "dataset": {"use": ROWS, **external.facts["rows"]},
        "task": task or task_for(external.kind, registry),
        "model": {"use": MODEL, **external.facts["model"]},
        "gates": list(gates),
        "seed": seed,
        **({} if audits is None else {"audits": dict(audits) if isinstance(audits, Mapping) else list(audits)}),
    }
    try:
        context = phases.start(
            plan(content, registry=registry), registry, observer or SilentObserver(), Path(runs).absolute(), _command(), external
        )
        phases.work(context)
    finally:
        external.give_back()
    return Run(context.folder, registry, observer)


def load_run(folder: str | Path, *, registry: Registry | None = None, accept_changes: bool = False) -> Run:
    """Open a run's folder.

    Args:
        folder: The folder.
        registry: The plugins; None finds the installed ones.
        accept_changes: Take files as they are that were changed after the run wrote them, and record that in the run.

    Raises:
        RunError: It is no run folder, one of another version, or its files are not as they were written.
    """
    run = Run(open_run(Path(folder)), registry, accept_changes=accept_changes)
    run.confirm()
    return run


def _command() -> str:
    name, *rest = sys.argv or ["python"]
    return shlex.join([Path(name).name, *rest])
