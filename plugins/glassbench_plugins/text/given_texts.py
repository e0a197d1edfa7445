"""Texts given from Python."""

from typing import Any

import pandas as pd

from glassbench.errors import DataError, shorten

_SHOWN = 5


def texts_of(X: Any, what: str) -> list[str]:
    """Return texts from a list, a Series, or the column `text` of a frame.

    Raises:
        DataError: There is no such column, there are no texts, or something is no text.
    """
    if not hasattr(X, "__len__") or isinstance(X, str | bytes):
        raise DataError(
            "rows are a list, a Series or a frame", got=type(X).__name__, fix=f"give several texts: {what}=[..., ...]"
        )
    if isinstance(X, pd.DataFrame):
        if "text" not in X.columns:
            available = [str(name) for name in X.columns]
            raise DataError(f"{what} has no column 'text'", available=available, fix="rename the column of texts to 'text'")
        X = X["text"]
    texts = list(X)
    if not texts:
        raise DataError(
            "there are no rows to audit" if what == "X" else f"{what} holds no texts", got=f"{type(X).__name__} of length 0"
        )
    strange = [place for place, text in enumerate(texts) if not isinstance(text, str)]
    if strange:
        raise DataError(
            f"{what} holds what is no text",
            got=f"{type(texts[strange[0]]).__name__} in {len(strange)} of {len(texts)} rows",
            where=f"row {shorten([str(row) for row in strange], _SHOWN)} (the first is row 0)",
            fix="a model with a tokenizer reads texts as they are, not their tokens: give strings",
        )
    return texts
