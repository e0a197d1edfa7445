"""Everything settled before rows are explained: model, method, baseline, units, rows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from glassbench.contracts.estimator import differentiable
from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench_audits.attribution.agreement import settled
from glassbench_audits.attribution.baseline import BaselineChoice, choose_baseline
from glassbench_audits.attribution.certainty import certainty_floor
from glassbench_audits.attribution.explained import Explained, Rows, Unexplainable, rows_of
from glassbench_audits.attribution.explainer import Explainer, sound
from glassbench_audits.attribution.feature_groups_by_modality import feature_groups_for
from glassbench_audits.attribution.method import Method, MethodName
from glassbench_audits.attribution.methods import METHODS, choose_method, unavailable
from glassbench_audits.attribution.tree_shap import additive_trees
from glassbench_audits.attribution.visited import is_policy

_TRIAL_ROWS, _PICTURES = 32, 64
_STEPS = 50
_DEAR_ROWS, _DEAR_TRIAL_ROWS, _DEAR_STEPS = 24, 6, 16


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The audit's settings, as `explain` documents them."""

    method: MethodName | Literal["auto"]
    rows: int | None
    steps: int | None
    samples: int | None
    baseline: BaselineChoice
    cases: int
    replicates: int
    level: float

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        least = {"rows": 2, "steps": 1, "samples": 1, "cases": 0, "replicates": 1}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise SettingsError(f"{name} must be at least {bound}", got=str(value), where=f"audits.explain.{name}")
        if not 0 < self.level < 1:
            raise SettingsError("level must lie between 0 and 1", got=str(self.level), where="audits.explain.level")


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """What is to be explained, and how.

    Args:
        explainer: The explainer, sound for this model.
        replaced: Why another method than the one asked for took its place, or None.
        positions: Row positions of the global picture `(n,)`.
    """

    explainer: Explainer
    replaced: str | None
    positions: np.ndarray


def prepare(subject: Subject, settings: Settings) -> Prepared:
    """Settle how a subject is explained.

    Raises:
        Unexplainable: It cannot be explained so.
    """
    assert subject.model is not None
    explained = Explained(subject.model, subject.task)
    explained.floor = certainty_floor(subject, explained)
    trial = rows_of(subject, subject.sample(explained.affords(_TRIAL_ROWS, _TRIAL_ROWS, _DEAR_TRIAL_ROWS), "explain.trial"))
    explained.trees = additive_trees(explained, subject.schema, trial)
    chosen = _method(subject, explained, trial, settings.method)
    positions = subject.sample(settings.rows or _affordable(subject, explained, chosen), "explain.rows")
    _check_finite(explained, rows_of(subject, positions))
    explainer = Explainer(
        explained=explained,
        method=chosen,
        baseline=choose_baseline(subject, trial.inputs, settings.baseline, chosen),
        feature_groups=feature_groups_for(subject.schema, _attributed_shape(explained, trial, chosen)),
        steps=settings.steps or explained.affords(_STEPS, _STEPS, _DEAR_STEPS),
        samples=settings.samples or chosen.samples,
        seed=int(subject.generator("explain.captum").integers(2**31)),
    )
    fit, replaced = sound(explainer, trial)
    if settings.samples is None:
        fit = settled(fit, trial)
    return Prepared(explainer=fit, replaced=replaced, positions=positions)


def _affordable(subject: Subject, explained: Explained, method: Method) -> int:
    """Return how many rows a method can afford: of models that are dear to ask, fewer, and of the pictures a policy saw, which
    are wide and explained twice."""
    most = explained.affords(method.rows, method.rows, _DEAR_ROWS)
    wide = is_policy(subject) and len(subject.schema.shape) > 1
    return min(most, _PICTURES) if wide else most


def _method(subject: Subject, explained: Explained, rows: Rows, asked: MethodName | Literal["auto"]) -> Method:
    """Return the method asked for, or the one that suits the model."""
    gradients = differentiable(explained.model)
    units = len(feature_groups_for(subject.schema, rows.inputs.shape[1:]))
    auto = asked == "auto"
    name = choose_method(explained, gradients, rows.inputs.is_floating_point(), units) if auto else asked
    if reason := unavailable(METHODS[name], explained, rows.inputs, units, differentiable=gradients):
        raise Unexplainable(reason)
    return METHODS[name]


def _attributed_shape(explained: Explained, rows: Rows, method: Method) -> tuple[int, ...]:
    """Return the shape of one row's attributions: the input's, or the layer's without the width of an embedding."""
    inputs = tuple(rows.inputs.shape[1:])
    if explained.layer is None or not method.gradients:
        return inputs
    seen: list[tuple[int, ...]] = []
    with explained.layer.register_forward_hook(lambda module, args, output: seen.append(tuple(output.shape[1:]))):
        explained.outputs(rows.take(slice(0, 1)))
    wide = len(seen[0]) == len(inputs) + 1 and explained.embeds(rows.inputs)
    return seen[0][:-1] if wide else seen[0]


def _check_finite(explained: Explained, rows: Rows) -> None:
    finite = torch.isfinite(explained.outputs(rows))
    if not bool(finite.all()):
        wrong = int((~finite).sum())
        raise Unexplainable(f"the model's output is not a finite number for {wrong} of {len(rows)} rows")
