"""The pieces of a text as a model reads them, and the encoders that know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of a text as a model reads it.

    Args:
        text: The piece as a person reads it, with the space before it where there is one; all pieces joined are the text.
        word: Number of the word it belongs to; readers see the pieces of a word as one.
        position: Its place among the row's tokens; None where the model does not read it, beyond the context.
    """

    text: str
    word: int
    position: int | None


@runtime_checkable
class TextReader(Protocol):
    """An encoder of texts that can say which piece of a text stands at which token.

    Attributes:
        text: The raw column that holds the text.
    """

    text: str

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw rows, as `Encoder` does."""
        ...

    def pieces(self, raw: pd.DataFrame) -> list[tuple[Piece, ...]]:
        """Return the pieces of each raw row's text in reading order."""
        ...


@runtime_checkable
class TokenDecoder(Protocol):
    """An encoder of running text that can say which text tokens stand for."""

    def decode(self, numbers: list[int]) -> str:
        """Return the text of tokens that stand side by side."""
        ...


@runtime_checkable
class RowDrawer(Protocol):
    """An encoder of texts that stand for something that can be drawn, such as molecules."""

    def drawn(self, raw: pd.DataFrame, contributions: np.ndarray) -> str | None:
        """Return one raw row with the contribution of each token `(l,)` as a PNG in base64; None where it cannot be drawn."""
        ...


@runtime_checkable
class AnswerReader(Protocol):
    """An encoder that can say which piece of a written answer each of its tokens is."""

    def answer_pieces(self, tokens: Sequence[int]) -> tuple[Piece, ...]:
        """Return the pieces of an answer's tokens, one each; their positions are places among the tokens."""
        ...
