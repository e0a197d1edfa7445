"""The audit of concepts: testing with concept activation vectors."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from glassbench.errors import SettingsError
from glassbench.evidence import AuditResult, Method
from glassbench.subject import Subject
from glassbench_audits.concepts import exhibits
from glassbench_audits.concepts.exhibits import Tested
from glassbench_audits.concepts.filters import chosen
from glassbench_audits.concepts.layers import activations, gradients, layer_of
from glassbench_audits.concepts.vectors import Space, derivatives, random_concepts, space_of, vectors
from glassbench_audits.explain.explained import Explained, Rows, Unexplainable, rows_of
from glassbench_audits.explain.values import sides, spoken_class

FEWEST = 20
"""Rows that a concept needs, and that must be left beside it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Inside:
    """The network's inside: training rows that hold concepts, held-out rows whose output is asked.

    Args:
        layer: Name of the layer.
        frame: The training rows in a person's units, with their groups.
        space: Their activations.
        gradients: How the output of held-out rows changes with the layer `(m, h)`.
        classes: Which output each held-out row speaks of, in words `(m,)`.
    """

    layer: str
    frame: pd.DataFrame
    space: Space
    gradients: np.ndarray
    classes: np.ndarray


def audit(
    subject: Subject,
    *,
    concepts: dict[str, dict[str, Any]] | None = None,
    layer: str | None = None,
    rows: int = 1000,
    draws: int = 499,
    level: float = 0.95,
    alarm: float = 0.05,
) -> AuditResult:
    """Find out whether concepts move decisions inside the network more than random concepts do.

    Args:
        concepts: Per name the conditions its rows meet: a column's value, a list of values, or `{at_least: 30}`; by default every
            group of every sensitive feature.
        layer: Name of the submodule looked into; by default the last but one that owns weights.
        rows: Training rows, and held-out rows, looked at, at most.
        draws: Random concepts that each is compared with.
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
    except Unexplainable as refusal:
        return _not_applicable(refusal.problem)
    large = {name: mark for name, mark in named.items() if FEWEST <= mark.sum() <= len(mark) - FEWEST}
    if not large:
        return _not_applicable(f"no concept has {FEWEST} training rows and leaves {FEWEST} beside it")
    tested = [one for name, mark in large.items() for one in _tested(subject, inside, name, mark, draws)]
    return exhibits.result(
        exhibits.corrected(tested),
        small=tuple(name for name in named if name not in large),
        level=level,
        alarm=alarm,
        method=_method(inside, draws, alarm),
    )


def _inside(subject: Subject, layer: str | None, rows: int) -> Inside:
    assert subject.model is not None
    assert subject.train is not None
    explained = Explained(subject.model, subject.task)
    positions = subject.sample(rows, "concepts.held")
    held = rows_of(subject, positions)
    name, module = layer_of(explained, held, layer)
    some = np.sort(subject.generator("concepts.rows").permutation(len(subject.train))[:rows])
    first, *others = subject.train.batch(torch.as_tensor(some)).inputs
    side = sides(subject, positions)
    slopes = gradients(explained, module, held)
    if side is None:
        classes = subject.predictions.frame["decision"].astype(str).to_numpy()[positions]
    else:
        slopes, classes = slopes * side[:, None], np.full(len(held), spoken_class(subject) or subject.schema.target.name)
    return Inside(
        layer=name,
        frame=_frame(subject, some),
        space=space_of(activations(explained, module, Rows(inputs=first, others=tuple(others)))),
        gradients=slopes,
        classes=classes,
    )


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


def _tested(subject: Subject, inside: Inside, name: str, mark: np.ndarray, draws: int) -> list[Tested]:
    """Return what a concept does to the output of each class that enough rows were decided as."""
    generator = subject.generator(f"concepts.{name}")
    space = inside.space
    own = vectors(space, mark[:, None].astype(np.float64))
    random = vectors(space, random_concepts(space, int(mark.sum()), draws, generator))
    found = []
    for spoken in np.unique(inside.classes):
        rows = inside.gradients[inside.classes == spoken]
        if len(rows) < FEWEST:
            continue
        slopes = derivatives(space, rows, np.column_stack([own, random]))
        strength = slopes.mean(axis=0)
        reached = (np.abs(strength[1:]) >= abs(strength[0]) - 1e-12).sum()
        found.append(
            Tested(
                concept=name,
                spoken=str(spoken),
                rows=int(mark.sum()),
                slopes=slopes[:, 0],
                random=float(np.quantile(np.abs(strength[1:]), 0.95)),
                p=float((1 + reached) / (1 + draws)),
            )
        )
    return found


def _method(inside: Inside, draws: int, alarm: float) -> Method:
    return Method(
        summary=f"In the layer '{inside.layer}', a linear classifier tells training rows that hold a concept from the rest; its "
        "normal is the concept's vector. The derivative of the explained output along it, one standard deviation far, says "
        "whether the concept moves a decision, its sign for how many rows. It is compared with concepts as large and as well "
        "represented, but random; p-values are corrected by Holm's method.",
        parameters={"layer": inside.layer, "training_rows": len(inside.frame), "random_concepts": draws, "alarm": alarm},
        references=("Kim et al. (2018), Interpretability beyond feature attribution: testing with concept activation vectors",),
        cautions=(
            "In a network that is nearly linear the share of rows is 0 or 1 for any direction: look at the size and its p-value.",
            "A concept that goes with another one shares its direction in ways that rows do not settle.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Testing with concept activation vectors."), not_applicable=reason)
