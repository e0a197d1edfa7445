"""The explanation audit: attributions through Captum, what they amount to, and their own tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from glassbench.contracts.evidence import AuditResult, Finding, Method
from glassbench.contracts.exhibits import Case, Chart, Table
from glassbench.contracts.subject import Subject
from glassbench.stats.settings_types import Count, CountOrZero, Level, Replicates
from glassbench_audits.attribution.cases import Chosen, ExplainedRow, build_case, choose_cases
from glassbench_audits.attribution.directions import Direction, directions_of
from glassbench_audits.attribution.explained import Rows, Unexplainable, rows_of
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.image_feature_groups import place_words
from glassbench_audits.attribution.importance import Importance, importance
from glassbench_audits.attribution.preparation import Prepared, Settings, prepare
from glassbench_audits.attribution.response import answers, one_sided
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.explain.checks.all_checks import run_checks
from glassbench_audits.explain.checks.examined import Examined
from glassbench_audits.explain.checks.reliability import Reliability, reliability
from glassbench_audits.explain.method_description import method_description
from glassbench_audits.explain.views import exhibits, wording
from glassbench_audits.explain.views.exhibits_by_modality import case_exhibits, overview
from glassbench_audits.explain.views.interactions import interaction_evidence, interactions
from glassbench_audits.explain.views.output_importance import (
    output_charts,
    output_findings,
    output_maps,
    output_measures,
    output_pictures,
    output_tables,
)


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
        "exact-shapley",
        "tree-shap",
        "feature-permutation",
        "saliency",
        "grad-cam",
        "guided-grad-cam",
        "occlusion",
    ] = "auto",
    rows: Count | None = None,
    steps: Count | None = None,
    samples: Count | None = None,
    baseline: Literal["auto", "mean", "typical", "median", "zero", "training-sample", "contrast", "visited"] = "auto",
    cases: CountOrZero = 2,
    replicates: Replicates = 1000,
    level: Level = 0.95,
) -> AuditResult:
    """Explain the model's decisions and test the explanation.

    Attributions speak of the model's first input; further inputs are passed on as they are.

    Args:
        method: How to attribute; `auto` takes integrated gradients where the model has gradients, else Shapley values (read off
            the trees where the output is their sum, exact up to 8 inputs, kernel SHAP up to 64) and feature ablation beyond. The
            last four look at images alone.
        rows: Held-out rows behind the global picture; by default what the method can afford (512 for gradients, 256 for
            kernel SHAP, 64 pictures that a policy saw, 24 rows of a model that takes many passes for each).
        steps: Points of the integral of integrated gradients, by default 50 (16 of a model that takes many passes for each row);
            four times as many where that misses by more than 1 %.
        samples: Draws of the sampling methods; by default 200 for gradient SHAP, 512 coalitions for kernel SHAP, 25 orders for
            Shapley value sampling, 20 shuffles for permutation.
        baseline: What rows are compared with; `auto` takes, for tables, the training mean (a typical row where the model
            has no gradients, a sample of rows for gradient SHAP), zero elsewhere, padding for tokens. For a policy `contrast`
            is the nearest state of the episode in which it acted otherwise, `visited` the mean of all states visited.
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
    try:
        return _audit(subject, settings, prepare(subject, settings))
    except Unexplainable as refusal:
        return _not_applicable(refusal.problem)


def _audit(subject: Subject, settings: Settings, prepared: Prepared) -> AuditResult:
    explainer, n = prepared.explainer, len(prepared.positions)
    chosen = choose_cases(subject, settings.cases)
    extra = np.array([case.position for case in chosen], dtype=int)
    rows = rows_of(subject, np.concatenate([prepared.positions, extra]))
    attributions = explainer.per_feature_group(rows)
    sampled, names = rows.take(slice(0, n)), explainer.feature_groups.names
    picture = _picture(subject, settings, prepared, sampled, attributions[:n])
    checks = run_checks(_examined(subject, settings, prepared, sampled, attributions[:n]))
    word = reliability([check.outcome for check in checks], n)
    more = overview(
        subject, explainer, picture, Sampled(positions=prepared.positions, rows=sampled, attributions=attributions[:n])
    )
    explained_rows = _tell(explainer, rows, attributions, n)
    apart = output_pictures(subject, settings, prepared, sampled)
    paired = interactions(explainer, sampled, picture.order, subject.generator("explain.interactions"))
    together, acting, act = interaction_evidence(subject, paired, names, settings.level)
    return AuditResult(
        reliability=word,
        reliability_note=wording.standing_words(checks, n, subject.schema.unit),
        findings=_findings(
            word,
            (
                *wording.silence_finding(picture),
                *wording.driver_findings(subject, names, picture, _map(more), _place(subject, picture, more)),
                *output_findings(apart),
                *act,
                *more.get("findings", ()),
            ),
            (*wording.replacement_finding(prepared.replaced), wording.reliability_finding(word, checks, n, subject.schema.unit)),
        ),
        measures=(*exhibits.measures(checks, names, picture, n, together), *output_measures(apart)),
        tables=(
            *_importance_tables(subject, names, picture, n, settings.level),
            *output_tables(apart, settings.level),
            *acting,
            exhibits.checks_table(checks),
            *(table for check in checks for table in check.tables),
            *more.get("tables", ()),
        ),
        charts=(
            *_importance_charts(subject, names, picture),
            *output_charts(apart),
            *more.get("charts", ()),
            *(chart for check in checks for chart in check.charts),
        ),
        pictures=(*more.get("pictures", ()), *output_maps(explainer, apart)),
        cases=_cases(subject, explainer, chosen, explained_rows),
        method=method_description(subject, settings, prepared),
    )


def _examined(subject: Subject, settings: Settings, prepared: Prepared, rows: Rows, attributions: np.ndarray) -> Examined:
    clusters = subject.predictions.clusters
    return Examined(
        subject=subject,
        explainer=prepared.explainer,
        rows=rows,
        attributions=attributions,
        replicates=settings.replicates,
        level=settings.level,
        clusters=None if clusters is None else clusters[prepared.positions],
    )


def _cases(subject: Subject, explainer: Explainer, chosen: Sequence[Chosen], rows: Sequence[ExplainedRow]) -> tuple[Case, ...]:
    return tuple(
        replace(build_case(subject, explainer.feature_groups, c, t), **case_exhibits(subject, explainer, c.position, t))
        for c, t in zip(chosen, rows, strict=True)
    )


def _findings(word: Reliability, said: tuple[Finding, ...], of_it: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what the explanation says and what is said of it; the grade first where it forbids to rely on the rest."""
    graded_findings = wording.as_reliable(word, _answered(said))
    return (*reversed(of_it), *graded_findings) if word == "do not rely" else (*graded_findings, *of_it)


def _answered(said: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings, of which the first answers why the model decides so."""
    return tuple(replace(one, answers="reasons") if place == 0 else one for place, one in enumerate(said))


def _picture(subject: Subject, settings: Settings, prepared: Prepared, rows: Rows, attributions: np.ndarray) -> Importance:
    clusters = subject.predictions.clusters
    return importance(
        attributions,
        _directions(subject, prepared.explainer, rows, attributions),
        subject.generator("explain.importance"),
        replicates=settings.replicates,
        level=settings.level,
        clusters=None if clusters is None else clusters[prepared.positions],
    )


def _directions(subject: Subject, explainer: Explainer, rows: Rows, attributions: np.ndarray) -> tuple[Direction, ...]:
    """Return which way each of the most important units pushes, over the explained rows."""
    sided = one_sided(subject, rows) if answers(explainer, rows) else None
    return directions_of(explainer, sided, attributions, wording.DIRECTED)


def _map(more: Mapping[str, Any]) -> str | None:
    """Return the title of the picture that shows where the influence lies, or None where inputs have names instead."""
    return next((picture.title for picture in more.get("pictures", ())), None)


def _place(subject: Subject, picture: Importance, more: Mapping[str, Any]) -> str | None:
    """Return where in a picture the inputs lie that may matter most; None where no picture shows it."""
    shape = tuple(length or 0 for length in subject.schema.shape)
    return place_words(shape, picture.leaders.tolist()) if _map(more) is not None and len(shape) == 3 and all(shape) else None


def _importance_tables(subject: Subject, names: tuple[str, ...], picture: Importance, n: int, level: float) -> tuple[Table, ...]:
    return (exhibits.importance_table(subject, names, picture, n, level),) if names else ()


def _importance_charts(subject: Subject, names: tuple[str, ...], picture: Importance) -> tuple[Chart, ...]:
    return (exhibits.importance_chart(subject, names, picture),) if names else ()


def _tell(explainer: Explainer, rows: Rows, attributions: np.ndarray, start: int) -> list[ExplainedRow]:
    """Return what is known of each row from `start` on, the cases."""
    if start == len(rows):
        return []
    outputs = explainer.explained.outputs(rows)
    elements = explainer.raw(rows.take(slice(start, len(rows)))).double().numpy()
    references = explainer.reference(rows) if explainer.method.sums else None
    return [
        ExplainedRow(
            row=rows.take(slice(i, i + 1)),
            attributions=attributions[i],
            elements=elements[i - start],
            output=float(outputs[i]),
            reference=None if references is None else float(references[i]),
        )
        for i in range(start, len(rows))
    ]


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Attributions through Captum."), not_applicable=reason)
