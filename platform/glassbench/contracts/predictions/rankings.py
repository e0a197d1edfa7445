"""Some items for each row, the best first: recommendation."""

import numpy as np
import pandas as pd

from glassbench.contracts.facts import CatalogueFacts, TextFacts
from glassbench.contracts.predictions.choices import in_order
from glassbench.contracts.predictions.classes import comparable
from glassbench.contracts.predictions.kind import Agreement, PredictionKind
from glassbench.contracts.predictions.outputs import BaselinePredictions, Losses, NotableRows, RankingOutput, RowErrors
from glassbench.contracts.predictions.ranked_lists import Ranked, decoded_items, encoded_items, found_at, item_codes
from glassbench.contracts.schema import Schema

_SAID = 3


class Rankings(PredictionKind):
    """A list of items for each row, the best first.

    `y_pred` and `y_true` hold items as text (`encoded_items`): those recommended in order, and those that proved relevant. Where
    it is known, `seen` holds the items of the user's past, which are not recommended again.

    Args:
        places: How many places of a list count.
    """

    name = "rankings"
    softmax = True
    truth_axes = 2
    compared_rows = 500

    def __init__(self, *, places: int = 10) -> None:
        self.places = places

    def check(self, frame: pd.DataFrame, schema: Schema) -> None:
        """Raise `DataError` where predictions are no lists of items."""
        super().check(frame, schema)
        for column in ("y_pred", "y_true", "seen"):
            for text in frame[column].dropna() if column in frame else ():
                decoded_items(str(text))

    def decided_words(self, schema: Schema) -> str:
        """Return what is ranked for whom."""
        return f"recommends {self.places} of {len(schema.target.classes):,} items to each user"

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return 1 minus each row's NDCG; None where a truth is not known."""
        size = self._shortfall(frame)
        words = f"mean shortfall (1 minus NDCG@{self.places})"
        return None if size is None else RowErrors(size=size, binary=False, words=words, measure="shortfall")

    def remedy(self, schema: Schema) -> str:
        """Return that the training choices of a group can weigh more."""
        return "train with more of their choices, or give these more weight"

    def changes(self, before: pd.DataFrame, after: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return the share of each row's recommended items that are no longer recommended."""
        both = Ranked(before.assign(y_true=after["y_pred"]), self.places)
        kept = found_at(both.ranked, both.relevant[:, : self.places]).sum(axis=1)
        size = 1 - kept / np.maximum((both.ranked >= 0).sum(axis=1), 1)
        return RowErrors(size=size, binary=False, words="share of recommended items changed", measure="changed")

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return each row's shortfall beside that of recommending what is relevant most often."""
        size, guess = self._shortfall(frame), self.baseline(frame, schema, None)
        guessed = None if guess is None else self._shortfall(guess.frame)
        return None if size is None or guessed is None else comparable(size, guessed)

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return the summed NDCG of the lists against truths put into an order."""
        lists = Ranked(frame, self.places)
        return lambda order: float(lists.ndcg(order).sum())

    def ranking_output(self, frame: pd.DataFrame, schema: Schema) -> RankingOutput | None:
        """Return the lists by numbers of items, with what is known of items; None where the items are not known."""
        facts, items = _catalogue(schema), schema.target.classes
        if facts is None or not items:
            return None
        columns = {name: frame[name].fillna("[]").astype(str).tolist() for name in ("y_pred", "y_true", "seen") if name in frame}
        codes = {name: item_codes(texts, items) for name, texts in columns.items()}
        return RankingOutput(
            items=items,
            recommended=codes["y_pred"][:, : self.places],
            relevant=codes.get("y_true"),
            seen=codes.get("seen"),
            popularity=np.array(facts.popularity, dtype=np.int64),
            groups={name: np.array(groups, dtype=object) for name, groups in facts.groups.items()},
        )

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return the most popular items that each row has not seen: of all training interactions, else of the truths."""
        order = self._by_popularity(frame, schema, learnt)
        seen = frame["seen"].fillna("[]").astype(str) if "seen" in frame else ["[]"] * len(frame)
        lists = [encoded_items(_first(order, set(decoded_items(text)), self.places)) for text in seen]
        return BaselinePredictions(frame=frame.assign(y_pred=lists), words="recommending the most popular items")

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the rows with the best and the worst list."""
        size = self._shortfall(frame)
        if size is None:
            return ()
        return (
            NotableRows(title="the recommendations nearest to what was chosen", rows=in_order(size)),
            NotableRows(title="recommendations far from what was chosen", rows=in_order(-size)),
        )

    def said(self, value: object, schema: Schema) -> str:
        """Return the first items of a list, and how many follow."""
        names = decoded_items(str(value))
        more = f" and {len(names) - _SAID} more" if len(names) > _SAID else ""
        return f"{', '.join(names[:_SAID])}{more}" if names else "no item"

    def attribution_words(self, schema: Schema) -> str:
        """Return that the first item is explained."""
        return "the log-odds of the item recommended first, against all other items"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return None: rows speak of different items."""
        return None

    def _shortfall(self, frame: pd.DataFrame) -> np.ndarray | None:
        if "y_true" not in frame or frame["y_true"].isna().any():
            return None
        size = 1 - Ranked(frame, self.places).ndcg()
        return size if np.isfinite(size).all() else None

    def _by_popularity(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> list[str]:
        """Return all known items, the most popular first; equals stay in the catalogue's order."""
        facts, items = _catalogue(schema), schema.target.classes
        if facts is not None:
            counts = np.array(facts.popularity)
        elif learnt is not None and items:
            known = learnt[learnt >= 0].astype(np.int64)
            counts = np.bincount(known, minlength=len(items))
        else:
            both = Ranked(frame, self.places)
            items, known = both.items, both.relevant[both.relevant >= 0]
            counts = np.bincount(known, minlength=len(items))
        return [items[place] for place in np.argsort(-counts, kind="stable")]


def _first(order: list[str], seen: set[str], places: int) -> list[str]:
    found: list[str] = []
    for name in order:
        if name not in seen:
            found.append(name)
        if len(found) == places:
            break
    return found


def _catalogue(schema: Schema) -> CatalogueFacts | None:
    facts = schema.facts_of(TextFacts)
    return None if facts is None else facts.catalogue
