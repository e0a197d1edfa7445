"""Rankings worked out by hand: which meetings count, what a row may know, which moments are learnt from, and what is measured."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Batch, Split
from glassbench.contracts.facts import CatalogueFacts
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.recommendation.assembly import Histories, _others, ranking_data, rating_data
from glassbench_plugins.recommendation.files import _liked
from glassbench_plugins.recommendation.interactions import HISTORY, InteractionColumns, Interactions
from glassbench_plugins.recommendation.layout import taste_of
from glassbench_plugins.recommendation.measures import ranking_metrics
from glassbench_plugins.recommendation.task import Ranking, met_before


def lists(*items: list[str]) -> list[str]:
    return [json.dumps(each) for each in items]


def test_users_with_nothing_to_find_are_left_out_of_means_and_miss_in_the_hit_rate() -> None:
    frame = pd.DataFrame({"y_pred": lists(["a", "b"], ["c", "a"], ["b", "c"]), "y_true": lists(["b", "c"], [], ["b"])})
    ndcg, recall, hits = (metric.compute(frame, np.array([[1.0, 1, 1], [2, 5, 1]])) for metric in ranking_metrics(2))
    gain = (1 / np.log2(3)) / (1 + 1 / np.log2(3))
    assert ndcg == pytest.approx([(gain + 1) / 2, (2 * gain + 1) / 3])
    assert recall == pytest.approx([(0.5 + 1) / 2, (1 + 1) / 3])
    assert hits == pytest.approx([2 / 3, 3 / 8])


def log(rows: list[tuple[str, str, object]], **more: object) -> Interactions:
    frame = pd.DataFrame(rows, columns=["user", "item", "when"])
    return Interactions.read(frame.assign(**more), InteractionColumns(time="when", item_features=tuple(more)))


def test_the_first_meeting_counts_and_rows_of_one_time_stay_in_their_order() -> None:
    found = log([("u", "a", 5), ("u", "b", 3), ("v", "a", 3), ("u", "c", 3), ("u", "a", 1), ("v", "b", 9)])
    assert found.frame[["user", "item", "when"]].to_numpy().tolist() == [
        ["u", "a", 1],
        ["u", "b", 3],
        ["v", "a", 3],
        ["u", "c", 3],
        ["v", "b", 9],
    ]
    known = log([("u", "a", 2), ("v", "a", 1), ("v", "b", 3)], kind=["late", "early", "x"])
    assert known.of_items(known.items_known) == {"kind": ("early", "x")}


def test_items_liked_just_enough_are_kept() -> None:
    frame = pd.DataFrame({"user": list("abc"), "item": list("xyz"), "stars": [3, 4, 5]})
    columns = InteractionColumns(rating="stars")
    assert _liked(frame, columns, 4.0)["item"].tolist() == ["y", "z"]


def many(users: int, items: int, short: int = 0) -> Interactions:
    """Users that meet items 0, 1, 2, ... in order, some of them fewer."""
    names = [f"i{k:02}" for k in range(items)]
    rows = [(f"u{u:02}", name, k) for u in range(users) for k, name in enumerate(names)]
    rows += [(f"s{u:02}", name, k) for u in range(short) for k, name in enumerate(names[: 2 * 2 + 1])]
    return log(rows)


def test_the_items_at_the_end_are_judged_those_before_validate_and_the_latest_moments_are_learnt_from() -> None:
    data = ranking_data(many(20, 10, short=2), Histories(context=4, held_out=2, prefixes=3))
    one = {part: getattr(data, part).raw.assign(row=getattr(data, part).rows) for part in ("train", "validation", "test")}
    train = one["train"][one["train"]["user"] == "u00"]
    assert [json.loads(text) for text in train["history"]] == [[f"i{k:02}" for k in range(at)] for at in (3, 4, 5)]
    assert [json.loads(text) for text in train["chosen"]] == [["i03", "i04"], ["i04", "i05"], ["i05"]]
    (validation,) = one["validation"][one["validation"]["user"] == "u00"].itertuples()
    assert (len(json.loads(validation.history)), json.loads(validation.chosen)) == (6, ["i06", "i07"])
    (test,) = one["test"][one["test"]["user"] == "u00"].itertuples()
    assert (len(json.loads(test.history)), json.loads(test.chosen), test.row) == (8, ["i08", "i09"], "u00")
    assert set(one["test"]["row"]) == {f"u{u:02}" for u in range(20)}  # five items are too few to be judged
    tokens = data.test.inputs[0][0].tolist()
    assert tokens[-4:] == [2 + k for k in (4, 5, 6, 7)]
    short = data.train.inputs[0][list(data.train.rows).index("u00, after 3 items")].tolist()
    assert short[-4:] == [0, 2, 3, 4]
    popularity = data.schema.facts.catalogue.popularity
    assert popularity == (22, 22, 22, 22, 22, 20, 0, 0, 0, 0)  # what is held out is not counted


def test_users_with_just_enough_items_are_judged() -> None:
    data = ranking_data(many(20, 6), Histories(context=4, held_out=2, prefixes=3))
    assert len(data.test.rows) == 20


def test_a_rating_sees_the_latest_others_of_its_user_that_are_learnt_from() -> None:
    found = log([("u", f"i{k}", k) for k in range(6)] + [("v", "i0", 9)])
    train = np.array([0, 1, 2, 4])
    past = [json.loads(text) for text in _others(found, train, 2)]
    assert past[:6] == [["i2", "i4"], ["i2", "i4"], ["i1", "i4"], ["i2", "i4"], ["i1", "i2"], ["i2", "i4"]]
    assert past[6] == []


def test_ratings_of_test_rows_are_in_no_history() -> None:
    drawn = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{k}", k) for u in range(30) for k in range(8)]
    frame = pd.DataFrame(rows, columns=["user", "item", "when"]).assign(stars=drawn.integers(1, 6, 240))
    log_ = Interactions.read(frame, InteractionColumns(rating="stars", time="when"))
    data = rating_data(log_, Division(seed=1, validation=0.2, test=0.3), Histories(context=9))
    learnt = {(row.user, row.item) for row in data.train.raw.itertuples()}
    for row in data.test.raw.itertuples():
        assert {(row.user, item) for item in json.loads(row.history)} <= learnt


CATALOGUE = CatalogueFacts(
    items=("a", "b", "c"), tokens=((2, 9), (3, 9), (4, 9)), popularity=(1, 1, 1), user_fields=("user",), item_fields=("item",)
)


def test_items_met_before_stand_in_the_history_alone() -> None:
    rows = torch.tensor([[7, 2, 0, 0, 3], [7, 3, 4, 2, 1]])  # user, item, then three of the history
    assert met_before(rows, CATALOGUE).tolist() == [[False, True, False], [True, False, True]]


def test_a_long_history_weighs_by_the_root_of_its_length() -> None:
    vectors = torch.ones(2, 4, 1)
    read = torch.tensor([[True, True, True, True], [True, False, False, False]])
    assert taste_of(vectors, read)[:, 0].tolist() == [2.0, 1.0]


def task() -> Ranking:
    made = Ranking(places=2)
    target = SimpleNamespace(kind="ranking", name="chosen", classes=("a", "b", "c", "d"))
    made._schema = SimpleNamespace(target=target, facts_of=lambda kind: None)
    return made


def test_the_loss_of_a_user_is_the_mean_over_the_items_chosen() -> None:
    scores = torch.tensor([[1.0, 2.0, 0.0, -1.0], [0.5, 0.0, 0.0, 3.0]])
    batch = Batch((), torch.tensor([[0, 1], [3, -1]]), torch.arange(2))
    logs = torch.log_softmax(scores, dim=1)
    expected = [-(logs[0, 0] + logs[0, 1]) / 2, -logs[1, 3]]
    assert task().row_loss(scores, batch).tolist() == pytest.approx([float(each) for each in expected])


def test_lists_that_are_filled_up_are_judged_by_the_items_that_are_known() -> None:
    scores = torch.tensor([[4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
    found = task().evaluate(scores, torch.tensor([[0, -1, -1], [0, 2, -1]]))
    half = (1 / np.log2(3)) / (1 + 1 / np.log2(3))
    assert found == {"ndcg_at_2": pytest.approx((1 + half) / 2)}


def test_items_of_the_past_are_never_recommended_and_the_first_of_a_list_is_explained() -> None:
    task = Ranking(places=3)
    task._schema = SimpleNamespace(target=SimpleNamespace(classes=("a", "b", "c", "d")))
    scores = torch.tensor([[-2.0, -5.0, -3.0, -4.0], [-9.0, -2.0, -3.0, -4.0]])
    raw = pd.DataFrame({HISTORY: lists(["a"], ["d", "c", "b"])})
    made = task.predict(torch.nn.Identity(), Split(inputs=(scores,), rows=np.arange(2), raw=raw))
    assert [json.loads(each) for each in made.frame["y_pred"]] == [["c", "d", "b"], ["a"]]
    assert [json.loads(each) for each in made.frame["seen"]] == [["a"], ["b", "c", "d"]]
    assert made.target_index.tolist() == [2, 0]
