"""Transcripts in the explanation: when, and at which frequency, what said each symbol lies."""

from itertools import pairwise

import numpy as np

from glassbench.contracts.exhibits import Chart
from glassbench.contracts.schema import Schema
from glassbench_audits.attribution.audio_feature_groups import rate_of
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer

MOST_SYMBOLS, STRETCHES, SPOKEN = 24, 40, 4
"""Symbols drawn, stretches of time, and symbols named in words."""


def symbol_maps(explainer: Explainer, row: Rows) -> tuple[list[int], np.ndarray]:
    """Return the symbols written, and the attribution of each to the spectrogram, `(m, bands, frames)`.

    Each symbol's score is explained by itself, in the frame where it is likeliest.

    Args:
        explainer: What turns rows into attributions of a spectrogram.
        row: A single row whose target indices `(1, m, k)` end in the symbol.
    """
    assert row.target_index is not None
    entries = row.target_index[0][row.target_index[0, :, 0] >= 0][:MOST_SYMBOLS]
    many = len(entries)
    repeated = Rows(
        inputs=row.inputs.expand(many, *row.inputs.shape[1:]),
        others=tuple(other.expand(many, *other.shape[1:]) for other in row.others),
        target_index=entries,
    )
    return entries[:, -1].tolist(), explainer.raw(repeated).detach().double().numpy()


def symbols_chart(schema: Schema, explainer: Explainer, row: Rows) -> Chart:
    """Return over time what moved each symbol of a transcript, either way, in shares of the symbol's whole."""
    symbols, maps = symbol_maps(explainer, row)
    names = [f"{place + 1}. {_shown(schema.target.classes[symbol])}" for place, symbol in enumerate(symbols)]
    edges = np.linspace(0, maps.shape[2], min(maps.shape[2], STRETCHES) + 1).astype(int)
    over_time = np.abs(maps).sum(axis=1)
    held = np.stack([over_time[:, start:stop].sum(axis=1) for start, stop in pairwise(edges)], axis=1)
    shares = held / np.maximum(held.sum(axis=1, keepdims=True), 1e-12)
    ticks = [_when(schema, int(edge), maps.shape[2]) for edge in edges[:-1]]
    strongest = _strongest(explainer, names, maps, schema)
    written = int((row.target_index[0, :, 0] >= 0).sum()) if row.target_index is not None else 0
    cut = f" Drawn are the first {len(symbols)} of {written}." if written > len(symbols) else ""
    return Chart(
        kind="heat",
        title="What said each symbol",
        message=f"Each row shares out what moved one symbol, either way, over time. {strongest}{cut}",
        rows=tuple(
            {"x": tick, "y": name, "color": round(float(share), 3)}
            for name, row_shares in zip(names, shares, strict=True)
            for tick, share in zip(ticks, row_shares, strict=True)
        ),
        x_title="seconds, the beginning of each stretch",
        y_title="the transcript",
    )


def strongest_place(symbol_map: np.ndarray) -> tuple[int, int]:
    """Return the band and the frame in which a map `(bands, frames)` has its largest value either way."""
    band, frame = np.unravel_index(int(np.abs(symbol_map).argmax()), symbol_map.shape)
    return int(band), int(frame)


def _strongest(explainer: Explainer, names: list[str], maps: np.ndarray, schema: Schema) -> str:
    frequencies = getattr(explainer.explained.layer, "frequencies", None)
    said = []
    for name, one in zip(names[:SPOKEN], maps, strict=False):
        band, frame = strongest_place(one)
        pitch = f"band {band + 1}" if frequencies is None else f"{float(frequencies[band]):,.0f} Hz"
        said.append(f"“{name.partition('. ')[2]}” most by {pitch} after {_when(schema, frame, maps.shape[2])} s")
    return f"Strongest: {', '.join(said)}."


def _when(schema: Schema, frame: int, frames: int) -> str:
    rate, samples = rate_of(schema), schema.shape[0]
    return f"{frame / max(frames - 1, 1) * samples / rate:.2f}" if rate and samples else str(frame)


def _shown(symbol: str) -> str:
    return "space" if symbol == " " else symbol
