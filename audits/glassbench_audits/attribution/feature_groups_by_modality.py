"""The feature groups of a row, by modality."""

from collections.abc import Callable, Mapping

from glassbench.contracts.schema import Modality, Schema
from glassbench_audits.attribution.audio_feature_groups import audio_feature_groups
from glassbench_audits.attribution.feature_groups import FeatureGroups, feature_groups_of
from glassbench_audits.attribution.image_feature_groups import image_feature_groups
from glassbench_audits.attribution.series_feature_groups import series_feature_groups

OWN: Mapping[Modality, tuple[int, Callable[[Schema, tuple[int, ...]], FeatureGroups]]] = {
    "audio": (1, audio_feature_groups),
    "image": (3, image_feature_groups),
    "observation": (3, image_feature_groups),
    "series": (2, series_feature_groups),
}
"""Modalities with feature groups of their own, and how many axes their rows have; an observation of three is a picture."""


def feature_groups_for(schema: Schema, shape: tuple[int, ...]) -> FeatureGroups:
    """Return the feature groups of a row of `shape`: those of its modality, else one per feature or per element."""
    axes, build = OWN.get(schema.modality, (None, feature_groups_of))
    return build(schema, tuple(shape)) if axes in (None, len(shape)) else feature_groups_of(schema, shape)
