"""Groups are compared where nothing is known of the truth: by flagged share, reconstruction error and density."""

from pathlib import Path

import numpy as np
import pytest

from glassbench.contracts.subject import Subject
from glassbench.contracts.trainer import Workspace
from glassbench_audits.fairness.audit import audit
from glassbench_plugins.anomalies.forest import isolation_forest
from glassbench_plugins.anomalies.task import Anomaly
from glassbench_plugins.clustering.datasets import blobs
from glassbench_plugins.clustering.mixture import gaussian_mixture
from glassbench_plugins.density.task import Density
from glassbench_plugins.representation.pca import pca
from glassbench_plugins.representation.task import Representation
from glassbench_plugins.training.estimator import EstimatorTrainer

DATA = blobs(3, clusters=2)


@pytest.mark.parametrize(
    ("task", "model", "measure", "column"),
    [
        (Anomaly(), isolation_forest, "selection_rate", "flagged"),
        (Representation(), pca, "reconstruction_error", "score"),
        (Density(), lambda schema: gaussian_mixture(schema, clusters=2), "log_likelihood", "score"),
    ],
)
def test_each_groups_mean_is_that_of_its_rows(task, model, measure, column):
    task.check(DATA.schema)
    workspace = Workspace(seed=3, folder=Path("unused"), record=print)
    fitted = EstimatorTrainer().fit(task.adapt(model(DATA.schema), DATA.schema), task, DATA, workspace)
    predictions = task.predict(fitted.model, DATA.test)
    found = audit(Subject(schema=DATA.schema, predictions=predictions, task=task, model=fitted.model, seed=3), replicates=100)
    expected = predictions.frame.groupby("group.side")[column].mean()
    for side in ("left", "right"):
        value = next(m for m in found.measures if m.name.startswith(f"fairness.{measure}") and m.group == {"side": side})
        assert value.low <= value.value <= value.high
        np.testing.assert_allclose(value.value, expected[side])
