"""A text as a person reads it: the pieces a model saw, merged back to words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.exhibits import Token
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.schema import Schema
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_pieces import Piece, TextReader

_BLANKS = {" ": "␣", "\n": "⏎", "\t": "⇥"}
_EDGES = " \t\n.,;:!?\"'()[]{}"


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a text.

    Args:
        text: As it is written, with the space before it where there is one.
        positions: Its tokens in the row; empty where the model does not read it.
    """

    text: str
    positions: tuple[int, ...]

    @property
    def plain(self) -> str:
        """The word in small letters, without blanks and marks around it; a mark alone stays, a blank is made visible."""
        return self.text.strip(_EDGES).lower() or self.shown

    @property
    def shown(self) -> str:
        """The word without blanks around it; blanks alone are made visible."""
        return self.text.strip() or "".join(_BLANKS.get(blank, blank) for blank in self.text) or "∅"

    def summed(self, attributions: np.ndarray) -> float | None:
        """Return its share of attributions per token `(l,)`, or None where it is not read."""
        return float(attributions[list(self.positions)].sum()) if self.positions else None


def words_of(subject: Subject, positions: Sequence[int], tokens: Tensor) -> list[list[Word]]:
    """Return the words of each row.

    Args:
        subject: Gives the raw texts and the encoder that knows their pieces; without them tokens are named by the vocabulary.
        positions: Positions of the rows among the predictions `(n,)`.
        tokens: The rows as the model saw them, long `(n, l)`.
    """
    source, reader = subject.predictions.source, subject.encoder
    if isinstance(reader, TextReader) and isinstance(source, Split) and source.raw is not None and reader.text in source.raw:
        return [merged(pieces) for pieces in reader.pieces(source.raw.iloc[list(positions)])]
    return [named(subject.schema, row) for row in tokens]


def merged(pieces: Sequence[Piece]) -> list[Word]:
    """Return the words that pieces in reading order make up."""
    runs = [list(run) for _, run in groupby(pieces, key=lambda piece: piece.word)]
    return [
        Word(text="".join(p.text for p in run), positions=tuple(p.position for p in run if p.position is not None))
        for run in runs
    ]


def named(schema: Schema, row: Tensor) -> list[Word]:
    """Return the tokens of a row `(l,)` by their names in the vocabulary, padding left out."""
    facts = schema.facts_of(TextFacts)
    names = (facts.vocabulary if facts else ()) or schema.target.classes
    return [
        Word(text=f" {names[int(t)] if int(t) < len(names) else int(t)}", positions=(place,))
        for place, t in enumerate(row)
        if facts is None or int(t) != facts.padding
    ]


def piece_of(schema: Schema) -> str:
    """Return what a reader calls one piece of a row, in the singular."""
    return (schema.facts_of(TextFacts) or TextFacts()).piece


def shaded(words: Sequence[Word], attributions: np.ndarray) -> tuple[Token, ...]:
    """Return a text with the contribution of each word, from attributions per token `(l,)`."""
    return tuple(Token(text=word.text, contribution=word.summed(attributions)) for word in words)
