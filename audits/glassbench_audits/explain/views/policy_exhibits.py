"""A policy and what moves it: along one episode, over all states visited, and what the value of a state hangs on."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import Chart, Picture
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.cases import ExplainedRow
from glassbench_audits.attribution.directions import NOWHERE
from glassbench_audits.attribution.explained import rows_of
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.importance import Importance, importance
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.explain.views.exhibits import importance_chart
from glassbench_audits.explain.views.image_exhibits import strongest_patch, strongest_patches, where_influence_lies
from glassbench_audits.explain.views.image_pictures import image_png, map_png
from glassbench_audits.explain.views.wording import output_words

_PICTURE = 3
"""Axes of an observation that is a picture, or several seen together."""
_COLOURS = (1, 3)
"""Channels of one picture, grey or in colour; other numbers are pictures seen together."""
MOST_STEPS, MOST_POINTS, MOST_FEATURES = 40, 200, 24
DECISIVE = 0.1


def policy_case(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> dict[str, Any]:
    """Return the charts of one step within its episode: the map of steps and observation entries, and how much was at stake."""
    episode = _episode(subject, position)
    if episode is None:
        return {}
    place = int(np.flatnonzero(episode == position)[0])
    start = int(np.clip(place - MOST_STEPS // 2, 0, max(0, len(episode) - MOST_STEPS)))
    window = episode[start : start + MOST_STEPS]
    charts = (*_map(subject, explainer, window, position), *_stakes(subject, episode, position))
    return {"charts": charts, **_sight(subject, explainer, explained_row)}


def policy_overview(subject: Subject, explainer: Explainer, picture: Importance, sampled: Sampled) -> dict[str, Any]:
    """Return what the value of a state hangs on, and on which steps the choice matters."""
    charts: list[Chart] = []
    findings: list[Finding] = []
    pictures = []
    if explainer.feature_groups.mask.ndim == _PICTURE and picture.mean.sum() > 0:
        pictures.append(where_influence_lies(explainer, picture, output_words(subject)))
    for what, candidate in (getattr(subject.task, "further_attribution_outputs", None) or {}).items():
        found = _also(subject, explainer, sampled, candidate)
        if explainer.feature_groups.names and found.mean.sum() > 0:
            charts.append(_also_chart(subject, explainer.feature_groups.names, found, what))
            findings.append(_also_finding(explainer.feature_groups.names, found, what))
    frame = subject.predictions.frame
    if {"spread", "episode", "step"} <= set(frame.columns):
        charts.append(_stakes_curve(subject))
        findings.append(_stakes_finding(frame["spread"].to_numpy(dtype=float)))
    return {"charts": tuple(charts), "findings": tuple(findings), "pictures": tuple(pictures)}


def _sight(subject: Subject, explainer: Explainer, explained_row: ExplainedRow) -> dict[str, Any]:
    """Return the picture a step was decided on, the latest of those seen together, and the map over all of them."""
    if explained_row.elements.ndim != _PICTURE or explainer.feature_groups.mask.shape != explained_row.elements.shape:
        return {}
    seen, held = explained_row.row.inputs[0], explained_row.elements.sum(axis=0)
    together = len(seen) if len(seen) not in _COLOURS else 1
    shown = seen[-1:] if together > 1 else seen
    what = f"the latest of {together} frames seen together" if together > 1 else "what the action was chosen on"
    size = f"{seen.shape[1]} x {seen.shape[2]} pixels."
    pictures = (
        Picture(title="What the policy saw", message=f"{what.capitalize()}.", png=image_png(subject.schema, shown), legend=size),
        Picture(
            title="What moved the action",
            message=f"What moved {output_words(subject)}, all frames together; most at {strongest_patch(explainer, held)}.",
            png=map_png(subject.schema, shown, held),
            legend="Blue for the action taken, orange against it.",
        ),
    )
    return {"pictures": pictures, "parts": strongest_patches(explainer, explained_row)}


def _also(subject: Subject, explainer: Explainer, sampled: Sampled, candidate: int) -> Importance:
    """Return what moves another output of the model than the decision's, over the same rows."""
    rows = replace(sampled.rows, target_index=torch.full((len(sampled.rows),), candidate), contrast=None)
    attributions = explainer.per_feature_group(rows)
    clusters = subject.predictions.clusters
    return importance(
        attributions,
        (NOWHERE,) * attributions.shape[1],
        subject.generator(f"explain.also.{candidate}"),
        replicates=1000,
        level=0.95,
        clusters=None if clusters is None else clusters[sampled.positions],
    )


def _also_chart(subject: Subject, names: tuple[str, ...], found: Importance, what: str) -> Chart:
    first = names[int(found.order[0])]
    return replace(
        importance_chart(subject, names, found),
        title=f"What drives {what}",
        message=f"{first} moves {what} most; the label is its share of all influence.",
        x_title=f"mean |attribution| to {what}",
    )


def _also_finding(names: tuple[str, ...], found: Importance, what: str) -> Finding:
    first, second = (int(unit) for unit in (*found.order[:2], found.order[0])[:2])
    beside = f", then on {names[second]} ({in_percent(found.share[second])})" if second != first else ""
    share = f"({in_percent(found.share[first])} of all influence)"
    said = f"As the policy sees it, {what} depends most on {names[first]} {share}{beside}."
    return Finding(sentence=said, grade="ok", weight=0.3)


def _episode(subject: Subject, position: int) -> np.ndarray | None:
    """Return the positions of the steps of a step's episode, in order, or None where decisions are no steps."""
    frame = subject.predictions.frame
    if not {"episode", "step"} <= set(frame.columns):
        return None
    return np.flatnonzero((frame["episode"] == frame["episode"].iloc[position]).to_numpy())


def _map(subject: Subject, explainer: Explainer, window: np.ndarray, position: int) -> tuple[Chart, ...]:
    names = explainer.feature_groups.names
    if not names or len(names) > MOST_FEATURES:
        return ()
    attributions = explainer.per_feature_group(rows_of(subject, window))
    steps = subject.predictions.frame["step"].to_numpy()
    rows = tuple(
        {"x": int(steps[at]), "y": name, "color": float(attributions[i, unit])}
        for i, at in enumerate(window)
        for unit, name in enumerate(names)
    )
    strongest = names[int(np.abs(attributions).sum(axis=0).argmax())]
    return (
        Chart(
            kind="heat",
            title="What drove the actions, step by step",
            message=f"Around step {steps[position]}, {strongest} drove the actions most. Above 0 an entry speaks for the action "
            "taken, below 0 against it.",
            rows=rows,
            x_title="step",
            y_title="observation",
        ),
    )


def _stakes(subject: Subject, episode: np.ndarray, position: int) -> tuple[Chart, ...]:
    frame = subject.predictions.frame
    if "spread" not in frame:
        return ()
    spread, steps = frame["spread"].to_numpy(dtype=float)[episode], frame["step"].to_numpy()[episode]
    kept = np.unique(np.linspace(0, len(episode) - 1, min(MOST_POINTS, len(episode))).round().astype(int))
    most, shown = int(steps[spread.argmax()]), int(steps[episode == position][0])
    return (
        Chart(
            kind="lines",
            title="How much was at stake, step by step",
            message=f"The best and the worst action lie furthest apart at step {most}; the step shown is {shown}.",
            rows=tuple({"x": int(steps[i]), "y": float(spread[i]), "color": "spread of preferences"} for i in kept),
            x_title="step",
            y_title="best minus worst preference",
        ),
    )


def _stakes_curve(subject: Subject) -> Chart:
    """Return the spread of preferences over the steps, the middle of all episodes with a band of their middle half."""
    frame = subject.predictions.frame
    edges = np.unique(np.linspace(0, frame["step"].max() + 1, MOST_STEPS + 1).round().astype(int))
    place = np.searchsorted(edges, frame["step"].to_numpy(), side="right") - 1
    spread = frame["spread"].to_numpy(dtype=float)
    quartiles = [(int(edges[i]), *np.quantile(spread[place == i], [0.25, 0.5, 0.75]).tolist()) for i in np.unique(place)]
    rows = tuple(
        {"x": x, "y": middle, "low": low, "high": high, "color": "spread of preferences"} for x, low, middle, high in quartiles
    )
    return Chart(
        kind="lines",
        title="How much is at stake over an episode",
        message="The gap between the best and the worst action, in the middle of all episodes, with the middle half as a band.",
        rows=rows,
        x_title="step",
        y_title="best minus worst preference",
    )


def _stakes_finding(spread: np.ndarray) -> Finding:
    ranked = np.sort(spread)[::-1]
    top = max(1, round(DECISIVE * len(ranked)))
    share = ranked[:top].sum() / max(ranked.sum(), 1e-12)
    said = (
        f"The {in_percent(DECISIVE)} of steps where most is at stake hold {in_percent(share)} of all difference "
        "between the best and the worst "
        "action."
    )
    return Finding(sentence=said, grade="ok", weight=0.2)
