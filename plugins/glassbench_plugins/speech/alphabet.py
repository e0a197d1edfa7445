"""The symbols of transcripts, and transcripts as their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from glassbench.errors import DataError, shorten

Spelling = Literal["characters", "words"]
BLANK = 0
"""The symbol that stands for no symbol (Graves et al. 2006); it also fills up shorter transcripts."""
_BLANK_NAME = "[blank]"


@dataclass(frozen=True, kw_only=True)
class Alphabet:
    """What transcripts are written with.

    Args:
        symbols: All symbols in the order of their numbers, the blank first.
        spelling: Whether a symbol is a character, the space between words among them, or a word.
    """

    symbols: tuple[str, ...]
    spelling: Spelling

    @classmethod
    def of(cls, transcripts: Sequence[str], spelling: Spelling) -> Self:
        """Return the alphabet of some transcripts, in alphabetical order."""
        found = {symbol for text in transcripts for symbol in split(text, spelling)}
        return cls(symbols=(_BLANK_NAME, *sorted(found)), spelling=spelling)

    def encode(self, transcripts: Sequence[str]) -> Tensor:
        """Return transcripts as numbers, long `(n, t)`, filled up with the blank.

        Raises:
            DataError: A symbol is not in the alphabet, or a transcript has none.
        """
        numbers = {symbol: place for place, symbol in enumerate(self.symbols)}
        parts = [split(text, self.spelling) for text in transcripts]
        unknown = sorted({symbol for part in parts for symbol in part} - set(numbers))
        if unknown:
            kind = self.spelling
            raise DataError(
                f"transcripts hold {kind} that no training transcript holds",
                got=shorten(unknown, 5),
                available=[repr(s) for s in self.symbols[1:]],
                fix="correct the transcripts, or divide the rows so that every symbol is learnt",
                where="dataset",
            )
        if not all(parts):
            raise DataError("a transcript is empty", got=f"row {parts.index([]) + 1}", where="dataset")
        encoded = torch.full((len(parts), max(map(len, parts), default=1)), BLANK)
        for row, part in enumerate(parts):
            encoded[row, : len(part)] = torch.tensor([numbers[symbol] for symbol in part])
        return encoded


def split(transcript: str, spelling: Spelling) -> list[str]:
    """Return the symbols of a transcript; runs of white space count as one space.

    Example:
        >>> split("two  one", "characters"), split("two  one", "words")
        (['t', 'w', 'o', ' ', 'o', 'n', 'e'], ['two', 'one'])
    """
    words = transcript.split()
    return words if spelling == "words" else list(" ".join(words))


def written(symbols: Sequence[str], spelling: Spelling) -> str:
    """Return the text of symbols, spaces at its ends left out.

    Example:
        >>> written(["o", "n", "e", " "], "characters"), written(["two", "one"], "words")
        ('one', 'two one')
    """
    return " ".join(("" if spelling == "characters" else " ").join(symbols).split())
