"""Which units a person reads attributions on, by what a row is."""

from collections.abc import Callable, Mapping

from glassbench.data import Modality, Schema
from glassbench_audits.explain.audio_units import audio_units
from glassbench_audits.explain.image_units import image_units
from glassbench_audits.explain.series_units import series_units
from glassbench_audits.explain.units import Units, units_of

OWN: Mapping[Modality, tuple[int, Callable[[Schema, tuple[int, ...]], Units]]] = {
    "audio": (1, audio_units),
    "image": (3, image_units),
    "observation": (3, image_units),
    "series": (2, series_units),
}
"""Modalities with units of their own, and how many axes the rows have that they fit; an observation of three is a picture."""


def units_for(schema: Schema, shape: tuple[int, ...]) -> Units:
    """Return the units of a row of `shape`: those of its modality, else one per feature or per element."""
    axes, build = OWN.get(schema.modality, (None, units_of))
    return build(schema, tuple(shape)) if axes in (None, len(shape)) else units_of(schema, shape)
