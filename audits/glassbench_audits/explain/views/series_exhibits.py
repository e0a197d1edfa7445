"""A series and what moved the decision on it: the line, and under it the map of channels and steps."""

from typing import Any

import numpy as np
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.exhibits import Chart
from glassbench.contracts.facts import SeriesFacts
from glassbench.contracts.schema import Schema
from glassbench.contracts.subject import Subject
from glassbench_audits.attribution.cases import ExplainedRow
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.importance import Importance
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.attribution.series_feature_groups import channel_names, forecasts, stretch_name, stretches
from glassbench_audits.explain.views.wording import output_words

MOST_LINES, MOST_POINTS, MOST_CHANNELS = 3, 240, 24
Line = tuple[str, np.ndarray, np.ndarray]
"""A name, steps `(k,)` and values `(k,)`."""


def series_case(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> dict[str, Any]:
    """Return the charts of one series: its line, what was forecast and came, and the map of its attributions."""
    return {"charts": (_line_chart(subject, explainer, position, explained_row), _case_map(subject, explained_row))}


def series_overview(subject: Subject, explainer: Explainer, picture: Importance, sampled: Sampled) -> dict[str, Any]:
    """Return the map of mean absolute attributions over all rows explained, by channel and stretch of steps."""
    steps, channels = explainer.feature_groups.mask.shape
    held = picture.mean.reshape(channels, -1)
    chart = _map(
        subject.schema,
        held,
        steps,
        title="Where the influence lies: channels and steps",
        message=f"The share of all influence on {output_words(subject)} that each stretch of each channel has",
        unit="share",
    )
    return {"charts": (chart,)} if held.sum() > 0 else {}


def _line_chart(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> Chart:
    schema = subject.schema
    row = explained_row.row.inputs[0].double().numpy()
    if forecasts(schema):
        lines = _forecast_lines(subject, explainer, position, explained_row, row)
        title = f"{_target_channel(schema)}: seen, forecast and true"
        message = "The line stops being seen where the forecast begins, at step 0."
    else:
        lines, title = _strongest_lines(schema, explained_row.elements, row), "The series"
        message = "What the decision was made on."
    records = tuple(
        {"x": float(x), "y": float(y), "color": name}
        for name, at, values in lines
        for x, y in zip(*_thinned(at, values), strict=True)
    )
    unit = schema.target.unit if forecasts(schema) else None
    return Chart(kind="lines", title=title, message=message, rows=records, x_title=_step_title(schema), y_title=unit or "value")


def _forecast_lines(
    subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow, row: np.ndarray
) -> list[Line]:
    """Return the target channel as it was seen, as it was forecast and as it came."""
    schema, channel = subject.schema, _forecast_channel(subject.schema)
    with torch.no_grad():
        forecast = explainer.explained.model(explained_row.row.inputs, *explained_row.row.others)[0, :, channel].double().numpy()
    ahead, behind = np.arange(len(forecast)), np.arange(-len(row), 0)
    shown = [("seen", behind, row[:, channel]), ("forecast", ahead, forecast)]
    source = subject.predictions.source
    if isinstance(source, Split) and source.target is not None:
        shown.append(("true", ahead, source.target[position, :, channel].double().numpy()))
    return [(name, at, _in_units(schema, values, channel)) for name, at, values in shown]


def _target_channel(schema: Schema) -> str:
    return channel_names(schema, len(schema.features))[_forecast_channel(schema)]


def _forecast_channel(schema: Schema) -> int:
    facts = schema.facts_of(SeriesFacts)
    assert facts is not None
    assert facts.forecast is not None
    return facts.forecast.channel


def _strongest_lines(schema: Schema, elements: np.ndarray, row: np.ndarray) -> list[Line]:
    """Return the channels that moved the decision most, at most three."""
    order = np.argsort(-np.abs(elements).sum(axis=0), kind="stable")[:MOST_LINES]
    names = channel_names(schema, row.shape[1])
    return [(names[c], np.arange(1, len(row) + 1), _in_units(schema, row[:, c], int(c))) for c in sorted(order)]


def _in_units(schema: Schema, values: np.ndarray, channel: int) -> np.ndarray:
    facts = schema.facts_of(SeriesFacts)
    return values if facts is None else np.asarray(values * facts.std[channel] + facts.mean[channel])


def _thinned(at: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    every = -(-len(at) // MOST_POINTS)
    return at[::every], values[::every]


def _case_map(subject: Subject, explained_row: ExplainedRow) -> Chart:
    steps, channels = explained_row.elements.shape
    edges = stretches(steps, channels)
    held = np.add.reduceat(explained_row.elements.astype(np.float64), edges[:-1], axis=0).T
    return _map(
        subject.schema,
        np.abs(held),
        steps,
        title="Its map",
        message=f"How far each stretch of each channel moved {output_words(subject)}, either way",
        unit="|attribution|",
    )


def _map(schema: Schema, held: np.ndarray, steps: int, *, title: str, message: str, unit: str) -> Chart:
    """Return the map of numbers `(channels, stretches)`; of many channels, the strongest."""
    channels, count = held.shape
    edges, names = stretches(steps, channels), channel_names(schema, channels)
    shares = held / held.sum() if unit == "share" and held.sum() > 0 else held
    kept = np.sort(np.argsort(-held.sum(axis=1), kind="stable")[:MOST_CHANNELS])
    most = np.unravel_index(int(held.argmax()), held.shape)
    where = f"{names[most[0]]}, {stretch_name(schema, steps, int(edges[most[1]]), int(edges[most[1] + 1]))}"
    left_out = f" The {channels - len(kept)} weakest channels are not drawn." if len(kept) < channels else ""
    rows = tuple(
        {"x": _tick(schema, steps, int(edges[k])), "y": names[c], "color": float(shares[c, k])}
        for c in kept
        for k in range(count)
    )
    return Chart(
        kind="heat",
        title=title,
        message=f"{message}; most: {where}.{left_out}",
        rows=rows,
        x_title=f"{_step_title(schema)}, the first of each stretch",
        y_title="channel",
    )


def _tick(schema: Schema, steps: int, start: int) -> str:
    return stretch_name(schema, steps, start, start + 1).removeprefix("step ")


def _step_title(schema: Schema) -> str:
    facts = schema.facts_of(SeriesFacts)
    step = "step" if facts is None else facts.step
    counted = "" if step == "step" else f" (of one {step})" if not step[0].isdigit() else f" (of {step})"
    return f"step{counted}" + (", from the first that is forecast" if forecasts(schema) else "")
