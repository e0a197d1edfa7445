"""What a person reads attributions of a clip on, where they speak of its samples: stretches of time."""

from itertools import pairwise

import numpy as np
import torch

from glassbench.contracts.facts import AudioFacts
from glassbench.contracts.schema import Feature, Schema
from glassbench_audits.attribution.feature_groups import FeatureGroups

STRETCHES = 32


def audio_feature_groups(schema: Schema, shape: tuple[int, ...]) -> FeatureGroups:
    """Return the feature groups of clips `(samples,)`: stretches of equal length, named by when they are."""
    edges = stretch_edges(shape[0])
    of_sample = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    rate = rate_of(schema)
    features = tuple(Feature(name=_name(rate, start, stop)) for start, stop in pairwise(edges.tolist()))
    return FeatureGroups(mask=torch.as_tensor(of_sample), features=features)


def rate_of(schema: Schema) -> float | None:
    """Return how many samples a second has; None where it is not known."""
    facts = schema.facts_of(AudioFacts)
    return None if facts is None else float(facts.rate)


def stretch_edges(samples: int) -> np.ndarray:
    """Return where stretches begin and the last ends `(stretches + 1,)`."""
    return np.linspace(0, samples, min(samples, STRETCHES) + 1).round().astype(int)


def _name(rate: float | None, start: int, stop: int) -> str:
    if rate is None:
        return f"samples {start + 1} to {stop}"
    return f"{start / rate:.3f} to {stop / rate:.3f} s"
