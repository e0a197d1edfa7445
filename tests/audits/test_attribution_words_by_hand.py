"""What a person reads attributions on: features, patches, stretches, words and single decisions, by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.facts import AudioFacts, ForecastFacts, SeriesFacts, TextFacts
from glassbench.contracts.layout import LAYOUTS
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.text_pieces import Piece
from glassbench_audits.attribution.audio_feature_groups import audio_feature_groups, rate_of, stretch_edges
from glassbench_audits.attribution.cases import Chosen, ExplainedRow, build_case, choose_cases
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.feature_groups import FeatureGroups, feature_groups_of
from glassbench_audits.attribution.feature_groups_by_modality import feature_groups_for
from glassbench_audits.attribution.image_feature_groups import image_feature_groups, patch_edges, place_words
from glassbench_audits.attribution.series_feature_groups import (
    channel_names,
    forecasts,
    series_feature_groups,
    stretch_name,
    stretches,
)
from glassbench_audits.attribution.token_words import Word, merged, named, piece_of, shaded, words_of
from glassbench_audits.attribution.values import spoken_class

AGE = Feature(name="age", columns=(3,), unit="years")
GAP = Feature(name="gap", columns=(0, 4))
JOB = Feature(name="job", kind="category", columns=(1, 2), categories=("cook", "smith"))


def schema_of(modality: str = "table", features: tuple[Feature, ...] = (), facts: object = None, **target: object) -> Schema:
    given = {"name": "y", "kind": "value", **target}
    return Schema(modality=modality, shape=(None,), target=Target(**given), features=features, facts=facts)


def test_columns_belong_to_their_feature_and_unclaimed_ones_to_a_group_of_their_own() -> None:
    schema = schema_of(features=(AGE, Feature(name="unseen"), GAP, JOB))
    found = feature_groups_of(schema, (7,))
    assert found.mask.tolist() == [1, 2, 2, 0, 1, 3, 3]
    assert (found.names, len(found)) == (("age", "gap", "job", "other inputs"), 4)
    assert (found.features[3].columns, found.features[3].categorical) == ((5, 6), True)
    whole = feature_groups_of(schema, (2, 5))
    assert (whole.mask.tolist(), whole.names) == ([[1, 2, 2, 0, 1]] * 2, ("age", "gap", "job"))
    assert found.numeric().tolist() == [True, False, False, True, False, False, False]
    assert whole.numeric().tolist() == [[True, False, False, True, False]] * 2


@pytest.mark.parametrize("shape", [(4,), (2, 3)])
def test_elements_without_names_are_groups_of_their_own(shape: tuple[int, ...]) -> None:
    for features in ((), (Feature(name="unseen"),), (Feature(name="far", columns=(shape[-1],)),)):
        found = feature_groups_of(schema_of(features=features), shape)
        assert found.mask.tolist() == torch.arange(int(np.prod(shape))).reshape(shape).tolist()
        assert (found.features, found.names) == ((), ())
        assert found.numeric().all()
    assert feature_groups_of(schema_of(features=(AGE,)), ()).mask.tolist() == 0
    assert len(FeatureGroups(mask=torch.empty(0, dtype=torch.int64))) == 0


def test_attributions_are_summed_over_a_group_or_read_where_each_element_carries_its_groups() -> None:
    groups = FeatureGroups(mask=torch.tensor([[1, 0], [2, 1]]))
    each = torch.tensor([[[1.0, 2.0], [4.0, 8.0]], [[0.0, -1.0], [3.0, 5.0]]], requires_grad=True)
    assert groups.summed(each).tolist() == [[2, 9, 4], [-1, 5, 3]]
    assert groups.shared(each).tolist() == [[2, 1, 4], [-1, 0, 3]]
    assert (groups.summed(each).dtype, groups.shared(each).dtype) == (np.float64, np.float64)


def test_each_modality_has_its_groups_where_its_rows_have_their_axes() -> None:
    speech = schema_of("audio", facts=AudioFacts(rate=8))
    assert feature_groups_for(speech, (16,)).names[:2] == ("0.000 to 0.125 s", "0.125 to 0.250 s")
    assert feature_groups_for(speech, (2, 8)).names == ()
    assert feature_groups_for(schema_of("image"), (1, 2, 2)).names[3] == "row 2, column 2"
    assert feature_groups_for(schema_of("observation"), (1, 2, 2)).names[1] == "row 1, column 2"
    assert feature_groups_for(schema_of("observation", features=(AGE,)), (4,)).names == ("age", "other inputs")
    assert feature_groups_for(schema_of("image"), (2, 2)).names == ()
    assert feature_groups_for(schema_of("series"), (2, 1)).names == ("channel 1, step 1", "channel 1, step 2")
    assert feature_groups_for(schema_of("series"), (3,)).names == ()
    assert feature_groups_for(schema_of(features=(AGE,)), torch.Size([4])).names == ("age", "other inputs")


def test_patches_lie_in_rows_and_columns_from_the_top_left() -> None:
    found = image_feature_groups(schema_of("image"), (2, 3, 12))
    assert patch_edges(12) == [0, 2, 3, 4, 6, 8, 9, 10, 12]  # halves are rounded to the even number
    row = [0, 0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 7]
    assert found.mask.tolist() == [[[patch + 8 * down for patch in row] for down in range(3)]] * 2
    assert found.names[:3] == ("row 1, columns 1 to 2", "row 1, column 3", "row 1, column 4")
    assert (found.names[8 + 3], len(found.names), len(found)) == ("row 2, columns 5 to 6", 24, 24)
    assert image_feature_groups(schema_of("image"), (1, 16, 8)).names[9] == "rows 3 to 4, column 2"


THIRDS = ["upper"] * 3 + [""] * 2 + ["lower"] * 3, ["left"] * 3 + [""] * 2 + ["right"] * 3
"""Of eight rows (or columns), the middles of three lie in the first third, of two in the second, of three in the last."""


@pytest.mark.parametrize("patch", range(64))
def test_places_are_thirds_of_the_picture(patch: int) -> None:
    words = [part for part in (THIRDS[0][patch // 8], THIRDS[1][patch % 8]) if part]
    expected = "the middle" if not words else f"the {' '.join(words)}" + (" part" if len(words) == 1 else "")
    assert place_words((3, 64, 80), [patch]) == expected


def test_places_of_pictures_that_are_not_square() -> None:
    """Two rows of three patches: the middle column is in the middle, a row is in the upper or the lower part."""
    told = [place_words((1, 2, 3), [patch]) for patch in range(6)]
    assert told == [
        f"the {side}" for side in ("upper left", "upper part", "upper right", "lower left", "lower part", "lower right")
    ]
    assert place_words((1, 2, 3), [1, 4]) == "the middle"
    assert (place_words((1, 8, 8), [0, 63]), place_words((1, 8, 8), [0, 7])) == ("the middle", "the upper part")
    assert place_words((1, 2, 3), [0, 3]) == "the left part"


def test_stretches_of_a_clip_are_named_by_when_they_are() -> None:
    clip = audio_feature_groups(schema_of("audio", facts=AudioFacts(rate=100)), (80,))
    assert stretch_edges(80).tolist() == [int(np.round(k * 2.5)) for k in range(33)]
    assert clip.mask.tolist() == [k for k in range(32) for _ in range(int(np.round((k + 1) * 2.5) - np.round(k * 2.5)))]
    assert (clip.names[0], clip.names[1], clip.names[31]) == ("0.000 to 0.020 s", "0.020 to 0.050 s", "0.780 to 0.800 s")
    bare = audio_feature_groups(schema_of("audio"), (3,))
    assert (bare.mask.tolist(), bare.names) == ([0, 1, 2], ("samples 1 to 1", "samples 2 to 2", "samples 3 to 3"))
    assert (rate_of(schema_of("audio", facts=AudioFacts(rate=16000))), rate_of(schema_of("audio"))) == (16000.0, None)


@pytest.mark.parametrize(
    ("steps", "channels", "count"),
    [(100, 1, 24), (100, 4, 24), (100, 5, 19), (100, 16, 6), (100, 50, 6), (5, 1, 5), (100, 0, 24)],
)
def test_stretches_of_a_series_are_as_many_as_can_be_asked(steps: int, channels: int, count: int) -> None:
    edges = stretches(steps, channels)
    assert (len(edges) - 1, edges[0], edges[-1]) == (count, 0, steps)
    assert set(np.diff(edges)) <= {steps // count, steps // count + 1}


def test_stretches_of_a_series_are_named_by_channel_and_step() -> None:
    features = (Feature(name="load", columns=(0,)), Feature(name="wind", columns=(1,)))
    found = series_feature_groups(schema_of("series", features), (30, 2))
    edges = stretches(30, 2)
    of_step = [sum(edge <= step for edge in edges[1:]) for step in range(30)]
    assert found.mask.tolist() == [[k, k + 24] for k in of_step]
    assert found.names[0] == f"load, {stretch_name(schema_of('series'), 30, edges[0], edges[1])}"
    assert (found.features[23].columns, found.features[24].columns, len(found.features)) == ((0,), (1,), 48)
    assert (found.names[23].split(",")[0], found.names[24].split(",")[0]) == ("load", "wind")
    assert channel_names(schema_of("series", features), 3) == ("channel 1", "channel 2", "channel 3")


def test_steps_before_a_forecast_are_counted_back_from_it() -> None:
    facts = SeriesFacts(mean=(0.0,), std=(1.0,))
    plain = schema_of("series", facts=facts)
    known = schema_of("series", facts=SeriesFacts(mean=(0.0,), std=(1.0,), forecast=object.__new__(ForecastFacts)))
    assert (forecasts(known), forecasts(plain), forecasts(schema_of("series"))) == (True, False, False)
    assert (stretch_name(plain, 10, 0, 1), stretch_name(plain, 10, 2, 5)) == ("step 1", "steps 3 to 5")
    assert (stretch_name(known, 10, 9, 10), stretch_name(known, 10, 2, 5)) == ("step \u22121", "steps \u22128 to \u22126")


def test_pieces_of_a_word_are_read_as_one() -> None:
    pieces = [
        Piece(text=" un", word=0, position=1),
        Piece(text="do", word=0, position=2),
        Piece(text=" it", word=1, position=None),
    ]
    words = merged(pieces)
    assert words == [Word(text=" undo", positions=(1, 2)), Word(text=" it", positions=())]
    assert [word.summed(np.array([9.0, 1.0, 2.5])) for word in words] == [3.5, None]
    assert [(one.text, one.contribution) for one in shaded(words, np.array([9.0, 1.0, 2.5]))] == [(" undo", 3.5), (" it", None)]


@pytest.mark.parametrize(
    ("text", "plain", "shown"),
    [
        (' "Hello!" ', "hello", '"Hello!"'),
        (" ,", ",", ","),
        (" \n\t", "␣⏎⇥", "␣⏎⇥"),
        ("", "∅", "∅"),
        ("\u2003", "\u2003", "\u2003"),
        (" [It's]", "it's", "[It's]"),
    ],
)
def test_words_are_compared_without_the_marks_around_them(text: str, plain: str, shown: str) -> None:
    assert (Word(text=text, positions=()).plain, Word(text=text, positions=()).shown) == (plain, shown)


def test_tokens_are_named_by_the_vocabulary_and_padding_is_left_out() -> None:
    facts = TextFacts(padding=0, vocabulary=("[pad]", "a", "b"), piece="atom")
    row = torch.tensor([1, 0, 2, 7])
    text = schema_of("text", facts=facts)
    assert [(word.text, word.positions) for word in named(text, row)] == [(" a", (0,)), (" b", (2,)), (" 7", (3,))]
    bare = schema_of("text", kind="class", classes=("x", "y"))
    assert [word.text for word in named(bare, row)] == [" y", " x", " 2", " 7"]
    short = schema_of("text", kind="class", classes=("x", "y"), facts=TextFacts(padding=1))
    assert [word.text for word in named(short, torch.tensor([0, 1, 2]))] == [" x", " 2"]
    assert (piece_of(text), piece_of(bare)) == ("atom", "word")


class Reader:
    """Says that each letter of a text is a piece and a word of its own."""

    text = "said"

    def encode(self, raw: pd.DataFrame) -> Split:
        raise NotImplementedError

    def pieces(self, raw: pd.DataFrame) -> list[tuple[Piece, ...]]:
        return [tuple(Piece(text=c, word=i, position=i) for i, c in enumerate(said)) for said in raw["said"]]


def test_words_are_those_of_the_raw_text_where_its_reader_is_known() -> None:
    tokens = torch.tensor([[1, 2], [2, 2]])
    raw = pd.DataFrame({"said": ["ab", "cd", "ef"]})

    def told(raw: pd.DataFrame | None, encoder: object) -> list[list[str]]:
        source = Split((torch.zeros(3, 2),), np.arange(3), raw=raw)
        schema = schema_of("text", facts=TextFacts(vocabulary=("", "x", "y")))
        subject = SimpleNamespace(predictions=SimpleNamespace(source=source), encoder=encoder, schema=schema)
        return [[word.text for word in row] for row in words_of(subject, [2, 0], tokens)]

    assert told(raw, Reader()) == [["e", "f"], ["a", "b"]]
    for lacking in ((None, Reader()), (raw, None), (raw.rename(columns={"said": "other"}), Reader())):
        assert told(*lacking) == [[" x", " y"], [" y", " y"]]


def kind(*notable: tuple[str, list[int]]) -> SimpleNamespace:
    return SimpleNamespace(
        notable_rows=lambda frame, schema: [SimpleNamespace(title=title, rows=np.array(rows)) for title, rows in notable],
        said=lambda value, schema: f"said {value}",
        said_with_certainty=lambda frame, position, schema: f"{frame['y_pred'].iloc[position]}, certain",
    )


def test_each_reason_gets_its_first_rows_that_no_other_reason_took() -> None:
    subject = SimpleNamespace(kind=kind(("sure", [4, 2, 9]), ("unsure", [2, 7, 4, 1]), ("wrong", [7])), schema=None)
    subject.predictions = SimpleNamespace(frame=None)
    told = [(one.position, one.title) for one in choose_cases(subject, 2)]
    assert told == [(4, "sure"), (2, "sure"), (7, "unsure"), (1, "unsure")]
    assert choose_cases(subject, 0) == ()


def case_of(attributions: list[float], features: tuple[Feature, ...], **more: object):
    given = {
        "raw": None,
        "own_units": False,
        "truth": "yes",
        "inputs": torch.tensor([[1.5, 0.0, 1.0, 40.0, 0.0]]),
        "reference": None,
    }
    given |= more
    frame = pd.DataFrame({"row": [10, 11], "y_pred": ["no", "yes"], "y_true": ["no", given["truth"]]})
    schema = SimpleNamespace(layout=LAYOUTS["observation" if given["own_units"] else "table"])
    predictions = SimpleNamespace(frame=frame, source=given.get("source", SimpleNamespace(raw=given["raw"])))
    subject = SimpleNamespace(kind=kind(), schema=schema, predictions=predictions)
    row = ExplainedRow(
        row=Rows(inputs=given["inputs"]),
        attributions=np.array(attributions),
        elements=np.zeros(5),
        output=1.23456,
        reference=given["reference"],
    )
    groups = FeatureGroups(mask=torch.arange(len(attributions)), features=features)
    return build_case(subject, groups, Chosen(position=1, title="why"), row)


def test_a_decision_is_told_with_its_largest_contributions_first() -> None:
    found = case_of([0.5, -2.0, 1.0], (AGE, JOB, GAP))
    assert (found.title, found.row, found.decision, found.truth) == ("why", "11", "yes, certain", "said yes")
    told = [(part.name, part.value, part.contribution) for part in found.parts]
    assert told == [("job", "smith", -2.0), ("gap", "1.5 (encoded)", 1.0), ("age", "40 (encoded)", 0.5)]
    assert found.note == "The explained output is 1.235 here."
    own = case_of([0.5, -2.0, 1.0], (AGE, JOB, GAP), own_units=True, reference=0.98765)
    assert [part.value for part in own.parts] == ["smith", "1.5", "40 years"]
    assert "and 0.9877 at the baseline; all contributions add up to -0.5." in own.note


def test_values_of_a_decision_are_raw_ones_where_they_are_known() -> None:
    raw = pd.DataFrame({"age": [1.0, 33.0], "job": ["smith", "cook"]})
    found = case_of([3.0, 2.0, 1.0], (AGE, JOB, GAP), raw=raw)
    assert [part.value for part in found.parts] == ["33 years", "cook", "1.5 (encoded)"]
    assert [part.value for part in case_of([3.0, 2.0], (Feature(name="patch"), AGE), source=None).parts] == ["", "40 (encoded)"]
    deep = case_of([3.0], (AGE,), inputs=torch.zeros(1, 2, 4))
    assert [part.value for part in deep.parts] == [""]
    assert case_of([1.0, 2.0], ()).parts == ()


@pytest.mark.parametrize("truth", [None, float("nan")])
def test_a_truth_that_is_not_known_is_not_told(truth: float | None) -> None:
    assert case_of([1.0], (AGE,), truth=truth).truth is None


@pytest.mark.parametrize(("units", "parts"), [(30, 30), (31, 30), (40, 30)])
def test_the_smallest_contributions_of_many_are_summed(units: int, parts: int) -> None:
    features = tuple(Feature(name=f"x{i}") for i in range(units))
    found = case_of([float(units - i) for i in range(units)], features).parts
    assert len(found) == parts
    assert sum(part.contribution for part in found) == units * (units + 1) / 2
    if units > 30:
        assert (found[-1].name, found[-1].value, found[-2].name) == (f"{units - 29} further inputs", "", "x28")


def test_directions_speak_of_the_positive_class_of_two() -> None:
    def spoken(outputs: int, **target: object) -> str | None:
        schema = schema_of(kind="class", **target)
        return spoken_class(SimpleNamespace(class_outputs=(None,) * outputs, schema=schema))

    assert spoken(1, classes=("a", "b")) == "b"
    assert spoken(1, classes=("a", "b"), positive="a") == "a"
    assert spoken(1, classes=("a", "b", "c")) is None
    assert spoken(2, classes=("a", "b")) is None
