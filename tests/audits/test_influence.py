"""Influential training rows: wrong labels are found, and right ones raise no alarm."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.influence import TracInCPFast
from torch import nn
from torch.utils.data import TensorDataset

from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench.testing import check_audit, toy_data, toy_model, toy_subject
from glassbench.testing.fixtures import ToyTask, descend
from glassbench_audits.influence.audit import audit
from glassbench_audits.influence.contradiction import against_class, against_labels, contradiction
from glassbench_audits.influence.last_layer import NoLastLayer, traces


def planted(seed: int, wrong: int, steps: int = 100, rows: int = 1200) -> tuple[Subject, np.ndarray]:
    """A subject half of whose rows are training rows, some of them labelled wrongly, and which."""
    data, task, generator = toy_data(rows=rows, seed=seed), ToyTask(), np.random.default_rng(seed)
    task.check(data.schema)
    positions = generator.choice(len(data.train), wrong, replace=False)
    labels = data.train.target.clone()
    labels[positions] = 1 - labels[positions]
    train = replace(data.train, target=labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = toy_model(data.schema, width=16)
    descend(model, task, train, steps)
    predictions = task.predict(model.eval(), data.test)
    subject = Subject(schema=data.schema, predictions=predictions, task=task, model=model, train=train, seed=seed)
    return subject, positions


def measure(result, name):
    return next(m for m in result.measures if m.name == f"influence.{name}")


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "influence", replicates=50)


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_stand_against_the_others_and_leaving_them_out_helps(seed):
    subject, wrong = planted(seed, 60)
    result = audit(subject, remove=0.1, shown=60, replicates=200)
    listed = [int(row[0]) for row in result.tables[0].rows]
    assert np.isin(listed, subject.train.rows[wrong]).mean() > 0.65  # one in ten by chance
    assert measure(result, "removal_gain").low > 0
    assert "decides held-out rows better" in result.findings[0].sentence
    assert measure(result, "contradicted").value > 0.7


def test_right_labels_raise_no_alarm():
    for seed in range(6):
        assert "concern" not in [finding.grade for finding in audit(planted(seed, 0)[0], replicates=200).findings]


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_that_cost_nothing_are_not_passed(seed):
    """Few wrong labels hardly move the last layer; the model still contradicts them."""
    subject, wrong = planted(seed, 20)
    result = audit(subject, remove=20 / 600, shown=20, replicates=100)
    listed = [int(row[0]) for row in result.tables[0].rows]
    assert np.isin(listed, subject.train.rows[wrong]).sum() >= 12
    about = next(finding for finding in result.findings if "influence.contradicted" in finding.measures)
    assert about.grade != "ok"
    assert not any("does not help" in finding.sentence for finding in result.findings)


def test_a_dozen_wrong_labels_that_head_the_list_are_not_passed():
    """They are fewer than half of the rows left out on trial, and nearly all of those listed first."""
    subject, wrong = planted(51, 12, steps=80)
    result = audit(subject, shown=10, replicates=200)
    listed = [int(row[0]) for row in result.tables[0].rows]
    assert np.isin(listed, subject.train.rows[wrong]).mean() > 0.6
    assert measure(result, "contradicted").value <= 0.5
    assert "ok" not in [finding.grade for finding in result.findings]


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_are_called_wrong_where_held_out_rows_tell(seed):
    subject, _ = planted(seed, 120, rows=6000)
    about = next(f for f in audit(subject, replicates=100).findings if "influence.contradicted" in f.measures)
    assert about.grade == "concern"


def test_contradiction_compares_with_held_out_rows():
    sure, truth = np.tile([0.95, 0.05], (200, 1)), np.zeros(200, dtype=int)
    noisy = truth.copy()
    noisy[:20] = 1
    mine, held = against_class(sure, noisy), against_class(sure, truth)
    assert contradiction(mine, held).p < 1e-5
    assert contradiction(mine, mine).p > 0.5


def test_several_labels_are_contradicted_by_the_surest_that_is_wrong():
    chances = np.array([[0.9, 0.2], [0.9, 0.2], [0.4, 0.7], [0.1, 0.1]])
    truth = np.array([[1, 0], [0, 1], [np.nan, 1], [np.nan, np.nan]])
    np.testing.assert_allclose(against_labels(chances, truth), [0, 0.9, 0, 0])


def test_influence_equals_captums():
    subject = toy_subject()
    rows, held = subject.train.batch(slice(None)), subject.predictions.source.batch(slice(0, 8))
    first, second = (traces(subject.model, subject.task, [part]) for part in (rows, held))
    captum = TracInCPFast(
        subject.model,
        subject.model[2],
        TensorDataset(rows.inputs[0], rows.target),
        ["final"],
        checkpoints_load_func=lambda model, path: 1.0,
        loss_fn=nn.CrossEntropyLoss(reduction="sum"),
        batch_size=120,
    )
    expected = captum.influence((held.inputs[0], held.target)).detach()
    bias = second.asked @ first.asked.T  # Captum's fast one leaves the bias of the layer out
    np.testing.assert_allclose(first.influence(second).T - bias, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(first.own() - (first.asked**2).sum(axis=1), captum.self_influence().detach(), rtol=1e-4, atol=1e-6)


def test_gradients_are_those_autograd_gives():
    subject = toy_subject("value")
    batch = subject.train.batch(slice(0, 3))
    found = traces(subject.model, subject.task, [batch])
    for row in range(3):
        loss = (subject.model(batch.inputs[0][row : row + 1])[:, 0] - batch.target[row]) ** 2
        weight, bias = torch.autograd.grad(loss.sum(), (subject.model[2].weight, subject.model[2].bias))
        ours = np.outer(found.asked[row], found.given[row])
        np.testing.assert_allclose(ours, torch.cat([weight, bias[:, None]], dim=1), rtol=1e-4, atol=1e-6)


def test_a_model_without_a_linear_end_is_not_applicable():
    class Product(nn.Module):
        def forward(self, rows):
            return torch.stack([rows.sum(dim=1), rows.prod(dim=1)], dim=1)

    subject = toy_subject()
    assert "no linear layer" in audit(replace(subject, model=Product())).not_applicable
    with pytest.raises(NoLastLayer):
        traces(Product(), subject.task, [subject.train.batch(slice(0, 3))])


def test_rows_are_named_by_id_and_show_no_values():
    result = audit(toy_subject(), replicates=50, shown=4)
    behind = next(t for t in result.tables if t.title == "Training rows behind single decisions")
    assert all(len(row) == 6 for row in behind.rows)
    assert len(result.tables[0].rows) == 4


def test_what_it_needs_is_said():
    subject = toy_subject()
    assert "trained on" in audit(replace(subject, train=None)).not_applicable
    assert "truth of the training rows" in audit(replace(subject, train=replace(subject.train, target=None))).not_applicable


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(SettingsError, match="remove must lie between"):
        audit(toy_subject(), remove=2.0)
