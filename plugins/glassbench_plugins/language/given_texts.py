"""Texts given to `glassbench.audit` with a language model, as rows of tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, NoReturn

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.errors import DataError, RunError, shorten
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.text.vocabulary import padded

_SHOWN = 5


class TextRows(NamedTuple):
    """Rows of tokens, and which text each is of `(n,)`."""

    split: Split
    text: np.ndarray


def rows_of_texts(texts: Sequence[str], encoder: LanguageEncoder, before: Sequence[int], what: str) -> TextRows:
    """Return texts as rows of up to `context` tokens that are read and as many that are predicted, one place further.

    A text that is longer goes on in further rows; each of its tokens is predicted once, the first one only after tokens that
    stand before each row.

    Args:
        texts: The texts.
        encoder: Says the tokens and the context.
        before: Tokens that the tokenizer puts before a text; they stand before each row.
        what: What the texts are called in messages.

    Raises:
        DataError: A text has no token to predict.
    """
    padding = encoder.vocabulary.padding_number
    rows: list[list[int]] = []
    places: list[int] = []
    for place, found in enumerate(encoder.vocabulary.tokenizer.encode_batch(list(texts))):
        kept = [row for row in _cut(found.ids, before, encoder.context) if any(token != padding for token in row[1:])]
        rows += kept
        places += [place] * len(kept)
    without = sorted(set(range(len(texts))) - set(places))
    if without:
        raise DataError(
            f"{what} holds texts without a token to predict: a text needs two at least, one to read and one to predict",
            got=f"{len(without)} of {len(texts)} texts, such as {texts[without[0]][:40]!r}",
            where=f"row {shorten([str(row) for row in without], _SHOWN)} (the first is row 0)",
            fix="leave empty and one-word texts out",
        )
    table = padded(rows, encoder.context + 1, padding)
    split = encoder.split(table, np.arange(len(table)), pd.Series([None] * len(table), dtype=object))
    assert split.raw is not None
    first = [len(encoder.decode(row[:1])) for row in rows]
    characters = split.raw["text"].str.len().to_numpy() - np.array(first)
    return TextRows(replace(split, raw=split.raw.assign(characters=characters)), np.array(places))


def _cut(tokens: list[int], before: Sequence[int], context: int) -> Iterator[list[int]]:
    room = context + 1 - len(before)
    seen = 0 if before else 1  # without anything before it, the first token of a row is read and not predicted
    for start in range(0, len(tokens) - seen, room - seen):
        yield [*before, *tokens[start : start + room]]


def given_texts(
    seed: int,
    *,
    texts: int = 0,
    rows: int = 0,
    context: int = 0,
    sensitive: tuple[str, ...] = (),
    held_out: bool | None = None,
) -> NoReturn:
    """Refuse: texts given from Python are not stored.

    Args:
        seed: Unused.
        texts: How many there were.
        rows: Rows of tokens that they were cut into.
        context: Tokens of a row.
        sensitive: What they were audited by.
        held_out: Whether the model learnt nothing from them, as the caller said; None where not said.

    Raises:
        RunError: Always.
    """
    fix = "call glassbench.audit(model, texts, ...) again; reports, figures and predictions of this run can be read as they are"
    raise RunError("the texts are external and are not stored", fix=fix)
