"""The audit of concepts: testing with concept activation vectors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.predictions.outputs import ExplainedOutput
from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, Level, Share
from glassbench_audits.attribution.explained import Explained, Rows, Unexplainable, rows_of
from glassbench_audits.attribution.values import sides, spoken_class
from glassbench_audits.concepts import exhibits
from glassbench_audits.concepts.exhibits import SMALL, Tested
from glassbench_audits.concepts.filters import chosen
from glassbench_audits.concepts.layers import activations, gradients, layer_of
from glassbench_audits.concepts.vectors import effects, partial, vectors

FEWEST = 20
"""Rows that a concept needs, and that must be left beside it."""

OUTPUTS = 10
"""The most outputs that are looked at one by one, such as labels; those predicted most often."""

LEAST, MOST, KEPT = 0.2, 0.95, 2 / 3
"""Correlation of two concepts from which one may stand behind the other, and up to which they are two; and the share of its
correlation with the output that a concept must keep beside the other one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Inside:
    """The network's inside: training rows that hold concepts, held-out rows whose output is asked.

    Args:
        layer: Name of the layer.
        frame: The training rows in a person's units, with their groups.
        activations: What the layer gives for them `(n, h)`.
        gradients: How the output of held-out rows changes with the layer `(m, h)`.
        classes: Which output each held-out row speaks of, in words `(m,)`.
    """

    layer: str
    frame: pd.DataFrame
    activations: np.ndarray
    gradients: np.ndarray
    classes: np.ndarray


def audit(
    subject: Subject,
    *,
    concepts: dict[str, dict[str, Any]] | None = None,
    layer: str | None = None,
    rows: Count = 1000,
    draws: Count = 499,
    level: Level = 0.95,
    alarm: Share = 0.05,
) -> AuditResult:
    """Find out whether concepts move decisions inside the network more than random concepts do.

    Args:
        concepts: Per name the conditions its rows meet: a column's value, a list of values, or `{at_least: 30}`; by default every
            group of every sensitive feature.
        layer: Name of the submodule looked into; by default the last but one that owns weights.
        rows: Training rows, and held-out rows, looked at, at most.
        draws: Random sets of rows that concepts are compared with.
        level: Confidence level of the intervals.
        alarm: Limit of the corrected p-values.
    """
    for name, value, least in (("rows", rows, 50), ("draws", draws, 19)):
        if value < least:
            raise SettingsError(f"{name} must be at least {least}", got=str(value), where=f"audits.concepts.{name}")
    if reason := subject.missing(("model", "gradients", "predictions", "training data")):
        return _not_applicable(reason)
    try:
        inside = _inside(subject, layer, rows)
        named = _named(inside.frame, concepts, subject)
        large = {name: mark for name, mark in named.items() if FEWEST <= mark.sum() <= len(mark) - FEWEST}
        if not large:
            return _not_applicable(f"no concept has {FEWEST} training rows and leaves {FEWEST} beside it")
        tested = _tested(subject, inside, large, draws, alarm)
    except Unexplainable as refusal:
        return _not_applicable(refusal.problem)
    small = tuple(name for name in named if name not in large)
    return exhibits.result(tested, small=small, level=level, alarm=alarm, method=_method(inside, draws, alarm))


def _inside(subject: Subject, layer: str | None, rows: int) -> Inside:
    assert subject.model is not None
    assert subject.train is not None
    explained = Explained(subject.model, subject.task)
    positions = subject.sample(rows, "concepts.held")
    held = rows_of(subject, positions)
    name, module = layer_of(explained, held, layer)
    some = _independent(subject, rows)
    first, *others = subject.train.batch(torch.as_tensor(some)).inputs
    side, outputs = sides(subject, positions), subject.kind.explained_outputs(subject.predictions.frame, subject.schema)[:OUTPUTS]
    slopes = gradients(explained, module, held) if not outputs else _each_output(explained, module, held, outputs)
    if outputs:
        classes = np.repeat([output.name for output in outputs], len(held))
    elif side is None:
        classes = subject.predictions.frame["y_pred"].astype(str).to_numpy()[positions]
    else:
        slopes, classes = slopes * side[:, None], np.full(len(held), spoken_class(subject) or subject.schema.target.name)
    return Inside(
        layer=name,
        frame=_frame(subject, some),
        activations=activations(explained, module, Rows(inputs=first, others=tuple(others))),
        gradients=slopes,
        classes=classes,
    )


def _each_output(explained: Explained, module: nn.Module, held: Rows, outputs: Sequence[ExplainedOutput]) -> np.ndarray:
    """Return how each output of all held-out rows changes with the layer, output by output `(outputs x m, h)`."""
    index = [torch.tensor(output.index).expand(len(held), -1) for output in outputs]
    return np.concatenate([gradients(explained, module, replace(held, target_index=one)) for one in index])


def _independent(subject: Subject, rows: int) -> np.ndarray:
    """Return at most `rows` positions of training rows, one of each cluster where rows hang together."""
    assert subject.train is not None
    order = subject.generator("concepts.rows").permutation(len(subject.train))
    if subject.train.clusters is not None:
        order = order[np.unique(subject.train.clusters[order], return_index=True)[1]]
        order = subject.generator("concepts.clusters").permutation(order)
    return np.sort(order[:rows])


def _frame(subject: Subject, some: np.ndarray) -> pd.DataFrame:
    assert subject.train is not None
    parts = [part.iloc[some].reset_index(drop=True) for part in (subject.train.groups, subject.train.raw) if part is not None]
    if not parts:
        raise Unexplainable("the training rows are known as the model sees them alone, so no concept can be looked up in them")
    whole = pd.concat(parts, axis=1)
    return whole.loc[:, ~whole.columns.duplicated()]


def _named(frame: pd.DataFrame, concepts: dict[str, dict[str, Any]] | None, subject: Subject) -> dict[str, np.ndarray]:
    """Return which training rows hold each concept `(n,)`."""
    if concepts:
        return {name: chosen(frame, conditions, f"audits.concepts.concepts.{name}") for name, conditions in concepts.items()}
    columns = [name for name in subject.schema.sensitive if name in frame.columns]
    if not columns:
        raise Unexplainable("no concept is named, and there is no sensitive feature to take its place")
    values = {(name, str(value)) for name in columns for value in frame[name].dropna().unique()}
    return {f"{name} = {value}": (frame[name].astype(str) == value).to_numpy() for name, value in sorted(values)}


def _tested(subject: Subject, inside: Inside, named: dict[str, np.ndarray], draws: int, alarm: float) -> list[Tested]:
    """Return what each concept does to the output of each class that enough rows were decided as."""
    names, marks = tuple(named), np.column_stack([*named.values()]).astype(np.float64)
    held = {str(spoken): inside.gradients[inside.classes == spoken] for spoken in np.unique(inside.classes)}
    held = {spoken: rows for spoken, rows in held.items() if len(rows) >= FEWEST}
    if not held:
        raise Unexplainable(f"no class was predicted for {FEWEST} of the rows looked at")
    along = inside.activations @ np.column_stack([rows.mean(axis=0) for rows in held.values()])
    seen = effects(along, marks, draws, subject.generator("concepts.sets"))
    moves, least = vectors(inside.activations, marks), seen.least(alarm)
    return [
        Tested(
            concept=name,
            spoken=spoken,
            rows=int(marks[:, i].sum()),
            slopes=rows @ moves[:, i],
            size=float(seen.size[k, i]),
            least=float(least[k, i]),
            random=seen.chance,
            p=float(seen.p[k, i]),
            behind=_behind(names, marks, along[:, k], i) if seen.size[k, i] else None,
        )
        for k, (spoken, rows) in enumerate(held.items())
        for i, name in enumerate(names)
    ]


def _behind(names: tuple[str, ...], marks: np.ndarray, along: np.ndarray, place: int) -> str | None:
    """Return another concept that a concept goes with and that has most of its effect, or None.

    The other one goes further with the output, and holding it fixed takes more than a third of the correlation away.
    """
    own = np.corrcoef(marks[:, place], along)[0, 1]
    for other in range(len(names)):
        between = abs(np.corrcoef(marks[:, place], marks[:, other])[0, 1])
        further = abs(np.corrcoef(marks[:, other], along)[0, 1]) > abs(own)
        if other == place or not LEAST <= between <= MOST or not further:
            continue
        if abs(partial(marks[:, place], marks[:, other], along)) < KEPT * abs(own):
            return names[other]
    return None


def _method(inside: Inside, draws: int, alarm: float) -> Method:
    return Method(
        summary=f"A concept's vector is how the layer '{inside.layer}' answers training rows that hold it, on average, beside "
        "all others. The derivative of the explained output along it says how far the concept moves a decision, its sign for how "
        "many rows. It is compared with random sets of as many rows, the largest of all concepts' (Westfall and Young 1993). A "
        f"concept is said to move a decision where the lower end of its size lies above {SMALL} standard deviations.",
        parameters={"layer": inside.layer, "training_rows": len(inside.frame), "random_sets": draws, "alarm": alarm},
        references=(
            "Kim et al. (2018), Interpretability beyond feature attribution: testing with concept activation vectors",
            "Pahde et al. (2022), Navigating neural space: revisiting concept activation vectors to overcome directional "
            "divergence",
        ),
        cautions=(
            "A concept that goes with something else that moves decisions is found too. Where that is another concept named "
            "here, no verdict is given; what nobody named cannot be told apart.",
            "A concept that raises some decisions and lowers others has a mean near 0 and is not found.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Testing with concept activation vectors."), not_applicable=reason)
