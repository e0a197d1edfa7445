"""What rankings say of short lists, of rows with unequally many relevant items and of items that nobody named, by hand."""

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.facts import CatalogueFacts, TextFacts
from glassbench.contracts.predictions.outputs import BaselinePredictions, RankingOutput
from glassbench.contracts.predictions.ranked_lists import Ranked, encoded_items, item_codes
from glassbench.contracts.predictions.rankings import Rankings
from glassbench.contracts.schema import Schema, Target

ITEMS = tuple("abcdef")
TARGET = Target(name="chosen", kind="ranking", classes=ITEMS)
BARE = Schema(modality="text", shape=(4,), target=TARGET, unit="user")
POPULARITY = (1, 5, 5, 2, 0, 9)
KNOWN = Schema(
    modality="text", shape=(4,), target=TARGET, unit="user",
    facts=TextFacts(catalogue=CatalogueFacts(items=ITEMS, tokens=tuple((k,) for k in range(6)), popularity=POPULARITY,
                                             groups={"kind": tuple("xxyyzz")})),
)  # fmt: skip


def frame(**columns: list[str]) -> pd.DataFrame:
    lists = {name: [encoded_items(list(text)) for text in texts] for name, texts in columns.items()}
    return pd.DataFrame({"row": range(len(columns["y_pred"])), **lists})


FRAME = frame(y_pred=["abc", "fe", "", "dc"], y_true=["c", "abcd", "a", "d"], seen=["f", "", "fbcd", ""])


def guess(schema: Schema, learnt: np.ndarray | None = None, rows: pd.DataFrame = FRAME, places: int = 3) -> list[str]:
    found = Rankings(places=places).baseline(rows, schema, learnt)
    assert isinstance(found, BaselinePredictions)
    return found.frame["y_pred"].tolist()


def lists(*texts: str) -> list[str]:
    return [encoded_items(list(text)) for text in texts]


def test_what_is_popular_is_told_by_training_interactions_then_by_what_was_learnt_then_by_the_truths() -> None:
    """Of the catalogue f, b, c, d, a and e, of equals the one that stands first; of four learnt choices c twice, b and e once."""
    assert guess(KNOWN) == lists("bcd", "fbc", "ae", "fbc")
    learnt = np.array([[2, 4, -1], [2, -1, -1], [1, -1, -1]])
    assert guess(BARE, learnt) == lists("cbe", "cbe", "ea", "cbe")
    assert guess(KNOWN, learnt) == guess(KNOWN)


def test_without_training_rows_the_commonest_truths_are_popular() -> None:
    """a, c and d are chosen twice each, b once; c is named before d by the lists, a before either."""
    rows = FRAME.drop(columns="seen")
    assert (
        guess(Schema(modality="text", shape=(4,), target=Target(name="chosen", kind="ranking")), rows=rows)[0] == lists("acd")[0]
    )


def test_shortfalls_are_held_against_those_of_what_is_popular() -> None:
    """c at place 3 has a gain of 1/2; of four relevant items three could have been named; d is first."""
    kind, best = Rankings(places=3), 1 + 1 / np.log2(3) + 1 / 2
    losses = kind.losses(FRAME, KNOWN)
    assert losses is not None
    assert losses.predicted == pytest.approx([1 / 2, 1, 1, 0])
    assert losses.guessed == pytest.approx([1 - 1 / np.log2(3), 1 - (1 / np.log2(3) + 1 / 2) / best, 0, 1])
    rows = kind.notable_rows(FRAME, KNOWN)
    assert [one.rows.tolist() for one in rows] == [[3, 0, 1, 2], [1, 2, 0, 3]]


def test_agreement_is_the_gain_of_the_truths_in_the_order_given() -> None:
    """In another order row 0 is asked for abcd, row 1 for c, row 2 for d, row 3 for a."""
    agreement = Rankings(places=3).agreement(FRAME, KNOWN)
    assert agreement is not None
    assert agreement(np.arange(4)) == pytest.approx(1 / 2 + 1)
    assert agreement(np.array([1, 0, 3, 2])) == pytest.approx(1.0)


def test_recall_is_the_share_of_all_relevant_items_and_of_none_it_is_undefined() -> None:
    ranked = Ranked(frame(y_pred=["ab", "ab", "ab"], y_true=["acd", "", "ab"]), 1)
    assert ranked.recall()[[0, 2]] == pytest.approx([1 / 3, 1 / 2])
    assert np.isnan(ranked.recall()[1])
    assert np.isnan(ranked.ndcg()[1])
    assert ranked.counts.tolist() == [3, 0, 2]


def test_changes_are_of_the_places_that_count_in_both_lists() -> None:
    before, after = frame(y_pred=["abc", "ab"]), frame(y_pred=["cab", "dca"])
    moved = Rankings(places=2).changes(before, after, KNOWN)
    assert moved is not None
    assert moved.size == pytest.approx([1 / 2, 1])


def test_what_audits_see_of_lists_are_places_in_the_catalogue() -> None:
    found = Rankings(places=2).ranking_output(FRAME, KNOWN)
    assert isinstance(found, RankingOutput)
    assert found.recommended.tolist() == [[0, 1], [5, 4], [-1, -1], [3, 2]]
    assert found.relevant is not None
    assert found.seen is not None
    assert found.relevant.tolist() == [[2, -1, -1, -1], [0, 1, 2, 3], [0, -1, -1, -1], [3, -1, -1, -1]]
    assert found.seen[2].tolist() == [5, 1, 2, 3]
    assert found.popularity.tolist() == list(POPULARITY)
    assert Rankings().ranking_output(FRAME, BARE) is None


def test_items_without_a_place_are_none() -> None:
    assert item_codes(lists("zb", "a", ""), ITEMS).tolist() == [[-1, 1], [0, -1], [-1, -1]]
