"""Tables of interactions: the format of MovieLens, what is held out, what a row may know, and faulty tables."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.errors import DataError, FitError, SettingsError
from glassbench.testing import check_dataset
from glassbench_plugins.recommendation.encoder import InteractionEncoder
from glassbench_plugins.recommendation.factorisation import MatrixFactorisation
from glassbench_plugins.recommendation.files import interactions
from glassbench_plugins.recommendation.sasrec import SasRec
from glassbench_plugins.recommendation.tastes import Recipe, made_interactions, tastes
from glassbench_plugins.recommendation.two_tower import TwoTower

NAMES = ("user", "item", "rating", "timestamp")


@pytest.fixture
def movielens(tmp_path):
    """Files as MovieLens-100k has them, with made ratings: no header, tabs, and tables with bars in Latin-1."""
    made = made_interactions(Recipe(users=60, items=30, interactions=10), 1)
    users, films = pd.factorize(made["user"])[0] + 1, pd.factorize(made["film"])[0] + 1
    log = pd.DataFrame({"u": users, "i": films, "r": made["rating"].round().astype(int), "t": 881250949 + np.arange(len(made))})
    part = np.arange(len(log)) % 5 == 0
    log[~part].to_csv(tmp_path / "u1.base", sep="\t", header=False, index=False)
    log[part].to_csv(tmp_path / "u1.test", sep="\t", header=False, index=False)
    people = made.assign(u=users).drop_duplicates("u")
    rows = [f"{u}|{20 + u % 40}|{'MF'[u % 2]}|writer|{10000 + u}" for u in people["u"]]
    (tmp_path / "u.user").write_text("\n".join(rows) + "\n")
    kinds = made.assign(i=films).drop_duplicates("i")
    lines = [
        f"{i}|Café {i} (1995)|{int(g == 'drama')}|{int(g == 'crime')}" for i, g in zip(kinds["i"], kinds["genre"], strict=True)
    ]
    (tmp_path / "u.item").write_text("\n".join(lines) + "\n", encoding="latin-1")
    return tmp_path


def settings(folder):
    return {
        "path": str(folder / "u1.base"),
        "columns": NAMES,
        "rating": "rating",
        "time": "timestamp",
        "users": {"path": str(folder / "u.user"), "columns": ("user", "age", "gender", "occupation", "zip"), "separator": "|"},
        "items": {
            "path": str(folder / "u.item"),
            "columns": ("item", "title", "Drama", "Crime"),
            "separator": "|",
            "encoding": "latin-1",
        },
        "user_features": ({"column": "age", "bins": [30, 45]}, "gender"),
        "item_features": ("Drama", "Crime"),
        "sensitive": ("gender",),
    }


def test_the_split_of_movielens_is_read_as_it_is(movielens):
    split = {"by": "file", "test": str(movielens / "u1.test")}
    data = interactions(1, predict="rating", split=split, **settings(movielens))
    test = pd.read_csv(movielens / "u1.test", sep="\t", names=NAMES)
    assert len(data.train) + len(data.validation) == 480
    assert data.test.target.tolist() == test["rating"].tolist()
    assert data.test.raw["item"].astype(int).tolist() == test["item"].tolist()
    assert data.test.clusters.tolist() == test["user"].astype(str).tolist()
    assert data.schema.sensitive == ("gender",)


def test_a_rating_does_not_know_itself_nor_ratings_of_other_parts(movielens):
    data = interactions(1, predict="rating", split={"by": "file", "test": str(movielens / "u1.test")}, **settings(movielens))
    learnt = data.train.raw.groupby("user")["item"].agg(set)
    for part in (data.train, data.validation, data.test):
        for user, item, past in part.raw[["user", "item", "history"]].itertuples(index=False):
            assert set(json.loads(past)) == learnt[user] - {item}


def test_rankings_hold_out_the_last_items_of_each_user(movielens):
    data = interactions(1, held_out=2, **settings(movielens))
    log = pd.read_csv(movielens / "u1.base", sep="\t", names=NAMES).sort_values("timestamp").astype({"item": str, "user": str})
    ordered = log.groupby("user")["item"].agg(list)
    raw = data.test.raw
    assert [json.loads(text) for text in raw["chosen"]] == [ordered[user][-2:] for user in raw["user"]]
    assert [json.loads(text) for text in raw["history"]] == [ordered[user][:-2] for user in raw["user"]]
    learnt = {item for text in data.train.raw["chosen"] for item in json.loads(text)}
    assert learnt <= {item for items in ordered for item in items[:-4]}
    counts = dict(zip(data.schema.target.classes, data.schema.facts.catalogue.popularity, strict=True))
    assert sum(counts.values()) == len(log) - 4 * len(ordered)


def test_a_data_set_of_files_keeps_its_promises(movielens):
    check_dataset(interactions, encoder=InteractionEncoder, predict="rating", **settings(movielens))
    check_dataset(interactions, encoder=InteractionEncoder, seeded=False, **settings(movielens))


def test_liked_interactions_alone_are_ranked(movielens):
    data = interactions(1, liked=4, held_out=1, **settings(movielens))
    kept = pd.concat([data.train.raw, data.test.raw])
    log = pd.read_csv(movielens / "u1.base", sep="\t", names=NAMES).astype({"item": str, "user": str})
    liked = set(map(tuple, log.loc[log["rating"] >= 4, ["user", "item"]].to_numpy()))
    assert {(user, item) for user, past in zip(kept["user"], kept["history"], strict=True) for item in json.loads(past)} <= liked


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"item": "film"}, DataError, "there is no column 'film'"),
        ({"user_features": ("sex",)}, DataError, "there is no column 'sex'"),
        ({"predict": "rating", "rating": None}, DataError, "ratings need a column"),
        ({"rating": None, "liked": 3}, DataError, "`liked` needs ratings"),
        ({"held_out": 8}, DataError, "must have a history to be judged by"),
        ({"split": {"by": "random"}}, SettingsError, "divided by time within each user"),
        ({"time": "gender"}, DataError, "'gender' is no time"),
        ({"columns": ("user", "item", "rating", "age")}, DataError, "both tables have the column 'age'"),
    ],
)
def test_what_cannot_be_used_is_refused(movielens, change, error, words):
    with pytest.raises(error, match=words):
        interactions(1, **{**settings(movielens), **change})


def test_users_named_twice_are_refused(movielens):
    file = movielens / "u.user"
    file.write_text(file.read_text() + file.read_text().splitlines()[0] + "\n")
    with pytest.raises(DataError, match="the table of users names one twice"):
        interactions(1, **settings(movielens))


def test_a_row_tells_the_latest_items_last_and_the_unknown_as_nothing():
    data = tastes(1, users=60, items=30, interactions=10, context=4)
    raw = pd.DataFrame({"user": ["nobody"], "region": ["north"], "history": ['["Drama 1", "no such film", "Crime 2"]']})
    row = data.encoder.encode(raw).inputs[0][0]
    vocabulary = data.schema.facts.vocabulary
    assert [vocabulary[token] for token in row] == ["[UNK]", "region: north", "[PAD]", "Drama 1", "[UNK]", "Crime 2"]


@pytest.mark.parametrize("model", [MatrixFactorisation, TwoTower])
def test_a_user_and_an_item_of_whom_nothing_is_known_have_the_middle(model):
    data = tastes(1, users=60, items=30, interactions=10, predict="rating")
    network = model(data.schema).eval()
    rows = torch.zeros(2, data.schema.shape[0], dtype=torch.long)
    rows[1, :2] = 1
    with torch.no_grad():
        told, untold = network(rows)
    assert torch.isclose(told, untold, atol=1e-6)


def test_the_sequential_model_refuses_ratings():
    data = tastes(1, users=60, items=30, interactions=10, predict="rating")
    with pytest.raises(FitError, match="ranks what comes next"):
        SasRec(data.schema)


def test_the_choices_that_rankings_are_judged_by_are_made_without_promotion():
    raw = tastes(1, users=400, popularity=2.0).test.raw
    past, judged = (pd.Series([film for one in raw[name] for film in json.loads(one)]) for name in ("history", "chosen"))
    favourites = past.value_counts().index[:12]
    assert past.isin(favourites).mean() > 0.3
    assert judged.isin(favourites).mean() < 0.12  # a tenth of the films
