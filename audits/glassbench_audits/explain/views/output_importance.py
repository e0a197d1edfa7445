"""What drives each of several outputs of a model, such as each of its labels."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Picture, Table
from glassbench.contracts.predictions.outputs import ExplainedOutput
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.directions import directions_of
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.importance import Importance, importance
from glassbench_audits.attribution.preparation import Prepared, Settings
from glassbench_audits.attribution.response import answers
from glassbench_audits.explain.views.image_exhibits import where_influence_lies
from glassbench_audits.explain.views.wording import leading_names, pushing_words

MOST = 10
"""The most outputs that are explained one by one, the most important first; the others are counted."""

ROWS = 64
"""Rows behind each output's picture where the method asks the model many times for a row."""

DIRECTED, LISTED, NAMED = 5, 8, 4
"""Inputs of each output whose direction is looked for, that its table lists, and outputs that one sentence names."""


@dataclass(frozen=True, eq=False, kw_only=True)
class OutputPictures:
    """What drives each output.

    Args:
        outputs: The outputs, the most important first.
        pictures: The importance of each input for each of them.
        names: The inputs; empty where they carry no names.
        rows: How many rows were explained.
        left: How many further outputs there are.
    """

    outputs: tuple[ExplainedOutput, ...] = ()
    pictures: tuple[Importance, ...] = ()
    names: tuple[str, ...] = ()
    rows: int = 0
    left: int = 0

    def __iter__(self) -> Iterator[tuple[ExplainedOutput, Importance]]:
        """Yield each output with its picture."""
        return zip(self.outputs, self.pictures, strict=True)


def output_pictures(subject: Subject, settings: Settings, prepared: Prepared, rows: Rows) -> OutputPictures:
    """Explain each output that the kind of prediction names, for all rows alike, by the same method as everything else.

    Args:
        subject: What is examined.
        settings: The audit's settings.
        prepared: The explainer, and where the rows stand.
        rows: The rows of the global picture.
    """
    outputs = subject.kind.explained_outputs(subject.predictions.frame, subject.schema)
    if not outputs:
        return OutputPictures()
    kept = np.arange(len(rows))
    if not prepared.explainer.method.gradients:
        kept = np.unique(np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int))
    some, clusters = rows.take(torch.as_tensor(kept)), subject.predictions.clusters
    units = None if clusters is None else clusters[prepared.positions[kept]]
    return OutputPictures(
        outputs=outputs[:MOST],
        pictures=tuple(_picture(subject, settings, prepared.explainer, some, units, output) for output in outputs[:MOST]),
        names=prepared.explainer.feature_groups.names,
        rows=len(kept),
        left=len(outputs) - len(outputs[:MOST]),
    )


def _picture(
    subject: Subject, settings: Settings, explainer: Explainer, rows: Rows, clusters: np.ndarray | None, output: ExplainedOutput
) -> Importance:
    index = torch.tensor(output.index).expand(len(rows), -1)
    spoken = replace(rows, target_index=index, contrast=None)
    attributions = explainer.per_feature_group(spoken)
    return importance(
        attributions,
        directions_of(explainer, spoken if answers(explainer, spoken) else None, attributions, DIRECTED),
        subject.generator(f"explain.importance.{output.name}"),
        replicates=settings.replicates,
        level=settings.level,
        clusters=clusters,
    )


def output_findings(found: OutputPictures) -> Iterator[Finding]:
    """Yield what drives each output most, in one sentence."""
    if not found.outputs or not found.names:
        return
    said = [f"“{output.name}” {_driver(found, picture)}" for output, picture in list(found)[:NAMED]]
    hidden = len(found.outputs) - len(said)
    rest = f"; {hidden} more are in the table" if hidden else ""
    names = tuple(f"explain.largest_share[{output.name}]" for output in found.outputs[:NAMED])
    sentence = f"Explained one by one: {'; '.join(said)}{rest}.{_left(found)}"
    yield Finding(sentence=sentence, grade="ok", measures=names, weight=0.55)


def output_measures(found: OutputPictures) -> Iterator[Measure]:
    """Yield the largest share of influence that one input has on each output, as `explain.largest_share[output]`."""
    for output, picture in found if found.names else ():
        name, still = f"explain.largest_share[{output.name}]", picture.mean.sum() == 0
        reason = "no input has any influence" if still else None
        yield Measure(name=name, value=None if still else float(picture.share.max()), n=found.rows, undefined=reason)


def output_tables(found: OutputPictures, level: float) -> Iterator[Table]:
    """Yield the inputs that move each output most."""
    if not found.outputs or not found.names:
        return
    rows = [
        (
            output.name,
            found.names[unit],
            *(float(numbers[unit]) for numbers in (picture.mean, picture.low, picture.high, picture.share)),
            pushing_words(picture.directions[unit], None) or "",
        )
        for output, picture in found
        for unit in picture.order[:LISTED]
    ]
    listed = f"the {LISTED} most important of {len(found.names)} inputs" if len(found.names) > LISTED else "every input"
    yield Table(
        title="Importance of each input for each output",
        columns=(
            "output",
            "input",
            "mean |attribution|",
            f"{in_percent(level)} low",
            f"{in_percent(level)} high",
            "share",
            "direction",
        ),
        rows=tuple(rows),
        note=f"Each output is explained over the same {found.rows} rows, whatever is predicted for them; {listed}, and the "
        f"directions of the first {DIRECTED}.{_left(found)}",
    )


def output_charts(found: OutputPictures) -> Iterator[Chart]:
    """Yield a map of the shares that the inputs have of the influence on each output."""
    if not found.outputs or not found.names:
        return
    units = np.unique(np.concatenate([picture.order[:LISTED] for picture in found.pictures]))
    rows = tuple(
        {
            "x": found.names[unit],
            "y": output.name,
            "color": float(picture.share[unit]),
            "size": f"{in_percent(picture.share[unit])} of all",
        }
        for output, picture in found
        for unit in units
    )
    first, picture = next(iter(found))
    yield Chart(
        kind="heat",
        title="What drives each output",
        message=f"Share of all influence on each output, row by row; “{first.name}” {_driver(found, picture)}.",
        rows=rows,
        x_title="input",
        y_title="output",
    )


def output_maps(explainer: Explainer, found: OutputPictures) -> Iterator[Picture]:
    """Yield, for images, where the influence on each output lies."""
    if explainer.feature_groups.mask.ndim != 3:
        return
    for output, picture in found:
        if picture.mean.sum() > 0:
            where = where_influence_lies(explainer, picture, f"the output “{output.name}”")
            yield replace(where, title=f"{where.title}: {output.name}")


def _driver(found: OutputPictures, picture: Importance) -> str:
    """Say what moves an output most, after its name."""
    if picture.mean.sum() == 0:
        return "is moved by no input"
    first = int(picture.order[0])
    if len(picture.leaders) > 1:
        return f"is moved most by {leading_names(found.names, picture)}, which of them more can't be told"
    pushes = pushing_words(picture.directions[first], None)
    return (
        f"is moved most by {found.names[first]} ({in_percent(picture.share[first])} of all "
        f"influence{f'; {pushes}' if pushes else ''})"
    )


def _left(found: OutputPictures) -> str:
    return f" {found.left} further outputs, predicted less often, were not explained." if found.left else ""
