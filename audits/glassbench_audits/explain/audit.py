"""The explanation audit: attributions through Captum, what they amount to, and their own tests."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from glassbench.estimator import differentiable
from glassbench.evidence import AuditResult, Method, Table
from glassbench.subject import Subject
from glassbench_audits.explain import exhibits, wording
from glassbench_audits.explain.attribution import Explainer, sound
from glassbench_audits.explain.baseline import BaselineChoice, choose_baseline
from glassbench_audits.explain.cases import Told, build_case, choose_cases
from glassbench_audits.explain.checks import Examined, run_checks
from glassbench_audits.explain.explained import Explained, Rows, rows_of
from glassbench_audits.explain.importance import Importance, directions, importance
from glassbench_audits.explain.methods import METHODS, MethodName, choose_method, unavailable
from glassbench_audits.explain.stamp import stamp
from glassbench_audits.explain.units import units_of
from glassbench_audits.explain.values import numbers, sides

_TRIAL_ROWS = 32
_WIDEST_BASELINE = 512


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


def explain(
    subject: Subject,
    *,
    method: Literal[
        "auto",
        "integrated-gradients",
        "deep-lift",
        "gradient-shap",
        "input-x-gradient",
        "feature-ablation",
        "shapley-value-sampling",
        "kernel-shap",
        "feature-permutation",
    ] = "auto",
    rows: int | None = None,
    steps: int = 50,
    samples: int | None = None,
    baseline: Literal["auto", "mean", "median", "zero", "training-sample"] = "auto",
    cases: int = 2,
    replicates: int = 1000,
    level: float = 0.95,
) -> AuditResult:
    """Explain the model's decisions and test the explanation.

    Attributions speak of the model's first input; further inputs are passed on as they are.

    Args:
        method: How to attribute; `auto` takes integrated gradients where the model has gradients, else Shapley value
            sampling up to 64 inputs and feature ablation beyond.
        rows: Held-out rows behind the global picture; by default what the method can afford (512 for gradients, 24 for
            kernel SHAP).
        steps: Points of the integral of integrated gradients; four times as many where that misses by more than 1 %.
        samples: Draws of the sampling methods; by default 20 for gradient SHAP, 25 orders for Shapley values, 200
            coalitions for kernel SHAP.
        baseline: What rows are compared with; `auto` takes the training mean for tables, zero elsewhere, padding for
            tokens.
        cases: Single decisions of each kind (most certain, least certain, wrong) shown in full.
        replicates: Resamples behind each interval.
        level: Confidence level of the intervals.
    """
    settings = Settings(
        method=method,
        rows=rows,
        steps=steps,
        samples=samples,
        baseline=baseline,
        cases=cases,
        replicates=replicates,
        level=level,
    )
    if reason := subject.missing(("model", "predictions")):
        return _not_applicable(reason)
    prepared = prepare(subject, settings)
    return _not_applicable(prepared) if isinstance(prepared, str) else _audit(subject, settings, prepared)


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


def _audit(subject: Subject, settings: Settings, prepared: Prepared) -> AuditResult:
    explainer, n = prepared.explainer, len(prepared.positions)
    chosen = choose_cases(subject, settings.cases)
    extra = np.array([case.position for case in chosen], dtype=int)
    rows = rows_of(subject, np.concatenate([prepared.positions, extra]))
    attributions = explainer.per_unit(rows)
    sampled, names = rows.take(slice(0, n)), explainer.units.names
    picture = _picture(subject, settings, prepared, sampled, attributions[:n])
    checks = run_checks(
        Examined(
            subject=subject,
            explainer=explainer,
            rows=sampled,
            attributions=attributions[:n],
            replicates=settings.replicates,
            level=settings.level,
        )
    )
    word = stamp([check.outcome for check in checks])
    told = _tell(explainer, rows, attributions, n)
    return AuditResult(
        stamp=word,
        findings=(
            *wording.silence_finding(picture),
            *wording.driver_findings(subject, names, picture),
            *wording.replacement_finding(prepared.replaced),
            wording.stamp_finding(word, checks),
        ),
        measures=exhibits.measures(checks, names, picture, n),
        tables=(*_importance_tables(subject, names, picture, n, settings.level), exhibits.checks_table(checks)),
        charts=(exhibits.importance_chart(subject, names, picture),) if names else (),
        cases=tuple(build_case(subject, explainer.units, c, t) for c, t in zip(chosen, told, strict=True)),
        method=_method(subject, settings, prepared),
    )


def _picture(subject: Subject, settings: Settings, prepared: Prepared, rows: Rows, attributions: np.ndarray) -> Importance:
    units = prepared.explainer.units
    same_shape = units.mask.shape == rows.inputs.shape[1:]
    values = numbers(units, rows) if same_shape else np.full(attributions.shape, np.nan)
    return importance(
        attributions,
        directions(values, attributions, sides(subject, prepared.positions)),
        subject.generator("explain.importance"),
        replicates=settings.replicates,
        level=settings.level,
    )


def _importance_tables(subject: Subject, names: tuple[str, ...], picture: Importance, n: int, level: float) -> tuple[Table, ...]:
    return (exhibits.importance_table(subject, names, picture, n, level),) if names else ()


def _tell(explainer: Explainer, rows: Rows, attributions: np.ndarray, start: int) -> list[Told]:
    """Return what is known of each row from `start` on, the cases."""
    if start == len(rows):
        return []
    outputs = explainer.explained.outputs(rows)
    references = explainer.reference(rows) if explainer.method.sums else None
    return [
        Told(
            row=rows.take(slice(i, i + 1)),
            attributions=attributions[i],
            output=float(outputs[i]),
            reference=None if references is None else float(references[i]),
        )
        for i in range(start, len(rows))
    ]


def _method(subject: Subject, settings: Settings, prepared: Prepared) -> Method:
    explainer = prepared.explainer
    used = explainer.method
    what = f"Each number is {used.sentence}. What is explained is {wording.output_words(subject)}."
    against = _against(explainer)
    return Method(
        summary=f"{what} {against} Tests of the explanation itself decide its stamp.",
        parameters={
            "method": used.name,
            "asked": settings.method,
            "replaced": prepared.replaced,
            "rows": len(prepared.positions),
            "held_out_rows": len(subject.predictions.frame),
            "steps": explainer.steps if used.name == "integrated-gradients" else None,
            "samples": explainer.samples if used.random and explainer.samples else None,
            "captum_seed": explainer.seed if used.random else None,
            "attribution_layer": getattr(explainer.explained.model, "attribution_layer", None),
            **_baseline_parameters(explainer),
            "replicates": settings.replicates,
            "level": settings.level,
        },
        references=(used.reference, "Adebayo et al. (2018), Sanity checks for saliency maps"),
        cautions=_cautions(explainer),
    )


def _against(explainer: Explainer) -> str:
    if explainer.method.name == "feature-permutation":
        return "Rows are compared with one another; there is no baseline."
    if explainer.method.name == "input-x-gradient":
        return "Its implicit baseline is zero in every encoded slot."
    return f"The baseline is {explainer.baseline.sentence}."


def _baseline_parameters(explainer: Explainer) -> dict[str, Any]:
    if explainer.method.name == "feature-permutation":
        return {"baseline": None}
    if explainer.method.name == "input-x-gradient":
        return {"baseline": "zero"}
    values = explainer.baseline.values
    small = len(values) == 1 and values.numel() <= _WIDEST_BASELINE
    return {"baseline": explainer.baseline.name, "baseline_values": values[0].tolist() if small else None}


def _cautions(explainer: Explainer) -> tuple[str, ...]:
    cautions = [
        "An attribution tells what the model uses, not what causes the truth.",
        "Another baseline gives other attributions: they answer 'compared with what?'.",
    ]
    if explainer.units.features:
        cautions.append("Inputs that go together share their influence in ways the data do not settle.")
    else:
        cautions.append("The inputs carry no names, so single attributions are tested and summed up but not drawn.")
    return tuple(cautions)


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Attributions through Captum."), not_applicable=reason)
