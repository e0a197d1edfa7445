"""From raw text to windows of tokens, and from tokens back to text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.schema import MISSING
from glassbench.contracts.text_pieces import Piece
from glassbench.errors import DataError
from glassbench_plugins.text.encoder import as_texts
from glassbench_plugins.text.vocabulary import PADDING, UNKNOWN, Vocabulary, padded


@dataclass(frozen=True, kw_only=True)
class LanguageEncoder:
    """Encodes texts as the tokens a model reads and, one place further, those it predicts.

    A raw row has a column `text`; where it also has `tokens` (numbers with blanks between), these are what is read, since the
    ends of a window need not be where its text alone would be cut. A text that is too short is filled up with padding, which
    is not predicted; of one that is too long the first tokens are read.

    Args:
        vocabulary: The tokens.
        context: Tokens of a window.
        by: What a window's source is called, or None.
    """

    text: ClassVar[str] = "text"
    vocabulary: Vocabulary
    context: int
    by: str | None = None

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw texts.

        Raises:
            DataError: There is no column `text`, or a text is too short to predict anything of it.
        """
        if self.text not in raw.columns:
            raise DataError("the rows lack a column 'text'", available=[str(name) for name in raw.columns])
        numbers = self._numbers(raw)
        short = [str(raw.index[i]) for i, found in enumerate(numbers) if len(found) < 2]
        if short:
            raise DataError("a text needs two tokens at least: one to read, one to predict", where=f"row {short[0]}")
        unique = raw.index.is_unique and pd.api.types.is_integer_dtype(raw.index)
        named = raw[self.by] if self.by in raw.columns else pd.Series([None] * len(raw), dtype=object)
        rows = raw.index.to_numpy() if unique else np.arange(len(raw))
        return self.split(
            padded(numbers, self.context + 1, self.vocabulary.padding_number), rows, named, as_texts(raw[self.text])
        )

    def split(self, table: Tensor, rows: np.ndarray, source: pd.Series, texts: list[str] | None = None) -> Split:
        """Return windows as a split.

        Args:
            table: Tokens, those read and one more, long `(n, context + 1)`.
            rows: Row ids `(n,)`.
            source: Where each is from `(n,)`.
            texts: Their texts, or None to decode them.
        """
        padding = self.vocabulary.padding_number
        written = [" ".join(str(t) for t in row if t != padding) for row in table.tolist()]
        known = texts if texts is not None else [self.decode(row) for row in table.tolist()]
        groups = pd.DataFrame({self.by: source.fillna(MISSING).astype(str).to_numpy()}) if self.by else None
        raw = pd.DataFrame({"text": known, "tokens": written})
        return Split(
            inputs=(table[:, :-1].contiguous(),),
            target=table[:, 1:].contiguous(),
            rows=rows,
            groups=groups,
            raw=raw if groups is None else pd.concat([raw, groups], axis=1),
        )

    def pieces(self, raw: pd.DataFrame) -> list[tuple[Piece, ...]]:
        """Return the tokens each raw row is read as, in order, each a word of its own."""
        return [
            tuple(Piece(text=self.decode([t]), word=i, position=i) for i, t in enumerate(found[: self.context]))
            for found in self._numbers(raw)
        ]

    def decode(self, numbers: list[int]) -> str:
        """Return the text of token numbers."""
        return self.vocabulary.decode(numbers)

    def prompt(self, text: str) -> Tensor:
        """Return a prompt's tokens `(n,)`, with everything the vocabulary must know checked.

        Raises:
            DataError: The prompt is empty, or holds what the model has never seen.
        """
        if not text:
            raise DataError("the prompt is empty", fix="give some text to go on from")
        if strange := self.vocabulary.unknown(text):
            raise DataError(
                "the prompt holds what the training text does not have",
                got=", ".join(repr(part) for part in strange[:10]),
                available=[repr(token) for token in self.vocabulary.tokens[2:]],
            )
        return torch.tensor(self.vocabulary.numbers([text])[0])

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        vocabulary = self.vocabulary
        numbers = {"padding": vocabulary.padding_number, "unknown": vocabulary.unknown_number, "tokenizer": vocabulary.origin}
        return {"vocabulary": vocabulary.to_json(), **numbers, "context": self.context, "by": self.by}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        vocabulary = Vocabulary.from_json(
            content["vocabulary"],
            padding=content.get("padding", PADDING),
            unknown=content.get("unknown", UNKNOWN),
            origin=content.get("tokenizer", ""),
        )
        return cls(vocabulary=vocabulary, context=content["context"], by=content["by"])

    def _numbers(self, raw: pd.DataFrame) -> list[list[int]]:
        if "tokens" in raw.columns:
            return [[int(t) for t in str(row).split()] for row in raw["tokens"]]
        return self.vocabulary.numbers(as_texts(raw[self.text]))
