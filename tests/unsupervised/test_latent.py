"""What an entry of a code changes is what was planted there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.subject import Subject
from glassbench.contracts.trainer import Workspace
from glassbench.testing import check_audit, toy_subject
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data
from glassbench_audits.latent.audit import audit
from glassbench_plugins.representation.pca import pca
from glassbench_plugins.representation.task import Representation
from glassbench_plugins.training.estimator import EstimatorTrainer


@pytest.fixture(scope="module")
def planted():
    """Two columns that go together, two that go against each other, and one on its own."""
    generator = np.random.default_rng(3)
    first, second = generator.normal(size=(2, 400))
    noise = 0.1 * generator.normal(size=(5, 400))
    columns = {"a": first, "b": first + noise[1], "c": 10 * (second + noise[2]), "d": -second + noise[3], "e": noise[4]}
    data = table_data(pd.DataFrame(columns), Columns(scale="none", units={"c": "kg"}), Division(seed=1))
    task = Representation()
    task.check(data.schema)
    fitted = EstimatorTrainer().fit(pca(data.schema, code=2), task, data, Workspace(seed=1, folder=Path("unused"), record=print))
    predictions = task.predict(fitted.model, data.test)
    return Subject(schema=data.schema, predictions=predictions, task=task, model=fitted.model, train=data.train, seed=1)


def test_it_keeps_every_audits_promises(planted):
    check_audit(audit, "latent", subjects=[planted], replicates=50)


def test_each_entry_names_the_columns_planted_in_it(planted):
    rows = audit(planted).tables[0].rows
    assert {row[2] for row in rows if row[0] == 1} >= {"c", "d"}
    assert rows[0][2] == "c"
    assert {row[2] for row in [row for row in rows if row[0] == 2][:2]} == {"a", "b"}


def test_a_change_is_that_of_the_axis(planted):
    axis = planted.model.axes[0].numpy()
    source = planted.predictions.source
    spread = planted.model(source.inputs[0])[:, 0].std(unbiased=False).item()
    change = {row[2]: row[3] for row in audit(planted).tables[0].rows if row[0] == 1}
    assert change["c"] == pytest.approx(axis[2] * spread, rel=1e-6)
    assert change["d"] == pytest.approx(axis[3] * spread, rel=1e-6)


def test_an_entry_that_changes_nothing_is_named(planted):
    class Idle(type(planted.model)):
        def decode(self, codes):
            return super().decode(codes * codes.new_tensor([1.0, 0.0]))

    model = Idle(code=2)
    model.keep(mean=planted.model.mean.numpy(), axes=planted.model.axes.numpy())
    subject = Subject(schema=planted.schema, predictions=planted.predictions, task=planted.task, model=model, seed=1)
    found = audit(subject)
    assert next(m for m in found.measures if m.name == "latent.entries_used").value == 1
    assert "1 of 2 entries of the code change next to nothing (2)" in found.findings[-1].sentence


def test_what_has_no_code_is_not_applicable():
    assert audit(toy_subject()).not_applicable
