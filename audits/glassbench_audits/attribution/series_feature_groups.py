"""What a person reads attributions of a series on: each channel, a stretch of steps at a time."""

import numpy as np
import torch

from glassbench.contracts.facts import SeriesFacts
from glassbench.contracts.schema import Feature, Schema
from glassbench_audits.attribution.feature_groups import FeatureGroups

MOST_STRETCHES, MOST_UNITS, FEWEST_STRETCHES = 24, 96, 6


def series_feature_groups(schema: Schema, shape: tuple[int, ...]) -> FeatureGroups:
    """Return the feature groups of rows `(steps, channels)`: stretches of every channel, at most 24 of each."""
    steps, channels = shape
    edges = stretches(steps, channels)
    of_step = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    mask = torch.as_tensor(of_step)[:, None] + torch.arange(channels) * (len(edges) - 1)
    names = channel_names(schema, channels)
    features = tuple(
        Feature(name=f"{names[channel]}, {stretch_name(schema, steps, start, stop)}", columns=(channel,))
        for channel in range(channels)
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    )
    return FeatureGroups(mask=mask, features=features)


def stretches(steps: int, channels: int) -> np.ndarray:
    """Return where stretches of nearly equal length begin and the last ends `(stretches + 1,)`."""
    count = min(steps, MOST_STRETCHES, max(FEWEST_STRETCHES, MOST_UNITS // max(channels, 1)))
    return np.linspace(0, steps, count + 1).round().astype(int)


def channel_names(schema: Schema, channels: int) -> tuple[str, ...]:
    """Return the channels' names, numbered where the schema has none."""
    if len(schema.features) == channels:
        return tuple(feature.name for feature in schema.features)
    return tuple(f"channel {k + 1}" for k in range(channels))


def forecasts(schema: Schema) -> bool:
    """Whether rows are windows with something after them, so that steps are counted back from there."""
    facts = schema.facts_of(SeriesFacts)
    return facts is not None and facts.forecast is not None


def stretch_name(schema: Schema, steps: int, start: int, stop: int) -> str:
    """Return a stretch in words: counted back from the first forecast step, or from the beginning where nothing is forecast."""
    first, last = (start - steps, stop - 1 - steps) if forecasts(schema) else (start + 1, stop)
    return f"step {_signed(first)}" if first == last else f"steps {_signed(first)} to {_signed(last)}"


def _signed(step: int) -> str:
    return f"\N{MINUS SIGN}{-step}" if step < 0 else str(step)
