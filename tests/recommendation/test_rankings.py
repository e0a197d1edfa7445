"""Rankings as predictions: their measures against scikit-learn and by hand, and the promises of a kind."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import ndcg_score

from glassbench.contracts.facts import CatalogueFacts, TextFacts
from glassbench.contracts.predictions.ranked_lists import encoded_items, found_at
from glassbench.contracts.predictions.rankings import Rankings
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.testing import check_kind, check_metric
from glassbench_plugins.recommendation.measures import ranking_metrics

ITEMS = tuple("abcdefgh")


def schema(popularity=(9, 8, 7, 6, 5, 4, 3, 2)):
    tokens = tuple((place + 2,) for place in range(len(ITEMS)))
    facts = TextFacts(
        vocabulary=("[PAD]", "[UNK]", *ITEMS), catalogue=CatalogueFacts(items=ITEMS, tokens=tokens, popularity=popularity)
    )
    target = Target(name="chosen", kind="ranking", classes=ITEMS)
    return Schema(modality="text", shape=(4,), target=target, unit="user", facts=facts)


def frame(ranked, chosen, seen=None):
    columns = {"row": range(len(ranked)), "y_pred": ranked, "y_true": chosen, "seen": seen or [""] * len(ranked)}
    lists = {name: [encoded_items(list(each)) for each in columns[name]] for name in ("y_pred", "y_true", "seen")}
    return pd.DataFrame({"row": columns["row"], **lists})


def values(predictions, places):
    one = np.ones((1, len(predictions)))
    return {metric.name: float(metric.compute(predictions, one)[0]) for metric in ranking_metrics(places)}


def drawn(rows=40, seed=0):
    chance = np.random.default_rng(seed)
    ranked = ["".join(chance.permutation(list(ITEMS))) for _ in range(rows)]
    chosen = ["".join(chance.choice(list(ITEMS), chance.integers(1, 4), replace=False)) for _ in range(rows)]
    return frame(ranked, chosen)


def test_a_list_is_judged_as_by_hand():
    found = values(frame(["abc", "hgf"], ["bd", "a"]), 3)
    best = 1 + 1 / np.log2(3)
    assert found["ndcg_at_3"] == pytest.approx((1 / np.log2(3) / best + 0) / 2)
    assert found["recall_at_3"] == pytest.approx(0.25)
    assert found["hit_rate_at_3"] == pytest.approx(0.5)


@pytest.mark.parametrize("places", [1, 3, 8])
def test_ndcg_is_scikit_learns(places):
    predictions = drawn()
    truth = np.array([[item in text for item in ITEMS] for text in predictions["y_true"]], dtype=float)
    scores = np.array([[-text.index(item) for item in ITEMS] for text in predictions["y_pred"]], dtype=float)
    assert values(predictions, places)[f"ndcg_at_{places}"] == pytest.approx(ndcg_score(truth, scores, k=places))


def test_the_kind_keeps_its_promises():
    check_kind(Rankings(places=3), drawn(), schema())


@pytest.mark.parametrize("metric", ranking_metrics(3), ids=lambda metric: metric.name)
def test_every_metric_keeps_its_promises(metric):
    check_metric(metric, drawn())


def test_errors_are_what_ndcg_lacks_and_unchanged_lists_have_not_moved():
    predictions, kind = drawn(), Rankings(places=3)
    assert 1 - kind.row_errors(predictions, schema()).size.mean() == pytest.approx(values(predictions, 3)["ndcg_at_3"])
    moved = predictions.assign(y_pred=[encoded_items(list("fgh"))] * len(predictions))
    before = predictions.assign(y_pred=[encoded_items(list("fab"))] * len(predictions))
    assert kind.changes(before, moved, schema()).size == pytest.approx(2 / 3)


def test_the_baseline_recommends_what_is_popular_and_was_not_seen():
    found = Rankings(places=3).baseline(frame(["abc", "abc"], ["a", "b"], ["", "ac"]), schema(), None)
    assert found.frame["y_pred"].tolist() == [encoded_items(list("abc")), encoded_items(list("bde"))]


@pytest.mark.parametrize("text", ["a, b", '{"a": 1}', "[1, 2]", '["a", "a"]'])
def test_what_is_no_list_of_items_is_refused(text):
    predictions = frame(["ab"], ["a"]).assign(y_pred=[text])
    with pytest.raises(DataError, match="a ranking cannot be read"):
        Rankings().check(predictions, schema())


def test_places_without_an_item_hold_none_that_is_relevant() -> None:
    found = found_at(np.array([[0, -1, 2], [-1, 1, 3]]), np.array([[2, -1], [-1, -1]]))
    assert found.tolist() == [[False, False, True], [False, False, False]]


def test_a_short_list_moves_by_the_share_of_its_own_items() -> None:
    before, after = frame(["ab", "a"], ["c", "c"]), frame(["bc", "a"], ["c", "c"])
    assert Rankings(places=8).changes(before, after, schema()).size.tolist() == [0.5, 0.0]
