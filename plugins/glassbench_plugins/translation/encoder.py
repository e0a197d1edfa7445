"""From raw pairs of texts to what a model was trained on, and from tokens back to text."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.text_pieces import Piece
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.groups import GroupCode, groups_of
from glassbench_plugins.text.encoder import as_texts
from glassbench_plugins.text.vocabulary import PADDING, Vocabulary, padded

END = 2
"""The token that ends an answer, and stands before its first."""


@dataclass(frozen=True, kw_only=True)
class PairEncoder:
    """Encodes sources and answers with the vocabularies of the training pairs alone.

    A text shorter than its context is filled up with padding at its end, and of a longer source the first tokens are read. An
    answer ends in a token of its own; of one that is too long the first tokens are learnt, without the end.

    Args:
        text: The column that holds the source.
        answer: The column that holds the answer; where it is absent, or a row has none, there is no truth.
        vocabulary: The source's tokens.
        answer_vocabulary: The answer's tokens; number 2 ends an answer.
        context: Tokens per source.
        answer_context: Tokens per answer, its end counted.
        sensitive: How sensitive features are read.
        cells: How raw cells of sensitive features read.
    """

    text: str
    answer: str
    vocabulary: Vocabulary
    answer_vocabulary: Vocabulary
    context: int
    answer_context: int
    sensitive: tuple[GroupCode, ...] = ()
    cells: Cells = field(default_factory=Cells)

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw pairs, or sources alone; the truth comes along when every row has it.

        Raises:
            DataError: There is no column of sources.
        """
        if self.text not in raw.columns:
            raise DataError(f"the rows lack the column '{self.text}'", available=[str(name) for name in raw.columns])
        sources, target = as_texts(raw[self.text]), self._target(raw)
        unique = raw.index.is_unique and pd.api.types.is_integer_dtype(raw.index)
        known = target if target is not None else torch.full((len(raw), self.answer_context), PADDING)
        return Split(
            inputs=(padded(self.vocabulary.numbers(sources), self.context), shifted(known)),
            rows=raw.index.to_numpy() if unique else np.arange(len(raw)),
            target=target,
            groups=groups_of(self.sensitive, raw, self.cells),
            raw=self._read(raw.reset_index(drop=True), sources, target is not None),
        )

    def pieces(self, raw: pd.DataFrame) -> list[tuple[Piece, ...]]:
        """Return the pieces of each source in reading order."""
        return [self.vocabulary.pieces(text, self.context) for text in as_texts(raw[self.text])]

    def answer_pieces(self, tokens: Sequence[int]) -> tuple[Piece, ...]:
        """Return the pieces of an answer's tokens, one each."""
        return self.answer_vocabulary.answer(tokens)

    def prompt(self, text: str) -> Tensor:
        """Return a source's tokens `(1, context)`.

        Raises:
            DataError: It is empty, or longer than the context.
        """
        if not text.strip():
            raise DataError("the prompt is empty", fix="give a text to answer")
        (numbers,) = self.vocabulary.numbers([text])
        if len(numbers) > self.context:
            got = f"{len(numbers)} tokens, at most {self.context}"
            raise DataError("the prompt is longer than what the model reads", got=got, fix="give a shorter text")
        return padded([numbers], self.context)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        vocabularies = {name: getattr(self, name).to_json() for name in ("vocabulary", "answer_vocabulary")}
        plain = {name: getattr(self, name) for name in ("text", "answer", "context", "answer_context")}
        return {**plain, **vocabularies, "sensitive": [asdict(code) for code in self.sensitive], "cells": self.cells.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        vocabularies = {name: Vocabulary.from_json(content[name]) for name in ("vocabulary", "answer_vocabulary")}
        sensitive = tuple(GroupCode(**{**c, "bins": c["bins"] and tuple(c["bins"])}) for c in content["sensitive"])
        cells = Cells.from_json(content["cells"])
        return cls(**{**content, **vocabularies, "sensitive": sensitive, "cells": cells})

    def _target(self, raw: pd.DataFrame) -> Tensor | None:
        if self.answer not in raw.columns:
            return None
        texts = as_texts(raw[self.answer])
        if not all(text.strip() for text in texts):
            return None
        return padded([[*numbers, END] for numbers in self.answer_vocabulary.numbers(texts)], self.answer_context)

    def _read(self, raw: pd.DataFrame, sources: Sequence[str], known: bool) -> pd.DataFrame:
        columns: dict[str, Any] = {self.text: sources}
        if known:
            columns[self.answer] = as_texts(raw[self.answer])
        groups = {code.column: code.read(raw[code.column], self.cells) for code in self.sensitive if code.column in raw.columns}
        return pd.DataFrame(groups | columns)


def shifted(answers: Tensor) -> Tensor:
    """Return the tokens that stand before each of an answer's, long `(n, t)`: before the first stands the end.

    Example:
        >>> shifted(torch.tensor([[5, 6, 2, 0]])).tolist()
        [[2, 5, 6, 2]]
    """
    return torch.cat([torch.full_like(answers[:, :1], END), answers[:, :-1]], dim=1)
