"""Ranked items as text in predictions, as numbers, and how good a list is."""

import functools
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from glassbench.errors import DataError


def encoded_items(names: Sequence[str]) -> str:
    """Return items as JSON, the best first.

    Example:
        >>> encoded_items(["Heat", "Alien"])
        '["Heat", "Alien"]'
    """
    return json.dumps([str(name) for name in names], ensure_ascii=False)


@functools.lru_cache(maxsize=50_000)
def decoded_items(text: str) -> tuple[str, ...]:
    """Return the items that a text of `encoded_items` holds.

    Raises:
        DataError: The text holds no list of items, or an item twice.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(text) from error
    if not isinstance(content, list) or not all(isinstance(name, str) for name in content) or len(set(content)) < len(content):
        raise _unreadable(text)
    return tuple(content)


def item_codes(texts: Sequence[str], items: Sequence[str]) -> np.ndarray:
    """Return the place of each item of each list among `items`, int64 `(n, longest)`; -1 fills up and stands for others.

    Args:
        texts: Lists as `encoded_items` writes them.
        items: The items that have a place.
    """
    lists = [decoded_items(str(text)) for text in texts]
    codes = np.full((len(lists), max((len(each) for each in lists), default=0)), -1, dtype=np.int64)
    places = {name: place for place, name in enumerate(items)}
    for row, names in enumerate(lists):
        codes[row, : len(names)] = [places.get(name, -1) for name in names]
    return codes


def found_at(ranked: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return which places of each ranked list hold a relevant item, bool `(n, k)`.

    Args:
        ranked: Codes of ranked items `(n, k)`, -1 for none.
        relevant: Codes of relevant items `(n, m)`, -1 for none.
    """
    return np.asarray(((ranked[:, :, None] == relevant[:, None, :]) & (ranked >= 0)[:, :, None]).any(axis=2))


def ndcg(found: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return the normalised discounted cumulative gain of each list, float64 `(n,)`; NaN where no item is relevant.

    Gains are 1 or 0, discounts 1 / log2(1 + place) (Järvelin and Kekäläinen 2002). The best list of as many places has 1.

    Args:
        found: Which places hold a relevant item `(n, k)`.
        relevant: How many items are relevant `(n,)`.
    """
    discounts = 1 / np.log2(np.arange(2, found.shape[1] + 2))
    best = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(relevant, found.shape[1]).astype(int)]
    return np.where(relevant > 0, found @ discounts / np.where(best > 0, best, 1), np.nan)


class Ranked:
    """The lists of a frame of predictions as numbers.

    Args:
        frame: Predictions of rankings.
        places: How many places of each list count.

    Attributes:
        items: Every item that a list or a truth names.
        ranked: Codes of the ranked items, int64 `(n, places)`, -1 for none.
        relevant: Codes of the relevant items, int64 `(n, m)`, -1 for none.
    """

    def __init__(self, frame: pd.DataFrame, places: int) -> None:
        texts = [str(text) for column in ("y_pred", "y_true") if column in frame for text in frame[column]]
        self.items = tuple(dict.fromkeys(name for text in texts for name in decoded_items(text)))
        self.ranked = _cut(item_codes(frame["y_pred"].astype(str).tolist(), self.items), places)
        truths = frame["y_true"].astype(str).tolist() if "y_true" in frame else ["[]"] * len(frame)
        self.relevant = item_codes(truths, self.items)

    @property
    def counts(self) -> np.ndarray:
        """How many items are relevant to each row `(n,)`."""
        return np.asarray((self.relevant >= 0).sum(axis=1))

    def ndcg(self, order: np.ndarray | None = None) -> np.ndarray:
        """Return the gain of each list `(n,)`, the truths put into an order where one is given."""
        truths = self.relevant if order is None else self.relevant[order]
        return ndcg(found_at(self.ranked, truths), (truths >= 0).sum(axis=1))

    def recall(self) -> np.ndarray:
        """Return the share of each row's relevant items that are in its list `(n,)`; NaN where none is relevant."""
        hits = found_at(self.ranked, self.relevant).sum(axis=1)
        return np.where(self.counts > 0, hits / np.maximum(self.counts, 1), np.nan)


def _cut(codes: np.ndarray, places: int) -> np.ndarray:
    """Return the first places `(n, places)`, filled up with -1."""
    return np.pad(codes[:, :places], ((0, 0), (0, max(places - codes.shape[1], 0))), constant_values=-1)


def _unreadable(text: str) -> DataError:
    fix = 'write each list as JSON, the best item first: ["Heat", "Alien"]'
    return DataError("a ranking cannot be read", got=text[:60], fix=fix)
