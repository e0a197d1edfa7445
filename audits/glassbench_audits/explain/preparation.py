"""Everything settled before rows are explained: model, method, baseline, units, rows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from glassbench.estimator import differentiable
from glassbench.subject import Subject
from glassbench_audits.explain.attribution import Explainer, sound
from glassbench_audits.explain.baseline import BaselineChoice, choose_baseline
from glassbench_audits.explain.explained import Explained, Rows, rows_of
from glassbench_audits.explain.methods import METHODS, MethodName, choose_method, unavailable
from glassbench_audits.explain.units import units_of

_TRIAL_ROWS = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The audit's settings, as `explain` documents them."""

    method: MethodName | Literal["auto"]
    rows: int | None
    steps: int
    samples: int | None
    baseline: BaselineChoice
    cases: int
    replicates: int
    level: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """What is to be explained, and how.

    Args:
        explainer: The explainer, sound for this model.
        asked: Name of the method asked for, `auto` resolved.
        replaced: Why another method took its place, or None.
        positions: Row positions of the global picture `(n,)`.
    """

    explainer: Explainer
    asked: MethodName
    replaced: str | None
    positions: np.ndarray


def prepare(subject: Subject, settings: Settings) -> Prepared | str:
    """Return what is needed to explain a subject, or in words why it cannot be explained."""
    assert subject.model is not None
    explained = Explained(subject.model, subject.task)
    try:
        trial = rows_of(subject, subject.sample(_TRIAL_ROWS, "explain.trial"))
    except ValueError as problem:
        return str(problem)
    units = units_of(subject.schema, _attributed_shape(explained, trial))
    gradients = differentiable(subject.model)
    name = settings.method
    if name == "auto":
        name = choose_method(explained, gradients, trial.inputs.is_floating_point(), len(units))
    chosen = METHODS[name]
    if reason := unavailable(chosen, explained, trial.inputs, differentiable=gradients):
        return reason
    try:
        baseline = choose_baseline(subject, trial.inputs, settings.baseline, sampled=name == "gradient-shap")
    except ValueError as problem:
        return str(problem)
    explainer = Explainer(
        explained=explained,
        method=chosen,
        baseline=baseline,
        units=units,
        steps=settings.steps,
        samples=settings.samples or chosen.samples,
        seed=int(subject.generator("explain.captum").integers(2**31)),
    )
    positions = subject.sample(settings.rows or chosen.rows, "explain.rows")
    if reason := _not_finite(explained, rows_of(subject, positions)):
        return reason
    fit, replaced = sound(explainer, trial)
    return Prepared(explainer=fit, asked=name, replaced=replaced, positions=positions)


def _attributed_shape(explained: Explained, rows: Rows) -> tuple[int, ...]:
    """Return the shape of one row's attributions: the input's, or the layer's without the width of an embedding."""
    inputs = tuple(rows.inputs.shape[1:])
    if explained.layer is None:
        return inputs
    seen: list[tuple[int, ...]] = []
    with explained.layer.register_forward_hook(lambda module, args, output: seen.append(tuple(output.shape[1:]))):
        explained.outputs(rows.take(slice(0, 1)))
    return seen[0][:-1] if len(seen[0]) == len(inputs) + 1 else seen[0]


def _not_finite(explained: Explained, rows: Rows) -> str | None:
    finite = torch.isfinite(explained.outputs(rows))
    if bool(finite.all()):
        return None
    return f"the model's output is not a finite number for {int((~finite).sum())} of {len(rows)} rows"
