"""What is known of the rows of one modality besides their shape: one frozen class for each modality that has such facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import TypeAdapter


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What models, tasks and audits must know of rows of one modality. A class of its own for each, JSON values only."""

    modality: ClassVar[str] = ""


@dataclass(frozen=True, kw_only=True)
class ImageFacts(Facts):
    """How pictures `(channels, height, width)` were standardised.

    Args:
        mean, std: What was subtracted from each channel and what it was divided by, pixels lying between 0 and 1.
    """

    modality: ClassVar[str] = "image"
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class AudioFacts(Facts):
    """How clips `(samples,)` were recorded.

    Args:
        rate: Samples per second.
        spelling: What the symbols of a transcript are, where the target is a sequence; None elsewhere.
    """

    modality: ClassVar[str] = "audio"
    rate: int
    spelling: Literal["words", "characters"] | None = None


@dataclass(frozen=True, kw_only=True)
class AnswerFacts:
    """How the answers to texts are written, where the target is a sequence.

    Args:
        context: Tokens of an answer at most, its end counted.
        end: Number of the token that ends an answer.
        spelling: What tokens are, and so how an answer is spelt from them.
    """

    context: int
    end: int
    spelling: Literal["pieces", "words", "characters"]


@dataclass(frozen=True, kw_only=True)
class CatalogueFacts:
    """The items that may be recommended, and what a row that leads to them is made of.

    A row is a line of tokens: the fields of the user (who, then features), the fields of the item where a row is about one, then
    the items of the user's history, oldest first, and padding.

    Args:
        items: The items by name, as `Target.classes` of a ranking orders them.
        tokens: Number of each item's own token, then those of its features.
        popularity: Interactions of each item among the training rows.
        groups: The group of each item, by item feature.
        user_fields: What the places at the start of a row tell of the user.
        item_fields: What those after them tell of the item; none where a row is a user and the answer a ranking.
    """

    items: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]
    popularity: tuple[int, ...]
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    user_fields: tuple[str, ...] = ("user",)
    item_fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TextFacts(Facts):
    """How texts became rows of whole numbers `(tokens,)`.

    Args:
        padding: Number of the token that fills short rows.
        unknown: Number of the token that stands for whatever the vocabulary does not know; None where there is none.
        vocabulary: Every token, by its number; empty where it is not known.
        tokenizer: Where the tokenizer is from, a folder or a name; None where the vocabulary was learnt from the training rows.
        column: The column of raw rows that holds the text; None where no text is kept.
        answers: How answers are written; None where the target is no sequence.
        piece: What a reader calls one piece of a row, in the singular: a word or a character of a text, an atom.
        catalogue: The items that may be recommended, where rows are users; None elsewhere.
    """

    modality: ClassVar[str] = "text"
    padding: int = 0
    unknown: int | None = None
    vocabulary: tuple[str, ...] = ()
    tokenizer: str | None = None
    column: str | None = None
    answers: AnswerFacts | None = None
    piece: str = "word"
    catalogue: CatalogueFacts | None = None


@dataclass(frozen=True, kw_only=True)
class ForecastFacts:
    """What is to be forecast of a series.

    Args:
        horizon: How many steps ahead.
        channel: The channel that predictions speak of.
        season: Steps after which the series repeats itself, those of a day; 1 where that is not known.
    """

    horizon: int
    channel: int
    season: int = 1


@dataclass(frozen=True, kw_only=True)
class SeriesFacts(Facts):
    """How series `(steps, channels)` were standardised and cut.

    Args:
        mean, std: What was subtracted from each channel and what it was divided by.
        step: How long a step is, in words ("hour", "15 minutes"); "step" where that is not known.
        forecast: What is to be forecast; None where nothing is.
    """

    modality: ClassVar[str] = "series"
    mean: tuple[float, ...]
    std: tuple[float, ...]
    step: str = "step"
    forecast: ForecastFacts | None = None


@dataclass(frozen=True, kw_only=True)
class ObservationFacts(Facts):
    """What an environment shows and takes.

    Args:
        outputs: How many preferences a policy gives: one per choice, or per dimension of a continuous action.
        continuous: Whether actions are numbers.
        pixels: Whether observations are pictures of bytes.
        normalize: Whether observations are to be standardised while learning.
        grid: Rows and columns of squares that an observation shows one after the other, as many numbers for each; None where it
            shows no grid.
    """

    modality: ClassVar[str] = "observation"
    outputs: int
    continuous: bool = False
    pixels: bool = False
    normalize: bool = False
    grid: tuple[int, int] | None = None


FACTS: Mapping[str, type[Facts]] = {
    kind.modality: kind for kind in (ImageFacts, AudioFacts, TextFacts, SeriesFacts, ObservationFacts)
}
"""The facts there are, by modality; a table has none."""


def facts_from_json(modality: str, content: Mapping[str, Any] | None) -> Facts | None:
    """Rebuild the facts of a modality from plain JSON values.

    Raises:
        ValueError: They are not facts of that modality.
    """
    if content is None:
        return None
    if modality not in FACTS:
        raise ValueError(f"rows of the modality '{modality}' have no facts")
    facts: Facts = TypeAdapter(FACTS[modality]).validate_json(json.dumps(content), strict=True)
    return facts
