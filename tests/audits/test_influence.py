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


def test_rows_listed_of_a_sample_are_those_of_the_sample():
    """Of 600 training rows 300 are looked at; what is listed are wrong labels among these, by their own ids and labels."""
    subject, wrong = planted(1, 60)
    result = audit(subject, rows=300, shown=15, replicates=50)
    looked_at = np.sort(subject.generator("influence.rows").permutation(600)[:300])
    ids = subject.train.rows.tolist()
    listed = [ids.index(int(row[0])) for row in result.tables[0].rows]
    assert np.isin(listed, looked_at).all()
    assert np.isin(listed, wrong).mean() > 0.65
    classes = subject.schema.target.classes
    assert [row[1] for row in result.tables[0].rows] == [classes[int(subject.train.target[place])] for place in listed]


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


def corner(seed: int, steps: int, share: float = 0.08) -> Subject:
    """A subject that learnt 1,000 rows, of which half of those in one corner have the other label, as held-out rows there do."""
    data, task, generator = toy_data(rows=2000, seed=seed), ToyTask(), np.random.default_rng(seed)
    task.check(data.schema)
    parts = []
    for part in (data.train, data.test):
        place = part.inputs[0][:, 0] + part.inputs[0][:, 1]
        turned = (place > place.quantile(1 - share)) & torch.as_tensor(generator.random(len(part)) < 0.5)
        parts.append(replace(part, target=torch.where(turned, 1 - part.target, part.target)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = toy_model(data.schema, width=32)
    descend(model, task, parts[0], steps)
    predictions = task.predict(model.eval(), parts[1])
    return Subject(schema=data.schema, predictions=predictions, task=task, model=model, train=parts[0], seed=seed)


@pytest.mark.parametrize("steps", [60, 400])
@pytest.mark.parametrize("seed", range(3))
def test_a_corner_that_is_half_wrong_is_not_passed_where_it_was_learnt_by_heart_either(seed, steps):
    about = next(f for f in audit(corner(seed, steps), replicates=50).findings if "influence.contradicted" in f.measures)
    assert about.grade == "unclear"
    assert "cannot be told from this model" in about.sentence


def test_right_labels_that_are_learnt_and_not_by_heart_are_passed():
    about = next(f for f in audit(planted(0, 0, rows=4000)[0], replicates=50).findings if "influence.contradicted" in f.measures)
    assert about.grade == "ok"


@pytest.mark.parametrize(
    ("mine", "others", "by_heart"),
    [
        (0, 3, False),
        (2, 6, True),
        (10, 60, True),
        (60, 60, False),
        (40, 60, True),
        (50, 60, False),
        (0, 1, False),
        (100, 60, False),
    ],
)
def test_labels_are_learnt_by_heart_where_training_rows_are_contradicted_far_less(mine, others, by_heart):
    """Of 500 rows each: 40 and 60 differ with a p-value of .022, 2 and 6 by more than half; .6 % of held-out rows are too few."""
    found = contradiction(*(np.where(np.arange(500) < many, 0.6, 0.0) for many in (mine, others)))
    assert found.by_heart is by_heart
    assert found.shares == (mine / 500, others / 500)


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
