"""Boosters are kept in their libraries' own files, which are checked before a library reads them."""

import json
import re

import lightgbm
import numpy as np
import pytest
import torch
import xgboost

import glassbench
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.errors import RunError
from glassbench.runs.artifacts import load_trained, save_trained
from glassbench_plugins.boosting.lightgbm_model import lightgbm_model
from glassbench_plugins.boosting.xgboost_model import xgboost_model

SCHEMA = Schema(
    modality="table",
    shape=(6,),
    target=Target(name="y", kind="class", classes=("a", "b", "c")),
    features=(
        Feature(name="größe [cm]", columns=(0,)),
        Feature(name="größe  cm ", columns=(1,)),
        Feature(name="kind", kind="category", columns=(2, 3, 4, 5), categories=("p", "q", "r", "s")),
    ),
)


@pytest.fixture(params=[lightgbm_model, xgboost_model])
def make(request):
    return lambda: request.param(SCHEMA, n_estimators=5)


@pytest.fixture
def kept(make, tmp_path):
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(300, 2)), np.eye(4)[rng.integers(4, size=300)]], axis=1).astype(np.float32)
    model = make().fit(rows, rng.integers(3, size=300))
    return tmp_path / save_trained(tmp_path, model), model(torch.from_numpy(rows)), torch.from_numpy(rows)


def test_a_kept_booster_answers_the_same_and_its_library_reads_the_file(kept, make):
    path, answers, rows = kept
    assert torch.equal(load_trained(path.parent, make())(rows), answers)
    if path.suffix == ".txt":
        assert lightgbm.Booster(model_file=str(path)).num_trees() == 15
    else:
        assert xgboost.Booster(model_file=str(path)).num_boosted_rounds() == 5


def garbled(text: str, way: str) -> str:
    return {
        "empty": lambda: "",
        "cut": lambda: text[: len(text) // 2],
        "version": lambda: text.replace("version=v4", "version=v9").replace('"version":[3', '"version":[9'),
        "loop": lambda: re.sub(r"left_child(ren)?(=|\":\[)-?\d+", r"left_child\1\g<2>0", text, count=1),
        "column": lambda: re.sub(r"split_(feature=|indices\":\[)\d+", r"split_\g<1>77", text, count=1),
        "classes": lambda: text.replace("num_tree_per_iteration=3", "num_tree_per_iteration=1").replace(
            '"num_class":"3"', '"num_class":"4"'
        ),
    }[way]()


@pytest.mark.parametrize("way", ["empty", "cut", "version", "loop", "column", "classes"])
def test_a_file_that_is_none_of_this_library_is_refused(kept, make, way):
    path, *_ = kept
    before = path.read_text()
    path.write_text(garbled(before, way))
    assert path.read_text() != before
    with pytest.raises(RunError, match="the model file cannot be read") as refused:
        load_trained(path.parent, make())
    assert len(str(refused.value).splitlines()) <= 5
    path.unlink()
    with pytest.raises(RunError, match="no trained model"):
        load_trained(path.parent, make())


@pytest.mark.parametrize("use", ["lightgbm", "xgboost"])
def test_a_run_trains_audits_and_predicts_again(use, tmp_path):
    content = {
        "name": "boosted",
        "dataset": {"use": "diabetes", "target": "value"},
        "task": "regression",
        "model": {"use": use, "n_estimators": 30, "early_stopping": 5},
        "audits": ["performance", "learning", "efficiency"],
    }
    run = glassbench.run(content, runs=tmp_path)
    assert not [audit.error for audit in run.audits if audit.error]
    decided = json.loads((run.folder / "provenance.json").read_text())["training"]
    history = (run.folder / "metrics.jsonl").read_text().splitlines()
    assert len(history) >= decided["iterations"] >= 1
    again = glassbench.load_run(run.folder)
    told = again.predict(again.held_out_rows)
    expected = glassbench.load_run(run.folder).model(again.encoder.encode(again.held_out_rows).inputs[0])
    np.testing.assert_array_equal(told["y_pred"], expected.double().numpy())
