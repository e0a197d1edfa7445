"""One run, finished or not, as Python sees it."""

import shlex
import sys
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

import altair as alt
import pandas as pd
import torch
from markupsafe import Markup
from torch import nn

from glassbench.contracts.data import Encoder
from glassbench.contracts.evidence import AuditResult, Measure
from glassbench.contracts.measures_chart import measures_chart
from glassbench.contracts.result_display import measures_frame
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Generation, Task
from glassbench.errors import RunError
from glassbench.monitoring import Monitor, MonitorState
from glassbench.monitoring.decisions import Columns
from glassbench.pipeline import phases
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_observer import RunObserver, SilentObserver
from glassbench.printable import printable
from glassbench.registry import Registry
from glassbench.report.notebook import run_html
from glassbench.rows.new_rows import Unusual, raw_rows, refuse_unusual, unusual
from glassbench.runs.run_folder import RunFolder
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

    def to_frame(self) -> pd.DataFrame:
        """Return every measure as a row: name, features and group, value with its interval, and why there is none."""
        return measures_frame(self.measures)

    def plot(self, measure: str, by: str | Sequence[str] | None = None) -> alt.LayerChart:
        """Return an Altair chart of a measure with its intervals.

        Args:
            measure: `<audit>.<measure>`, such as `fairness.false_negative_rate`; the measure alone where one audit has it.
            by: Features whose groups are shown; None for every group, or where there is none for all rows and gaps.

        Raises:
            GlassbenchError: The run holds no such measure, or not by these features.
        """
        return measures_chart(self.measures, measure, by)

    def _repr_html_(self) -> str:
        """The first screen: verdict, gates and the gravest findings; of a run that is not done, how far it is."""
        if self._folder.done("audit"):
            return run_html(self.folder)
        done = list(self._folder.status["phases"])
        return str(Markup("<p>Run <code>{}</code>, done up to: {}</p>").format(printable(self._folder.run), done[-1]))

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
    def summary(self) -> Path:
        """The summary for a committee, an HTML page that prints on two sheets."""
        return self.folder / "summary.html"

    @property
    def held_out_rows(self) -> pd.DataFrame:
        """The held-out rows as a person knows them, in the columns and units of the data set.

        Raises:
            RunError: The rows are no table, or were not kept.
        """
        raw = getattr(self._decider.data.test, "raw", None)
        if raw is None:
            raise RunError("the run knows no raw rows", where=str(self.folder), fix="its decisions are in predictions.parquet")
        return cast(pd.DataFrame, raw)

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

    @property
    def encodes(self) -> bool:
        """Whether the run's data set can turn raw rows into inputs."""
        return self._decider.encodes

    @property
    def task(self) -> Task:
        """The learning problem, told what the rows are and what it calibrated."""
        return self._decider.task

    @property
    def schema(self) -> Schema:
        """What the rows are."""
        return self._decider.schema

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

    def monitoring(self, *, tolerance: float = 0.1) -> Monitor:
        """Return the run's monitoring: what its folder remembers, and `look` at new rows.

        Args:
            tolerance: The change of the error that still counts as holding.

        Raises:
            RunError: The run is not done, or its files are not as they were written.
        """
        return Monitor(self._decider, tolerance)

    def monitor(
        self,
        frame: Any,
        *,
        truth: str | None = None,
        decision: str | None = None,
        score: str | None = None,
        cluster: str | None = None,
        tolerance: float = 0.1,
    ) -> MonitorState:
        """Compare new rows with the run's held-out rows, count them in the run's folder, and return how everything stands.

        Args:
            frame: Raw rows, a DataFrame.
            truth: Column of what was true; None takes the target's column where there is one.
            decision: Column of what was decided elsewhere; None has the run's model decide.
            score: Column of the probability of the positive class, beside `decision`.
            cluster: Column of what each row belongs to; each cluster counts once.
            tolerance: The change of the error that still counts as holding.

        Raises:
            DataError: The rows cannot be read as asked, or were counted before.
            RunError: The run is not done, or cannot decide or compare the rows.
        """
        columns = Columns(truth=truth, decision=decision, score=score, cluster=cluster)
        return self.monitoring(tolerance=tolerance).look(frame, columns)

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


def command_line() -> str:
    """Return the command that this process was started with, without its folder."""
    name, *rest = sys.argv or ["python"]
    return shlex.join([Path(name).name, *rest])
