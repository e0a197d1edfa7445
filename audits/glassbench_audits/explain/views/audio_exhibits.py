"""A clip and what moved the decision on it: its spectrogram with its map, or its loudness with the map of its stretches."""

from typing import Any

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import Chart, Picture
from glassbench.contracts.png import png
from glassbench.contracts.schema import Schema
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.attribution.audio_feature_groups import rate_of, stretch_edges
from glassbench_audits.attribution.cases import ExplainedRow
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.importance import Importance
from glassbench_audits.attribution.sampled import Sampled
from glassbench_audits.drawing.raster import enlarged, shaded, signed_map
from glassbench_audits.explain.views.spoken_exhibits import symbols_chart
from glassbench_audits.explain.views.wording import output_words

_LOUDNESS_POINTS = 128
_WHERE = "Where the influence lies"
"""Title of the picture over all clips."""


def audio_case(subject: Subject, explainer: Explainer, position: int, explained_row: ExplainedRow) -> dict[str, Any]:
    """Return the spectrogram and its map where attributions speak of one, else the loudness and the map of its stretches."""
    if explained_row.elements.ndim == 2:
        index = explained_row.row.target_index
        written = index is not None and index.ndim == 3  # several symbols, one after the other
        charts = (symbols_chart(subject.schema, explainer, explained_row.row),) if written else ()
        return {"pictures": _spectrogram(subject, explainer, explained_row), "charts": charts}
    return {"charts": (_loudness(subject.schema, explained_row), _stretches(subject, explained_row))}


def audio_overview(subject: Subject, explainer: Explainer, picture: Importance, sampled: Sampled) -> dict[str, Any]:
    """Return where in frequency and time the influence lies over all clips explained, where attributions speak of that."""
    mask = explainer.feature_groups.mask
    if mask.ndim != 2 or picture.mean.sum() == 0:
        return {}
    held = picture.mean[mask.numpy()]
    bands, _ = _most(held)
    found = _bands_finding(subject, explainer, held.sum(axis=1))
    text = f"Mean influence on {output_words(subject)}, a stronger colour for more; most at {_band(explainer, bands)}."
    image = png(enlarged(shaded(held[::-1])))
    shown = Picture(title=_WHERE, message=text, png=image, legend=_axes(subject, explainer))
    return {"pictures": (shown,), "findings": (found,)}


def carrying_half(held: np.ndarray) -> tuple[int, int]:
    """Return the first and the last of the fewest neighbouring bands that carry half of an influence `(bands,)` or more.

    Example:
        >>> carrying_half(np.array([1.0, 0.0, 3.0, 2.0, 1.0]))
        (2, 3)
    """
    for many in range(1, len(held) + 1):
        sums = np.convolve(held, np.ones(many), mode="valid")
        first = int(sums.argmax())
        if 2 * sums[first] >= held.sum():
            return first, first + many - 1
    return 0, len(held) - 1


def _bands_finding(subject: Subject, explainer: Explainer, held: np.ndarray) -> Finding:
    """Return which frequencies carry half of the influence, by what each band holds `(bands,)`."""
    first, last = carrying_half(held)
    share = in_percent(float(held[first : last + 1].sum() / held.sum()))
    if 2 * (last - first + 1) >= len(held):
        said = "No part of the frequencies drives the decisions more than others"
    elif first == last:
        said = f"The frequency {_band(explainer, first)} drives the decisions most"
    else:
        said = f"Frequencies from {_band(explainer, first)} to {_band(explainer, last)} drive the decisions most"
    many = f"{last - first + 1} of {len(held)} bands"
    text = f"{said}: {many}, which move {output_words(subject)} most, carry {share} of all influence."
    return Finding(sentence=text, grade="ok", weight=0.6, chart=_WHERE)


def _spectrogram(subject: Subject, explainer: Explainer, explained_row: ExplainedRow) -> tuple[Picture, ...]:
    """Return the spectrogram alone, and under its map."""
    seen = explainer.explained.layer_outputs(explained_row.row)[0].double().numpy()
    band, frame = _most(np.abs(explained_row.elements))
    at = f"{_band(explainer, band)}{_moment(subject.schema, frame, explained_row.elements.shape[1])}"
    legend = _axes(subject, explainer)
    return (
        Picture(
            title="The spectrogram",
            message="What the decision was made on, stronger for louder.",
            png=_image(seen),
            legend=legend,
        ),
        Picture(
            title="Its map",
            message=f"What moved {output_words(subject)}; most: {at}.",
            png=png(enlarged(signed_map(explained_row.elements[::-1], seen[::-1]))),
            legend=f"Blue pushes towards the decision, orange against it. {legend}",
        ),
    )


def _image(seen: np.ndarray) -> str:
    return png(enlarged(shaded(seen[::-1])))


def _most(held: np.ndarray) -> tuple[int, int]:
    band, frame = np.unravel_index(int(held.argmax()), held.shape)
    return int(band), int(frame)


def _band(explainer: Explainer, band: int) -> str:
    """Return a band in words: its frequency, where the layer says it (`frequencies`, Hz per band)."""
    frequencies = getattr(explainer.explained.layer, "frequencies", None)
    return f"band {band + 1}" if frequencies is None else f"{float(frequencies[band]):,.0f} Hz"


def _moment(schema: Schema, frame: int, frames: int) -> str:
    rate, samples = rate_of(schema), schema.shape[0]
    return f" after {frame / max(frames - 1, 1) * samples / rate:.2f} s" if rate and samples else ""


def _axes(subject: Subject, explainer: Explainer) -> str:
    rate, samples = rate_of(subject.schema), subject.schema.shape[0]
    frequencies = getattr(explainer.explained.layer, "frequencies", None)
    across = f"0 to {samples / rate:.3g} s" if rate and samples else "time"
    up = "frequency" if frequencies is None else f"{float(frequencies[0]):,.0f} to {float(frequencies[-1]):,.0f} Hz"
    return f"From left to right {across}, from bottom to top {up}."


def _loudness(schema: Schema, explained_row: ExplainedRow) -> Chart:
    clip, rate = explained_row.row.inputs[0].double().numpy(), rate_of(schema)
    edges = np.linspace(0, len(clip), min(len(clip), _LOUDNESS_POINTS) + 1).astype(int)
    loud = np.sqrt(np.add.reduceat(clip**2, edges[:-1]) / np.diff(edges))
    middles = (edges[:-1] + edges[1:]) / 2
    rows = tuple({"x": float(m / rate if rate else m), "y": float(y)} for m, y in zip(middles, loud, strict=True))
    return Chart(
        kind="lines",
        title="The clip",
        message="How loud it is over time.",
        rows=rows,
        x_title="seconds" if rate else "samples",
        y_title="root mean square",
    )


def _stretches(subject: Subject, explained_row: ExplainedRow) -> Chart:
    rate, edges = rate_of(subject.schema), stretch_edges(len(explained_row.elements))
    held = np.abs(np.add.reduceat(explained_row.elements.astype(np.float64), edges[:-1]))
    ticks = [f"{start / rate:.3f}" if rate else str(start) for start in edges[:-1]]
    unit = "seconds" if rate else "samples"
    return Chart(
        kind="heat",
        title="Its map",
        message=f"How far each stretch moved {output_words(subject)}, either way; most from {ticks[int(held.argmax())]} {unit}.",
        rows=tuple({"x": tick, "y": "clip", "color": float(value)} for tick, value in zip(ticks, held, strict=True)),
        x_title=f"{unit}, the beginning of each stretch",
    )
