"""Fair k-means: without a penalty it is k-means; with one, planted groups are spread over clusters at a bounded cost."""

import numpy as np
import pandas as pd
import pytest
import torch

import glassbench
from glassbench.errors import FitError
from glassbench_plugins.clustering.fair_kmeans import FairCentres, fair_kmeans
from glassbench_plugins.clustering.kmeans import Centres


def planted(rows=600, seed=0):
    """Two clusters along the first column, in which groups are alike, and a weaker pull of the group along the second."""
    chance = np.random.default_rng(seed)
    group = chance.integers(2, size=rows)
    side = chance.integers(2, size=rows)
    points = np.column_stack([3.0 * side, 4.0 * group]) + chance.normal(0, 0.6, size=(rows, 2))
    return points, pd.DataFrame({"group": np.where(group, "b", "a")})


def fitted(strength):
    points, groups = planted()
    np.random.seed(0)
    return FairCentres(clusters=2, by="group", strength=strength, starts=5).fit(points, groups=groups), points, groups


def apart(model, points, groups):
    """Largest difference between clusters in the share of group b."""
    chosen = model(torch.as_tensor(points)).argmax(dim=1).numpy()
    return np.ptp([(groups["group"] == "b")[chosen == k].mean() for k in range(2)])


def test_without_a_penalty_it_is_k_means():
    model, points, groups = fitted(0.0)
    np.random.seed(0)
    plain = Centres(clusters=2, most=2, starts=5).fit(points)
    assert torch.equal(model.centres, plain.centres)
    assert float(model.variance) == pytest.approx(float(plain.variance))
    assert apart(model, points, groups) > 0.9  # the longer axis is the group's


def test_groups_are_spread_and_the_other_axis_is_found():
    model, points, groups = fitted(5.0)
    assert apart(model, points, groups) < 0.1
    assert abs(float(model.centres[0, 0] - model.centres[1, 0])) > 2
    assert abs(float(model.centres[0, 1] - model.centres[1, 1])) < 1


def test_a_run_needs_groups_in_training_alone(tmp_path):
    points, groups = planted()
    frame = pd.DataFrame(points, columns=["x", "y"]).assign(group=groups["group"])
    asked = {
        "name": "fair",
        "dataset": {"use": "table", "target": None, "sensitive": ["group"]},
        "task": "clustering",
        "model": {"use": "fair-kmeans", "clusters": 2, "by": "group"},
        "audits": ["performance"],
    }
    run = glassbench.run(asked, data=frame, runs=tmp_path)
    again = glassbench.load_run(run.folder)
    decided = again.predict(frame[["x", "y"]])
    shares = (frame["group"] == "b").groupby(decided["y_pred"].to_numpy()).mean()
    assert np.ptp(shares) < 0.15


def test_data_without_groups_are_refused():
    points, groups = planted()
    schema = glassbench.Schema(modality="table", shape=(2,), target=glassbench.Target(name="none", kind="none"))
    with pytest.raises(FitError, match="sensitive feature"):
        fair_kmeans(schema)
    with pytest.raises(FitError, match="sensitive feature"):
        FairCentres(clusters=2, by="race", strength=1.0, starts=1).fit(points, groups=groups)
