"""What is known of rows of one modality survives JSON, and is of no other modality."""

import json
from dataclasses import replace

import pytest

from glassbench import (
    AnswerFacts,
    AudioFacts,
    CatalogueFacts,
    ForecastFacts,
    ImageFacts,
    ObservationFacts,
    Schema,
    SeriesFacts,
    Target,
    TextFacts,
)

NOTHING = Target(name="y", kind="none")
EVERY = [
    ImageFacts(mean=(0.1, 0.2), std=(1.0, 2.0)),
    AudioFacts(rate=8000),
    TextFacts(
        padding=3, unknown=1, vocabulary=("a", "b"), column="text", answers=AnswerFacts(context=4, end=2, spelling="words")
    ),
    TextFacts(
        piece="entry",
        catalogue=CatalogueFacts(items=("a", "b"), tokens=((2, 4), (3, 5)), popularity=(7, 1), groups={"kind": ("x", "y")}),
    ),
    TextFacts(),
    SeriesFacts(mean=(0.0,), std=(1.0,), step="hour", forecast=ForecastFacts(horizon=12, channel=0, season=24)),
    SeriesFacts(mean=(0.0,), std=(1.0,)),
    ObservationFacts(outputs=2, continuous=True),
]


def schema(facts):
    return Schema(modality=facts.modality, shape=(4,), target=NOTHING, facts=facts)


@pytest.mark.parametrize("facts", EVERY, ids=lambda facts: type(facts).__name__)
def test_facts_survive_json(facts):
    read = Schema.from_json(json.loads(json.dumps(schema(facts).to_json())))
    assert read == schema(facts)
    assert read.facts_of(type(facts)) == facts
    assert {kind for kind in map(type, EVERY) if read.facts_of(kind)} == {type(facts)}


def test_facts_of_another_modality_are_refused():
    with pytest.raises(ValueError, match="AudioFacts speaks of audio rows, not of text rows"):
        replace(schema(TextFacts()), facts=AudioFacts(rate=8000))


@pytest.mark.parametrize(
    ("modality", "facts"),
    [("audio", {}), ("audio", {"rate": "8000"}), ("image", {"mean": [0.1], "std": None}), ("table", {"a": 1})],
)
def test_facts_that_are_none_are_refused(modality, facts):
    content = {**Schema(modality=modality, shape=(4,), target=NOTHING).to_json(), "facts": facts}
    with pytest.raises(ValueError, match=r"rate|std|no facts"):
        Schema.from_json(content)
