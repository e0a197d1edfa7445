"""LightGBM and XGBoost as models, held against the libraries called directly on the raw table."""

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import torch
import xgboost as xgb
from threadpoolctl import threadpool_limits

from glassbench.contracts.trainer import Fitted, Workspace
from glassbench.errors import FitError, GlassbenchError, SettingsError
from glassbench.testing import check_model
from glassbench_plugins.boosting.lightgbm_model import lightgbm_model
from glassbench_plugins.boosting.xgboost_model import xgboost_model
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.tabular.files import table
from glassbench_plugins.training.estimator import EstimatorTrainer

BOTH = pytest.mark.parametrize("make", [lightgbm_model, xgboost_model])
CATEGORIES = ["brown", "green", "red", "violet", "white"]
TARGETS = ["two", "three", "value"]


@pytest.fixture
def data_of(raw, tmp_path):
    def read(target, **settings):
        raw.to_csv(tmp_path / "rows.csv", index=False)
        drop = tuple(name for name in TARGETS if name != target) + (() if "weight" in settings else ("weight",))
        return table(
            0,
            path=tmp_path / "rows.csv",
            target=target,
            drop=drop,
            split={"by": "column", "column": "part"},
            scale="none",
            **settings,
        )

    return read


def fit(model, data, lines=None, seed=11) -> Fitted:
    record = (lambda line: None) if lines is None else lines.append
    return EstimatorTrainer().fit(model, Classification(), data, Workspace(seed=seed, folder="unused", record=record))


def plain(raw: pd.DataFrame, part: str, target: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = raw[raw["part"] == part]
    codes = pd.Categorical(rows["colour"], categories=CATEGORIES).codes
    table = np.column_stack([rows["height"], rows["width of it"], codes]).astype(np.float32)
    known = rows[target].to_numpy(np.float32) if target == "value" else pd.Categorical(rows[target]).codes
    return table, known, (rows["weight"] / rows["weight"].mean()).to_numpy()


def by_lightgbm(raw, target, weighted):
    (x, y, w), (test, _, _) = plain(raw, "train", target), plain(raw, "test", target)
    kind = {"two": {"objective": "binary"}, "three": {"objective": "multiclass", "num_class": 3}, "value": {}}[target]
    train = lgb.Dataset(x, y, weight=w if weighted else None, categorical_feature=[2])
    settings = {**kind, "seed": 11, "verbosity": -1, "bagging_fraction": 0.7, "bagging_freq": 1}
    return lgb.train(settings, train, 40).predict(test, raw_score=True)


def by_xgboost(raw, target, weighted):
    (x, y, w), (test, _, _) = plain(raw, "train", target), plain(raw, "test", target)
    goal = {"two": "binary:logistic", "three": "multi:softprob", "value": "reg:squarederror"}[target]
    several = {"num_class": 3} if target == "three" else {}
    shared = {"feature_types": ["q", "q", "c"], "enable_categorical": True}
    train = xgb.DMatrix(x, y, weight=w if weighted else None, **shared)
    booster = xgb.train({"objective": goal, **several, "seed": 11, "subsample": 0.7, "verbosity": 0}, train, 40)
    return booster.predict(xgb.DMatrix(test, **shared), output_margin=True)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("target", TARGETS)
@BOTH
def test_scores_are_those_of_the_library_called_directly(make, target, weighted, raw, data_of):
    data = data_of(target, **({"weight": "weight"} if weighted else {}))
    sampled = {"subsample": 0.7} | ({"subsample_freq": 1} if make is lightgbm_model else {})
    with threadpool_limits(1):  # several threads add the same numbers in another order each time
        model = fit(make(data.schema, n_estimators=40, **sampled), data).model
        expected = (by_lightgbm if make is lightgbm_model else by_xgboost)(raw, target, weighted)
    found = model(data.test.inputs[0])
    found = (found[:, 1] - found[:, 0] if target == "two" else found).numpy()
    assert np.array_equal(found, expected.astype(found.dtype)), "to the last digit"


@BOTH
def test_early_stopping_keeps_the_best_round_and_the_history(make, data_of):
    data, lines = data_of("two"), []
    fitted = fit(make(data.schema, n_estimators=500, early_stopping=5, learning_rate=0.3), data, lines)
    losses = [line["validation_loss"] for line in lines]
    best = int(np.argmin(losses)) + 1
    assert fitted.facts["iterations"] == best == len(lines) - 5
    assert "5 rounds" in fitted.facts["stopped"]
    truth = data.validation.target
    loss = torch.nn.functional.cross_entropy(fitted.model(data.validation.inputs[0]).double(), truth)
    assert float(loss) == pytest.approx(min(losses), rel=1e-6)


@pytest.mark.parametrize("positive", ["yes", "no"])
@BOTH
def test_a_monotone_column_never_turns_back(make, positive, data_of):
    data = data_of("two", positive=positive)
    model = fit(make(data.schema, monotone={"width of it": "increasing"}), data).model
    place = next(f.columns[0] for f in data.schema.features if f.name == "width of it")
    grid = data.test.inputs[0][:50].repeat_interleave(60, dim=0)
    grid[:, place] = torch.linspace(-3, 3, 60).repeat(50)
    probabilities = model(grid).softmax(1)[:, data.schema.target.classes.index(positive)].reshape(50, 60)
    assert (probabilities.diff(dim=1) >= -1e-7).all()
    assert (probabilities[:, -1] > probabilities[:, 0] + 1e-3).any(), "the column is used"


@BOTH
def test_classes_that_are_rare_count_as_much_as_common_ones(make, data_of):
    data = data_of("three")
    found = fit(make(data.schema, n_estimators=20, class_weight="balanced"), data).model(data.test.inputs[0])
    counts = np.bincount(data.train.target)
    weights = (counts.sum() / 3 / counts)[data.train.target]
    x, y = data.train.inputs[0].numpy(), data.train.target.numpy()
    by_hand = make(data.schema, n_estimators=20).fit(x, y, weights, seed=11)
    assert torch.equal(found, by_hand(data.test.inputs[0]))


@BOTH
def test_a_booster_keeps_what_every_model_promises(make):
    check_model(make, n_estimators=10)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"monotone": {"heigth": "increasing"}}, SettingsError, "did you mean 'height'"),
        ({"monotone": {"colour": "decreasing"}}, SettingsError, "a category cannot be constrained"),
        ({"early_stopping": 3}, FitError, "no validation rows to stop early by"),
    ],
)
@BOTH
def test_bad_settings_are_refused_in_one_screen(make, asked, error, said, raw, tmp_path):
    raw.drop(columns=["three", "value", "weight"]).replace({"part": {"validation": "train"}}).to_csv(
        tmp_path / "r.csv", index=False
    )
    data = table(0, path=tmp_path / "r.csv", target="two", split={"by": "column", "column": "part", "validation": 0.0})
    with pytest.raises(error, match=said):
        fit(make(data.schema, **asked), data)


@BOTH
def test_targets_that_trees_do_not_predict_are_refused(make, data_of):
    with pytest.raises(GlassbenchError, match="two classes or a value"):
        make(data_of("three").schema, monotone={"height": "increasing"})
    with pytest.raises(FitError, match="classes only"):
        make(data_of("value").schema, class_weight="balanced")
