"""Several choices per row looked at one by one, each as if it were the only one; and what was found of each put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.outputs import ClassOutput
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.errors import GlassbenchError
from glassbench.rows.known_outcomes import with_known_outcomes

if TYPE_CHECKING:
    import pytorch_lightning as pl  # seconds to import, and decisions made elsewhere are audited without it

MOST = 10
"""The most choices that are looked at one by one, those made for most rows."""

DRAWN = 4
"""The most choices whose charts are shown."""


class OneChoice(Task):
    """The problem of making one of several choices: it says what a prediction is, and has neither a model nor metrics."""

    kind = Classes()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """None: metrics are of all choices together."""
        return ()

    def check(self, schema: Schema) -> None:
        """Take any schema."""

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> "pl.LightningModule":
        """Raise `GlassbenchError`: it is not learnt by itself."""
        raise GlassbenchError("one of several choices is not learnt by itself")

    def predict(self, model: Any, source: Any) -> Predictions:
        """Raise `GlassbenchError`: it is not predicted by itself."""
        raise GlassbenchError("one of several choices is not predicted by itself")

    def attribution_output(self, output: Any) -> Tensor:
        """Raise `GlassbenchError`: it is not explained by itself."""
        raise GlassbenchError("one of several choices is not explained by itself")


@dataclass(frozen=True, kw_only=True)
class ChoiceEvidence:
    """What was found of one choice, or of several together."""

    findings: tuple[Finding, ...] = ()
    measures: tuple[Measure, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()


def single_choices(subject: Subject) -> dict[str, Subject]:
    """Return a subject for each of several choices, of the rows whose truth of it is known: classes, and no model.

    At most ten, those made for most rows first. Nothing where rows are given one choice, or none.

    Args:
        subject: What is examined.
    """
    outputs = subject.class_outputs
    if len(outputs) < 2:
        return {}
    often = [int((output.predicted == output.spoken).sum()) for output in outputs]
    order = sorted(range(len(outputs)), key=lambda place: -often[place])[:MOST]
    return {str(outputs[place].name): _alone(subject, outputs[place], place) for place in order}


def put_together(found: Mapping[str, ChoiceEvidence], choices: int) -> ChoiceEvidence:
    """Return what was found of each choice as one: sentences, measures, table rows and charts say which they are of.

    A measure without a choice in its name is undefined, so that a gate on it does not pass.

    Args:
        found: What was found of each choice, by its name.
        choices: How many choices there are.
    """
    left = choices - len(found)
    more = f" {left} further labels, predicted less often, were not looked at one by one." if left else ""
    return ChoiceEvidence(
        findings=tuple(_said(name, finding) for name, one in found.items() for finding in one.findings),
        measures=(*_undefined(found), *(_named(name, measure) for name, one in found.items() for measure in one.measures)),
        tables=tuple(_tables(found, more)),
        charts=tuple(
            replace(chart, title=_chart_title(chart.title, name), section=chart.section or "Labels")
            for name, one in list(found.items())[:DRAWN]
            for chart in one.charts
        ),
    )


def _alone(subject: Subject, output: ClassOutput, place: int) -> Subject:
    frame, predictions, target = subject.predictions.frame, subject.predictions, subject.schema.target
    kept = [name for name in frame.columns if name in ("row", "cluster", "frequency", "weight") or str(name).startswith("group.")]
    columns = {"y_pred": output.predicted, **({} if output.actual is None else {"y_true": output.actual})}
    if output.scores is not None:
        columns |= {f"score.{name}": output.scores[name] for name in output.classes}
    own = Target(
        name=str(output.name),
        kind="class",
        classes=output.classes,
        positive=output.positive,
        favourable=output.favourable or None,
        unit=target.unit,
    )
    source, train = (_with_choice(subject, split, place) for split in (predictions.source, subject.train))
    if train is not None and train.target is not None:
        train = train.take(np.flatnonzero(train.target.numpy() >= 0))
    return with_known_outcomes(
        replace(
            subject,
            schema=replace(subject.schema, target=own),
            predictions=Predictions(frame=pd.concat([frame[kept], pd.DataFrame(columns)], axis=1), source=source),
            task=OneChoice(),
            model=None,
            modelless="each label is looked at alone, by its predictions",
            train=train,
        )
    )


def _with_choice(subject: Subject, split: Split | None, place: int) -> Split | None:
    if split is None or split.target is None:
        return split
    codes = subject.kind.choice_codes(split.target, subject.schema)
    return replace(split, target=None if codes is None else codes[:, place])


def _said(name: str, finding: Finding) -> Finding:
    measures = tuple(f"{measure}[{name}]" for measure in finding.measures)
    spoken = finding.sentence if f"“{name}”" in finding.sentence else f"“{name}”: {finding.sentence}"
    shown = None if finding.chart is None else _chart_title(finding.chart, name)
    return replace(finding, sentence=spoken, measures=measures, chart=shown)


def _chart_title(title: str, name: str) -> str:
    return f"{title}: {name}"


def _named(name: str, measure: Measure) -> Measure:
    return replace(measure, name=f"{measure.name}[{name}]")


def _undefined(found: Mapping[str, ChoiceEvidence]) -> list[Measure]:
    names = dict.fromkeys(measure.name for one in found.values() for measure in one.measures)
    first = next(iter(found), "")
    return [Measure(name=n, value=None, undefined=f"each label has its own, such as {n}[{first}]") for n in names]


def _tables(found: Mapping[str, ChoiceEvidence], more: str) -> list[Table]:
    """Return tables of the same title and columns as one, with a first column that says which choice a row is of."""
    alike: dict[tuple[str, tuple[str, ...]], list[tuple[str, Table]]] = {}
    for name, one in found.items():
        for table in one.tables:
            columns = tuple(column.replace(f"“{name}”", "the label") for column in table.columns)
            alike.setdefault((table.title, columns), []).append((name, table))
    return [
        Table(
            title=f"{title}, label by label",
            columns=("label" if "label" not in columns else "of the label", *columns),
            rows=tuple((name, *row) for name, table in held for row in table.rows),
            note=f"{_common_note([table for _, table in held])}{more}".strip() or None,
        )
        for (title, columns), held in alike.items()
    ]


def _common_note(tables: Sequence[Table]) -> str:
    """Return the note that tables share; none where each has its own."""
    notes = {table.note or "" for table in tables}
    return notes.pop() if len(notes) == 1 else ""
