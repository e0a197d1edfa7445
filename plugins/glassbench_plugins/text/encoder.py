"""From raw texts to what a model was trained on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.text_pieces import Piece
from glassbench.errors import DataError
from glassbench.toolkit.cells.value_labels import Labels as ValueLabels
from glassbench_plugins.text.labels import Labels
from glassbench_plugins.text.vocabulary import PADDING, UNKNOWN, Vocabulary


@dataclass(frozen=True, kw_only=True)
class TextEncoder:
    """Encodes texts with the vocabulary of the training texts alone, or with that of a tokenizer that others trained.

    A text shorter than the context is filled up with padding at its end, of a longer one the first tokens are read, and an
    empty one reads as a single unknown token.

    Args:
        text: The column that holds the text.
        vocabulary: Its tokens.
        context: Tokens per text.
        labels: How the target and the sensitive features are read.
        called: What values and columns of raw rows are called in all that stands above.
    """

    text: str
    vocabulary: Vocabulary
    context: int
    labels: Labels
    called: ValueLabels = field(default_factory=ValueLabels)

    def encode(self, raw: pd.DataFrame) -> Split:
        """Encode raw texts; the truth comes along when every row has it, groups where their columns are present.

        Raises:
            DataError: There is no column of texts, or a truth is no known class.
        """
        raw = self.called.apply(raw)
        if self.text not in raw.columns:
            columns = [str(name) for name in raw.columns]
            raise DataError(f"the rows lack the column of texts '{self.text}'", available=columns)
        texts = as_texts(raw[self.text])
        unique = raw.index.is_unique and pd.api.types.is_integer_dtype(raw.index)
        return Split(
            inputs=(self.vocabulary.table(texts, self.context),),
            rows=raw.index.to_numpy() if unique else np.arange(len(raw)),
            target=self.labels.truth(raw),
            groups=self.labels.groups(raw),
            raw=pd.DataFrame({self.text: texts, **self.labels.read(raw.reset_index(drop=True))}),
        )

    def pieces(self, raw: pd.DataFrame) -> list[tuple[Piece, ...]]:
        """Return the pieces of each text in reading order."""
        return [self.vocabulary.pieces(text, self.context) for text in as_texts(raw[self.text])]

    def preprocessing(self) -> dict[str, Any]:
        """Return which tokens are the inputs and what makes them, as `ExportedEncoder` says."""
        vocabulary = self.vocabulary
        return {
            "kind": "tokens",
            "dtype": "int64",
            "shape": [self.context],
            "vocabulary": len(vocabulary.tokens),
            "padding": vocabulary.padding_number,
            "unknown": vocabulary.unknown_number,
            "tokenizer": json.loads(vocabulary.to_json()),
        }

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        vocabulary, labels = self.vocabulary, self.labels.to_json()
        numbers = {"padding": vocabulary.padding_number, "unknown": vocabulary.unknown_number, "tokenizer": vocabulary.origin}
        return {
            "text": self.text,
            "context": self.context,
            "vocabulary": vocabulary.to_json(),
            **numbers,
            "labels": labels,
            "called": self.called.to_json(),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from `to_json`."""
        return cls(
            text=content["text"],
            context=content["context"],
            vocabulary=Vocabulary.from_json(
                content["vocabulary"],
                padding=content.get("padding", PADDING),
                unknown=content.get("unknown", UNKNOWN),
                origin=content.get("tokenizer", ""),
            ),
            labels=Labels.from_json(content["labels"]),
            called=ValueLabels.from_json(content["called"]),
        )


def as_texts(column: pd.Series) -> list[str]:
    """Return a column as texts; what is absent reads as an empty text."""
    return ["" if value is None or value != value else str(value) for value in column]
