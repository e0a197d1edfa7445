"""Adult's official files: published counts, and the accuracy that is to be had."""

from pathlib import Path

import numpy as np
import pytest
import torch

from glassbench.contracts.data import Data
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.task import Optimization
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.tabular.estimators import hist_gradient_boosting
from glassbench_plugins.tabular.files import table
from glassbench_plugins.tabular.mlp import Mlp

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "adult"
FILES = [FOLDER / name for name in ("train.csv.gz", "test.csv.gz")]

pytestmark = pytest.mark.skipif(not all(file.is_file() for file in FILES), reason=f"needs {FILES[0]} and {FILES[1]}")


@pytest.fixture(scope="module")
def adult() -> Data:
    train, test = map(str, FILES)
    return table(0, path=train, split={"by": "file", "test": test}, target="income", sensitive=("sex", "race"))


def test_the_published_counts(adult):
    sex = np.concatenate([split.groups["sex"] for split in (adult.train, adult.validation, adult.test)])
    rich = torch.cat([split.target for split in (adult.train, adult.validation, adult.test)]).numpy()
    assert len(sex) == 48842
    rates = [rich[sex == group].mean() for group in ("Male", "Female")]
    np.testing.assert_allclose(rates, [0.303767, 0.109251], atol=1e-6)
    assert len(adult.test) == 16281


def test_a_network_reaches_85_percent(adult):
    torch.manual_seed(0)
    task, model = Classification(), Mlp(adult.schema)
    task.check(adult.schema)
    learner = task.learner(model, adult, Optimization())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(5):
        order = torch.randperm(len(adult.train))
        for rows in order.split(256):
            batch = adult.train.batch(rows)
            optimizer.zero_grad()
            learner.loss(model(*batch.inputs), batch).backward()
            optimizer.step()
    frame = task.predict(model, adult.test).frame
    assert (frame["y_true"] == frame["y_pred"]).mean() >= 0.85


@pytest.mark.slow
def test_gradient_boosting_reaches_87_percent(adult):
    task = Classification()
    task.check(adult.schema)
    estimator = hist_gradient_boosting(adult.schema)
    estimator.fit(adult.train.inputs[0].numpy(), adult.train.target.numpy())
    frame = task.predict(EstimatorModule(estimator), adult.test).frame
    assert (frame["y_true"] == frame["y_pred"]).mean() >= 0.87
